use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Cursor {
    #[wire(1)]
    At(u64),
    #[wire(unknown)]
    Other(i32),
}

fn main() {
    for cursor in [Cursor::At(1), Cursor::Other(2)] {
        loop_runtime::wire::encode(&cursor);
    }
}
