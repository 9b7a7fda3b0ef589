use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Page {
    #[wire(1)]
    size: Option<usize>,
}

fn main() {
    loop_runtime::wire::encode(&Page { size: None });
}
