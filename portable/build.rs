//! Has everything of this package built over the portable path.

fn main() {
    println!("cargo::rustc-cfg=loop_portable");
    println!("cargo::rerun-if-changed=build.rs");
}
