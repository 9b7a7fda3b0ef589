use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    height: u64,
    #[wire(3, skip)]
    seen: bool,
}

fn main() {
    loop_runtime::wire::encode(&Head { height: 7, seen: true });
}
