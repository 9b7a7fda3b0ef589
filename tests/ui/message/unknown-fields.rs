use loop_runtime::LoopMessage;
use loop_runtime::wire::UnknownFields;

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    height: u64,
    rest: UnknownFields,
}

#[derive(LoopMessage)]
struct Block {
    #[wire(1)]
    head: Head,
    rest: UnknownFields,
    more: UnknownFields,
}

#[derive(LoopMessage)]
struct Transaction {
    #[wire(1)]
    rest: UnknownFields,
}

fn main() {
    let head = Head { height: 7, rest: UnknownFields::default() };
    loop_runtime::wire::encode(&Block { head, rest: UnknownFields::default(), more: UnknownFields::default() });
    loop_runtime::wire::encode(&Transaction { rest: UnknownFields::default() });
}
