//! Go's toolchain: whether it is installed, the code that it generates from a schema, and building `interop/`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use prost::Message as _;
use prost_types::compiler::{CodeGeneratorRequest, CodeGeneratorResponse};

pub(crate) use go::{build, program, version};

#[path = "../support/go.rs"]
pub(crate) mod go;

/// The output of protoc-gen-go and protoc-gen-go-grpc for the schemas is committed; `BLESS=1` updates it.
///
/// `files` are the schemas below `sources`, each with the Go package that its code shall be.
pub(crate) fn hold_generated(sources: &Path, files: &[(&str, &str)]) {
    let request = request(sources, files);
    let mut written = 0;
    for plugin in ["protoc-gen-go", "protoc-gen-go-grpc"] {
        let mut child = go::command(&["tool", plugin]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&request).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{plugin}: {}", output.status);
        let response = CodeGeneratorResponse::decode(&*output.stdout).unwrap();
        assert_eq!(response.error, None, "{plugin}");
        for file in response.file {
            hold(&go::repository().join(file.name()), file.content());
            written += 1;
        }
    }
    // A schema without services has one file, any other one two.
    assert!(written > files.len(), "{written} files of {} schemas", files.len());
}

/// What protoc would send to its plugins.
fn request(sources: &Path, files: &[(&str, &str)]) -> Vec<u8> {
    let mut compiler = protox::Compiler::new([sources]).unwrap();
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(files.iter().map(|(file, _)| file)).unwrap();
    let packages: Vec<String> = files.iter().map(|(file, package)| format!("M{file}={package}")).collect();
    let request = CodeGeneratorRequest {
        file_to_generate: files.iter().map(|(file, _)| (*file).to_owned()).collect(),
        parameter: Some(format!("paths=import,{}", packages.join(","))),
        proto_file: compiler.file_descriptor_set().file,
        compiler_version: None,
    };
    request.encode_to_vec()
}

/// Compares a committed file with `text`; `BLESS=1` updates it.
pub(crate) fn hold(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "{} is not what the traits give; run with BLESS=1", path.display());
}
