use std::time::Duration;

use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Config {
    #[wire(1, nanos)]
    interval: Duration,
    #[wire(2, nanos)]
    lookback: u64,
}

fn main() {
    loop_runtime::wire::encode(&Config { interval: Duration::ZERO, lookback: 1 });
}
