use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    hash: Vec<u8>,
    #[wire(2)]
    parent: Option<Box<Head>>,
    height: u64,
}

fn main() {
    let head = Head { hash: Vec::new(), parent: None, height: 7 };
    loop_runtime::wire::encode(&head);
}
