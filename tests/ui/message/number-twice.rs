use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head {
    #[wire(2)]
    hash: Vec<u8>,
    #[wire(2)]
    height: u64,
}

fn main() {
    loop_runtime::wire::encode(&Head { hash: Vec::new(), height: 7 });
}
