use loop_runtime::LoopMessage;

#[derive(LoopMessage)]
#[message(name = "Digest")]
struct ConfigDigest([u8; 32]);

#[derive(LoopMessage)]
struct Config {
    #[wire(1)]
    digest: ConfigDigest,
}

fn main() {
    loop_runtime::wire::encode(&Config { digest: ConfigDigest([0; 32]) });
}
