use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
union Bits {
    number: u32,
    float: f32,
}

#[derive(LoopMessage)]
struct Sound {
    #[wire(1)]
    number: u32,
}

fn main() {
    let bits = Bits { float: 1.5 };
    loop_runtime::wire::encode(&Sound { number: unsafe { bits.number } });
}
