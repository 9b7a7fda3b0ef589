use loop_runtime::LoopMessage;

struct Clock;

#[derive(LoopMessage)]
struct Head {
    #[wire(1)]
    height: u64,
    #[wire(skip)]
    clock: Clock,
}

fn main() {
    loop_runtime::wire::encode(&Head { height: 7, clock: Clock });
}
