use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(unknown)]
    Other,
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    status: Status,
}

fn main() {
    for status in [Status::Unspecified, Status::Other] {
        loop_runtime::wire::encode(&Report { status });
    }
}
