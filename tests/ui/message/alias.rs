use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0, alias("STATUS_NONE"))]
    Unspecified,
    #[wire(-1, alias(STATUS_FAILED))]
    Down,
}

#[derive(LoopMessage)]
enum Event {
    #[wire(1)]
    Ready(String),
    #[wire(2, alias("stopped"))]
    Ended(String),
}

fn main() {
    loop_runtime::wire::encode(&Event::Ready(String::new()));
    loop_runtime::wire::encode(&Event::Ended(String::new()));
    let _ = [Status::Unspecified, Status::Down];
}
