use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
#[message(reserved(2..=3, 5))]
struct Head {
    #[wire(1)]
    hash: Vec<u8>,
    #[wire(3)]
    height: u64,
}

fn main() {
    loop_runtime::wire::encode(&Head { hash: Vec::new(), height: 7 });
}
