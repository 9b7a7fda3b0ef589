//! Generates messages, clients and servers from the schema only: nothing in them comes from our traits.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let roots = [top.join("proto"), top.join("loop-runtime/proto")];
    for root in &roots {
        println!("cargo::rerun-if-changed={}", root.display());
    }
    let files = ["loop.proto", "codec.proto", "plugin.proto", "grpc/health/v1/health.proto"];
    let descriptors = protox::compile(files, roots)?;
    tonic_prost_build::configure().include_file("all.rs").compile_fds(descriptors)?;
    Ok(())
}
