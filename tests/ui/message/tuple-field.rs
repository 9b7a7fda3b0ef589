use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Path {
    #[wire(1)]
    points: Vec<(u32, u32)>,
}

fn main() {
    loop_runtime::wire::encode(&Path { points: vec![(1, 2)] });
}
