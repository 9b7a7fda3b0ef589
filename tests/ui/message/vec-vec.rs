use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Matrix {
    /// A list of byte strings is no list of lists.
    #[wire(1)]
    names: Vec<Vec<u8>>,
    #[wire(2)]
    rows: Vec<Vec<u32>>,
}

fn main() {
    loop_runtime::wire::encode(&Matrix { names: Vec::new(), rows: Vec::new() });
}
