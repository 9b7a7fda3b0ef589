//! The words that users read after a mistake, pinned with line and column.
//!
//! rustc's part of the text changes from release to release, so the cases run where `rustc` is the one that blessed
//! them, without the `rust-src` component; elsewhere one printed line says that they were skipped. With
//! `LOOP_REQUIRE_UI=1`, as in `.ci/run`, skipping fails. `TRYBUILD=overwrite` blesses.

use std::path::Path;
use std::process::Command;

/// The package in whose name the cases are compiled: the root, which depends on little, and from whose directory the paths in
/// the `.stderr` files are seen.
const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// Where trybuild reads which package that is.
const NAMED_BY: &str = "CARGO_MANIFEST_DIR";

/// The compiler whose words the `.stderr` files hold.
const BLESSED: &str = "rustc 1.95.0 ";

#[test]
fn mistakes_are_explained() {
    if let Err(why) = blessed_compiler() {
        assert!(std::env::var_os("LOOP_REQUIRE_UI").is_none_or(|value| value != "1"), "{why}");
        println!("tests/ui skipped: {why}");
        return;
    }
    let root = Path::new(PACKAGE).canonicalize().unwrap();
    if std::env::var_os(NAMED_BY).is_some_and(|dir| dir == root) {
        return trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    let status = again.args(std::env::args_os().skip(1)).env(NAMED_BY, &root).current_dir(&root).status().unwrap();
    assert!(status.success(), "the cases in tests/ui: {status}");
}

/// Whether cargo's compiler is the blessed one, and shows no source of the standard library.
fn blessed_compiler() -> Result<(), String> {
    let version = rustc(&["--version"])?;
    if !version.starts_with(BLESSED) {
        return Err(format!("the cases were blessed by {BLESSED}, this is {version}"));
    }
    let source = format!("{}/lib/rustlib/src/rust/library", rustc(&["--print", "sysroot"])?);
    if std::path::Path::new(&source).exists() {
        return Err("the cases were blessed without the rust-src component, which is installed here".to_owned());
    }
    Ok(())
}

fn rustc(args: &[&str]) -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(args).output().map_err(|why| format!("rustc did not start: {why}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
