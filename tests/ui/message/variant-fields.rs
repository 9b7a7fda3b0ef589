use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Cursor {
    #[wire(1)]
    At(u64),
    #[wire(2)]
    Range(u64, u64),
}

#[derive(LoopMessage)]
struct Query {
    #[wire(oneof)]
    cursor: Cursor,
}

fn main() {
    loop_runtime::wire::encode(&Query { cursor: Cursor::Range(1, 2) });
    loop_runtime::wire::encode(&Query { cursor: Cursor::At(1) });
}
