use std::collections::HashMap;

use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Prices {
    #[wire(1)]
    by_name: HashMap<String, f64>,
    #[wire(2)]
    by_price: HashMap<f64, String>,
}

fn main() {
    loop_runtime::wire::encode(&Prices { by_name: HashMap::new(), by_price: HashMap::new() });
}
