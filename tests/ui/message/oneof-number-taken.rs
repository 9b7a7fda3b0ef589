use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Cursor {
    #[wire(1)]
    At(u64),
    #[wire(2)]
    Named(String),
}

#[derive(LoopMessage)]
struct Query {
    #[wire(oneof)]
    cursor: Option<Cursor>,
    #[wire(2)]
    limit: u32,
}

fn main() {
    for cursor in [None, Some(Cursor::At(1)), Some(Cursor::Named(String::new()))] {
        loop_runtime::wire::encode(&Query { cursor, limit: 1 });
    }
}
