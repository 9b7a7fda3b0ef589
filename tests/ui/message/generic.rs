use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Page<T> {
    #[wire(1)]
    item: T,
}

fn main() {
    loop_runtime::wire::encode(&Page { item: 7_u64 });
}
