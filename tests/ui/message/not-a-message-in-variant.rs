use loop_runtime::LoopMessage;

struct Job;

#[derive(LoopMessage)]
enum Work {
    #[wire(1)]
    Nothing,
    #[wire(2)]
    Job(Job),
}

fn main() {
    for work in [Work::Nothing, Work::Job(Job)] {
        loop_runtime::wire::encode(&work);
    }
}
