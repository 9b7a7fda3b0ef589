use std::time::Instant;

use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Job {
    #[wire(1)]
    count: usize,
    name: String,
    #[wire(3)]
    at: Instant,
    #[wire(4)]
    all: Vec<Instant>,
    #[wire(5)]
    height: u64,
}

#[derive(LoopMessage)]
enum Outcome {
    #[wire(1)]
    At(Instant),
    Height(u64),
}

#[derive(LoopMessage)]
struct Report {
    #[wire(1)]
    job: Job,
    #[wire(2, oneof)]
    outcome: Outcome,
}

fn main() {
    let job = Job { count: 1, name: String::new(), at: Instant::now(), all: Vec::new(), height: 7 };
    loop_runtime::wire::encode(&job);
}
