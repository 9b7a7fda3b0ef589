//! Go's part: is it here, is its generated code current, and its programs built.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use loop_runtime::__private::Service;
use loop_runtime::wire::Schema;
use prost::Message as _;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};

use crate::probe::{Counter, Probe};

/// The package of the probe's schema, and of the code that is made from it.
const PACKAGE: &str = "interop.probe.v1";
const GO_PACKAGE: &str = "interop/probe";

/// The version of Go on this machine.
pub(crate) fn version() -> Result<String, String> {
    let output = go(&["version"]).output().map_err(|why| format!("go does not run: {why}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A program of `interop/`, in cargo's directory for what tests make.
pub(crate) fn program(name: &str) -> PathBuf {
    built().join(name)
}

/// Builds the programs of `interop/`.
pub(crate) fn build() -> Result<(), String> {
    fs::create_dir_all(built()).map_err(|why| why.to_string())?;
    let mut out = built().into_os_string();
    out.push("/");
    let output = go(&["build", "-o"])
        .arg(out)
        .args(["./host", "./misbehave", "./plugin"])
        .output()
        .map_err(|why| why.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// The exported schema is the committed one; `BLESS=1` commits it.
pub(crate) fn the_schema_is_current() {
    hold(&interop().join("proto").join(Schema::file_name(PACKAGE)), &schema());
}

/// What protoc-gen-go and protoc-gen-go-grpc make of the schema is what is committed; `BLESS=1` commits it.
pub(crate) fn the_generated_code_is_current() {
    let request = request();
    for plugin in ["protoc-gen-go", "protoc-gen-go-grpc"] {
        let mut child = go(&["tool", plugin]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&request).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{plugin}: {}", output.status);
        let response = CodeGeneratorResponse::decode(&*output.stdout).unwrap();
        assert_eq!(response.error, None, "{plugin}");
        assert_eq!(response.file.len(), 1, "{plugin}");
        for file in response.file {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file.name());
            hold(&path, file.content());
        }
    }
}

/// What protoc would send to its plugins.
fn request() -> Vec<u8> {
    let file = Schema::file_name(PACKAGE);
    let sources = tempfile::tempdir().unwrap();
    let source = sources.path().join(&file);
    fs::create_dir_all(source.parent().unwrap()).unwrap();
    fs::write(&source, schema()).unwrap();
    let mut compiler = protox::Compiler::new([sources.path()]).unwrap();
    compiler.include_source_info(true).include_imports(true).open_file(&file).unwrap();
    let request = CodeGeneratorRequest {
        file_to_generate: vec![file.clone()],
        parameter: Some(format!("paths=import,M{file}={GO_PACKAGE}")),
        proto_file: compiler.file_descriptor_set().file,
        compiler_version: None,
    };
    request.encode_to_vec()
}

fn schema() -> String {
    let mut schema = Schema::new();
    <dyn Probe as Service>::schema(&mut schema);
    <dyn Counter as Service>::schema(&mut schema);
    assert_eq!(schema.conflicts(), []);
    schema.proto(PACKAGE)
}

fn hold(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is not what the trait gives; run with BLESS=1", path.display());
}

fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

fn built() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop")
}

fn go(args: &[&str]) -> Command {
    let mut command = Command::new("go");
    command.args(args).current_dir(interop()).env("CGO_ENABLED", "0");
    command
}
