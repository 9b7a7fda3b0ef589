use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Sample {
    #[wire(1, sint)]
    degrees: Vec<i64>,
    #[wire(2, sint)]
    heights: Vec<u64>,
    #[wire(3, fixed)]
    name: String,
    #[wire(4, key = fixed)]
    by_name: u32,
}

fn main() {
    loop_runtime::wire::encode(&Sample { degrees: vec![-1], heights: vec![1], name: String::new(), by_name: 1 });
}
