//! What is built for whom: the first example builds little, and no test is left out.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// The number of crates that `cargo run --example kv` may build, its own included; the README says so.
const KV: usize = 79;

#[test]
fn the_first_example_builds_little_and_nothing_in_c() {
    // As it is called in the README: of all default members, features are united.
    let tree = ["tree", "--offline", "--no-dedupe", "--edges", "normal,build,dev", "--prefix", "depth"];
    let output = Command::new(env!("CARGO")).args(tree).current_dir(Path::new(TESTS).join("..")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let of_kv = tree.lines().skip_while(|line| !line.starts_with("0loop-services "));
    let of_kv = of_kv.enumerate().take_while(|(at, line)| *at == 0 || !line.starts_with('0'));
    let crates: BTreeSet<String> = of_kv
        .map(|(_, line)| line.trim_start_matches(|digit: char| digit.is_ascii_digit()))
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert!(crates.iter().any(|name| name.starts_with("tonic ")), "{crates:?}");
    assert!(crates.len() <= KV, "{} crates: {crates:?}", crates.len());
    let compilers = ["aws-lc-sys ", "cc ", "cmake ", "ring "];
    let compiled = crates.iter().find(|name| compilers.iter().any(|compiler| name.starts_with(compiler)));
    assert_eq!(compiled, None, "needs a C compiler");
}

#[test]
fn every_file_of_tests_is_one_of_the_manifest() {
    let manifest = std::fs::read_to_string(Path::new(TESTS).join("Cargo.toml")).unwrap();
    let declared = manifest.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"'));
    let declared: BTreeSet<String> = declared.map(str::to_owned).collect();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(TESTS).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && path.join("main.rs").exists() {
            found.insert(format!("{name}/main.rs"));
        } else if name.ends_with(".rs") {
            found.insert(name);
        }
    }
    assert_eq!(declared, found, "[[test]] in tests/Cargo.toml, and the files there are");
}
