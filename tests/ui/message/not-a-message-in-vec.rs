use loop_runtime::LoopMessage;

struct Job;

#[derive(LoopMessage)]
struct Config {
    #[wire(1)]
    jobs: Vec<Job>,
}

fn main() {
    loop_runtime::wire::encode(&Config { jobs: vec![Job] });
}
