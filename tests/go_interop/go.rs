//! The probe's part of `interop/`: its schema, the code generated from it, and the two programs.

use std::fs;

use loop_runtime::wire::Schema;

use crate::probe::{Counter, Probe};
use crate::toolchain::go::interop;
use crate::toolchain::{self, hold};

pub(crate) use crate::toolchain::{program, version};

/// The package of the probe's schema, and of the code that is made from it.
const PACKAGE: &str = "interop.probe.v1";
const GO_PACKAGE: &str = "interop/probe";

/// Builds the programs.
pub(crate) fn build() -> Result<(), String> {
    toolchain::build(&["host", "misbehave", "plugin"])
}

/// The exported schema is the committed one; `BLESS=1` updates it.
pub(crate) fn the_schema_is_current() {
    hold(&interop().join("proto").join(Schema::file_name(PACKAGE)), &schema());
}

/// The output of protoc-gen-go and protoc-gen-go-grpc for the schema is committed; `BLESS=1` updates it.
pub(crate) fn the_generated_code_is_current() {
    // From the trait, not from the committed file, so that one run blesses both.
    let file = Schema::file_name(PACKAGE);
    let sources = tempfile::tempdir().unwrap();
    let source = sources.path().join(&file);
    fs::create_dir_all(source.parent().unwrap()).unwrap();
    fs::write(&source, schema()).unwrap();
    toolchain::hold_generated(sources.path(), &[(&file, GO_PACKAGE)]);
}

fn schema() -> String {
    let schema = Schema::of::<dyn Probe>().and::<dyn Counter>();
    assert_eq!(schema.conflicts(), []);
    schema.proto(PACKAGE)
}
