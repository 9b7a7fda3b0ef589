//! Job files that might break the reader: `fuzz/corpus/job`, and what a fuzzer would try first.

use std::path::Path;

use proptest::prelude::*;

use crate::checks::check;
use crate::job_files::GOOD;

#[test]
fn the_corpus_passes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/job");
    let inputs: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(inputs.len() > 10, "{} inputs", inputs.len());
    inputs.iter().for_each(|input| check(&std::fs::read(input).unwrap()));
}

#[test]
fn memory_and_depth_are_bounded() {
    let nested = |start: &str, open: &str| format!("{start}{}", open.repeat(50_000));
    for text in [
        nested("name = ", "["),
        nested("deviation_function = ", "{a="),
        nested("a", ".a"),
        nested("[a", ".a") + "]",
        nested("", "[[price]]\n"),
        nested("", "# nothing\n"),
        GOOD.replace("\"1000000\"", &format!("\"{}\"", "9".repeat(50_000))),
        GOOD.replace("\"1000000\"", &format!("\"0.{}\"", "1".repeat(50_000))),
    ] {
        let used = allocation_counter::measure(|| check(text.as_bytes())).bytes_max as usize;
        // A table of TOML takes several hundred bytes where its brackets take a few.
        let most = 1024 * 1024 + 256 * text.len();
        assert!(used <= most, "{used} bytes for {} of {:?}..", text.len(), &text[..20]);
    }
}

proptest! {
    #[test]
    fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    /// A good file, a part of which is replaced.
    #[test]
    fn any_change_passes(at in 0..GOOD.len(), length in 0..20_usize, with in "[\\[\\]{}.=\"a-z0-9\n]{0,8}") {
        let end = (at + length).min(GOOD.len());
        check(format!("{}{with}{}", &GOOD[..at], &GOOD[end..]).as_bytes());
    }
}
