use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Ready = 7,
}

fn main() {
    loop_runtime::wire::encode(&Report { status: Status::Ready });
    loop_runtime::wire::encode(&Report { status: Status::Unspecified });
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    status: Status,
}
