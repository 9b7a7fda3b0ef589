use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    Ready = 5,
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    status: Status,
}

fn main() {
    loop_runtime::wire::encode(&Report { status: Status::Ready });
    loop_runtime::wire::encode(&Report { status: Status::Unspecified });
}
