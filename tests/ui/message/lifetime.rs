use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
struct Head<'a> {
    #[wire(1)]
    hash: Vec<u8>,
    #[wire(skip)]
    note: std::marker::PhantomData<&'a str>,
}

fn main() {
    loop_runtime::wire::encode(&Head { hash: Vec::new(), note: std::marker::PhantomData });
}
