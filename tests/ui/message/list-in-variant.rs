use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Work {
    #[wire(1)]
    Name(String),
    #[wire(2)]
    Numbers(Vec<u32>),
}

fn main() {
    for work in [Work::Name(String::new()), Work::Numbers(vec![1])] {
        loop_runtime::wire::encode(&work);
    }
}
