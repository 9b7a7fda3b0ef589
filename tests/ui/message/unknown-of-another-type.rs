use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Done,
    #[wire(unknown)]
    Other(u32),
}

fn main() {
    let status = [Status::Unspecified, Status::Done, Status::Other(7)];
    status.iter().for_each(|status| drop(loop_runtime::wire::encode(&Held { status: status.clone() })));
}

impl Clone for Status {
    fn clone(&self) -> Self {
        Status::Done
    }
}

#[derive(LoopMessage)]
struct Held {
    #[wire(1)]
    status: Status,
}
