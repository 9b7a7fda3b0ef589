use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Cursor {
    #[wire(1)]
    at: u64,
}

#[derive(LoopMessage)]
struct Query {
    #[wire(oneof)]
    cursor: Option<Cursor>,
}

fn main() {
    loop_runtime::wire::encode(&Query { cursor: None });
}
