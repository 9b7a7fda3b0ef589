//! The Go code of LOOP's messages and services, generated from the schemas that the traits export.

use crate::toolchain;

/// The schemas in `proto/`, which `tests/contract` checks against the traits, and the Go packages of their code.
const FILES: &[(&str, &str)] = &[
    ("codec.proto", "interop/pb/codec"),
    ("loop.proto", "interop/pb/loop"),
    ("loop/evm.proto", "interop/pb/evm"),
    ("loop/chain/common.proto", "interop/pb/chain"),
];

/// `BLESS=1` updates it.
pub(crate) fn is_current() {
    toolchain::hold_generated(&toolchain::go::repository().join("proto"), FILES);
}
