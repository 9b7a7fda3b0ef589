use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(unknown)]
    Other(i32),
    #[wire(unknown)]
    Another(i32),
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    status: Status,
}

fn main() {
    for status in [Status::Unspecified, Status::Other(1), Status::Another(2)] {
        loop_runtime::wire::encode(&Report { status });
    }
}
