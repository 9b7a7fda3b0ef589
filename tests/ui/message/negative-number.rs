use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
enum Level {
    #[wire(-1)]
    Low,
    #[wire(0)]
    Normal,
}

#[derive(LoopMessage)]
struct Alarm {
    #[wire(1)]
    level: Level,
    #[wire(-2)]
    text: String,
}

fn main() {
    loop_runtime::wire::encode(&Alarm { level: Level::Low, text: String::new() });
    let _ = Level::Normal;
}
