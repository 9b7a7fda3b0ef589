//! Observations that a hostile oracle might send: `fuzz/corpus/observation`, and what a fuzzer would try first.

use std::path::Path;

use proptest::prelude::*;

use crate::checks::check;
use crate::numerical::observation::{Observation, parse};

#[test]
fn the_corpus_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/observation");
    let inputs: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(inputs.len() > 10, "{} inputs", inputs.len());
    inputs.iter().for_each(|input| check(&std::fs::read(input).unwrap()));
}

/// Groups within groups are skipped with a list of the open ones, which Go's limit keeps short.
#[test]
fn memory_and_depth_are_bounded() {
    let open = |depth: usize| [0x4b].repeat(depth);
    let closed = |depth: usize| [open(depth), [0x4c].repeat(depth)].concat();
    for (bytes, is_read) in [
        (closed(10_001), true),
        (closed(10_002), false),
        (closed(1_000_000), false),
        (open(1_000_000), false),
        ([&[0x12, 0xff, 0xff, 0xff, 0xff, 0x07][..], &[0; 100]].concat(), false),
        ([0x12, 0x00].repeat(500_000), true),
    ] {
        let used = allocation_counter::measure(|| {
            assert_eq!(Observation::decode(&bytes).is_ok(), is_read, "{} bytes", bytes.len());
            let _ = parse(0, &bytes);
        });
        let most = 256 * 1024 + bytes.len();
        assert!(used.bytes_max as usize <= most, "{} bytes for {}", used.bytes_max, bytes.len());
    }
}

proptest! {
    #[test]
    fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn any_fields_pass(fields in proptest::collection::vec((1..6_u8, 0..6_u8, any::<[u8; 3]>()), 0..20)) {
        let fields = fields.iter().flat_map(|(number, wire_type, rest)| {
            [&[number << 3 | wire_type][..], &rest.map(|byte| byte % 8)].concat()
        });
        check(&fields.collect::<Vec<u8>>());
    }
}
