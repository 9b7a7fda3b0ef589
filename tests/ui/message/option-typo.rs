use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
#[message(pacakge = "acme.relayer.v1")]
struct Head {
    #[wire(1, deflaut)]
    height: u64,
}

fn main() {
    loop_runtime::wire::encode(&Head { height: 7 });
}
