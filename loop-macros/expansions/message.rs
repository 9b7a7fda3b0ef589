/// The newest block.
#[derive(LoopMessage)]
#[message(package = "acme.relayer.v1", reserved(4, 7..=9))]
struct Head {
    #[wire(1)]
    height: u64,
    #[wire(2, text = "invalid hash len {n}: must be 32")]
    hash: [u8; 32],
    #[wire(3)]
    parent: Option<Box<Head>>,
}
