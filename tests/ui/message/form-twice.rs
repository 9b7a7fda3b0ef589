use std::collections::BTreeMap;

use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Sample {
    #[wire(1, sint)]
    degrees: i64,
    #[wire(2, sint, fixed)]
    pressure: i64,
    #[wire(3, key = sint, unpacked)]
    by_level: BTreeMap<i64, u32>,
    #[wire(4, key = zigzag)]
    by_depth: BTreeMap<i64, u32>,
    #[wire(5, with = "module")]
    at: String,
    #[wire(skip, fixed)]
    local: u64,
}

fn main() {
    loop_runtime::wire::encode(&Sample {
        degrees: -1,
        pressure: 1,
        by_level: BTreeMap::new(),
        by_depth: BTreeMap::new(),
        at: String::new(),
        local: 0,
    });
}
