use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head {
    #[wire(tag = 1)]
    height: u64,
    #[wire(number = 2, text = "invalid")]
    hash: Vec<u8>,
}

#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(2147483648)]
    Done,
}

fn main() {
    loop_runtime::wire::encode(&Head { height: 7, hash: Vec::new() });
}
