/// Numbers with names, and those without.
#[derive(LoopMessage)]
enum Status {
    #[wire(0)]
    Unspecified,
    #[wire(1)]
    Done,
    #[wire(unknown)]
    Other(i32),
}
