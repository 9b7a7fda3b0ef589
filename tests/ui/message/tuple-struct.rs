use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Point(u32, u32);

fn main() {
    loop_runtime::wire::encode(&Point(1, 2));
}
