use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    hash: Option<&'static str>,
}

fn main() {
    loop_runtime::wire::encode(&Head { hash: None });
}
