use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Ready,
    #[wire(unknown, 5)]
    Other(i32),
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    status: Status,
}

fn main() {
    for status in [Status::Unspecified, Status::Ready, Status::Other(7)] {
        loop_runtime::wire::encode(&Report { status });
    }
}
