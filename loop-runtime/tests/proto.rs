//! Checks the committed `src/proto/*.rs` against the `.proto` files they are generated from.

use std::{env, fs, path::Path};

const FILES: &[&str] = &[
    "plugin.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
];

/// `BLESS=1 cargo test -p loop-runtime --test proto` rewrites the committed files.
#[test]
fn generated_files_are_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().unwrap();
    let descriptors = protox::compile(FILES, [root.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".plugin")
        .codec_path("crate::proto::codec::Codec")
        .out_dir(fresh.path())
        .compile_fds(descriptors)
        .unwrap();

    let bless = env::var_os("BLESS").is_some();
    let committed = root.join("src/proto");
    let names = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    for name in names(fresh.path()) {
        let text = fs::read_to_string(fresh.path().join(&name)).unwrap();
        let path = committed.join(&name);
        if bless {
            fs::write(&path, &text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{} is not what its .proto file gives; run with BLESS=1", path.display());
    }
    assert_eq!(names(fresh.path()), names(&committed), "a generated file too few or too many");
}
