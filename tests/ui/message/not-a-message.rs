use loop_runtime::LoopMessage;

struct Job;

#[derive(LoopMessage)]
struct Config {
    #[wire(1)]
    name: String,
    #[wire(2)]
    job: Job,
}

fn main() {
    loop_runtime::wire::encode(&Config { name: String::new(), job: Job });
}
