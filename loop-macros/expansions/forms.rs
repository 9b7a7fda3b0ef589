/// Values in other forms than those of their types.
#[derive(LoopMessage)]
struct Report {
    #[wire(1, fixed)]
    id: u64,
    #[wire(2, with = as_json)]
    details: Value,
    #[wire(3, default)]
    names: Vec<String>,
    #[wire(skip)]
    cache: Cache,
}
