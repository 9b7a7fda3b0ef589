use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    height: u64,
}

#[derive(LoopMessage)]
struct Reply {
    #[wire(1, default)]
    head: Head,
}

fn main() {
    loop_runtime::wire::encode(&Reply { head: Head { height: 1 } });
}
