use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(1)]
    Ready,
    #[wire(2)]
    Failed,
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    status: Status,
    #[wire(2)]
    earlier: Vec<Status>,
}

fn main() {
    loop_runtime::wire::encode(&Report { status: Status::Ready, earlier: vec![Status::Failed] });
}
