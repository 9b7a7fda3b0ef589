use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Limits {
    #[wire(1)]
    max: Vec<Option<u32>>,
}

fn main() {
    loop_runtime::wire::encode(&Limits { max: vec![None] });
}
