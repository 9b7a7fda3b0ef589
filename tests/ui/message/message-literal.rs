use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
#[message("acme.v1")]
struct Head {
    #[wire(1)]
    height: u64,
}

fn main() {
    loop_runtime::wire::encode(&Head { height: 7 });
}
