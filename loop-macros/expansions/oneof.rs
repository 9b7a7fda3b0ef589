/// One of several values.
#[derive(LoopMessage)]
enum Value {
    #[wire(1)]
    Text(String),
    #[wire(2)]
    Pair {
        #[wire(1)]
        left: u32,
        #[wire(2)]
        right: u32,
    },
    #[wire(unknown)]
    Unset,
}
