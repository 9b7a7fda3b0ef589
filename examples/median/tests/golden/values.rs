//! Values in CBOR, held to bytes that fxamacker/cbor 2.7.0 wrote with the options of chainlink-common.

use crate::cbor::{read_contract_state, read_observations, write_report};
use crate::checks_of_values::check;
use crate::golden::big;
use crate::numerical::ports::{ConfigDigest, ContractState, MedianReport, Time};
use num_bigint::BigInt;
use proptest::prelude::*;

/// The numbers around which the encoding changes.
const EDGES: [&str; 8] = [
    "-18446744073709551617",
    "-18446744073709551616",
    "-1",
    "0",
    "24",
    "18446744073709551615",
    "18446744073709551616",
    "3138550867693340381917894711603833208051177722232017256447",
];

const REPORT: &str = "a5694f6273657276657273582014031900000000000000000000000000000000000000000000000000000000006954696d\
    657374616d701a6553f1016c4f62736572766174696f6e7388c3490100000000000000003bffffffffffffffff200018181bffffffffffffffff\
    c249010000000000000000c258187fffffffffffffffffffffffffffffffffffffffffffffff6f4761735072696365537562756e69741901006f\
    4a75656c73506572466565436f696ec358187fffffffffffffffffffffffffffffffffffffffffffffff";

const DETAILS: &str = "a56545706f63680765526f756e64096c436f6e66696744696765737458200001020000000000000000000000000000000000\
    0000000000000000000000006c4c6174657374416e7377657238366f4c617465737454696d657374616d70781e323032332d31312d31345432\
    323a31333a32302e3030303030303030355a";

/// No answer yet, and Go's zero time.
const NO_DETAILS: &str = "a56545706f63680765526f756e64096c436f6e6669674469676573745820000000000000000000000000000000000000\
    00000000000000000000000000006c4c6174657374416e73776572f66f4c617465737454696d657374616d70f6";

#[test]
fn reports_are_written_as_by_go() {
    let mut observers = [0; 32];
    observers[..3].copy_from_slice(&[20, 3, 25]);
    let report = MedianReport {
        timestamp: 1_700_000_001,
        observers,
        observations: EDGES.iter().map(|it| big(it)).collect(),
        juels_per_fee_coin: big("-3138550867693340381917894711603833208051177722232017256448"),
        gas_price_subunit: 256.into(),
    };
    assert_eq!(write_report(&report).unwrap(), hex(REPORT));
}

#[test]
fn observations_are_read_back() {
    assert_eq!(read_observations(&hex(REPORT)).unwrap(), EDGES.map(big));
    assert_eq!(read_observations(&hex("f6")).unwrap(), Vec::<BigInt>::new());
    // A list and a map without a length, under a name in lower case.
    assert_eq!(read_observations(&hex("bf6c6f62736572766174696f6e739f0120ffff")).unwrap(), [1, -1].map(BigInt::from));
    assert_eq!(read_observations(&hex("a16c4f62736572766174696f6e7381613a")).map_err(|_| ()), Err(()));
}

#[test]
fn states_are_read_as_go_writes_them() {
    let mut bytes = [0; 32];
    bytes[1..3].copy_from_slice(&[1, 2]);
    let whole = ContractState {
        config_digest: ConfigDigest(bytes),
        epoch: 7,
        round: 9,
        latest_answer: Some((-55).into()),
        latest_timestamp: Some(Time { seconds: 1_700_000_000, nanos: 5 }),
    };
    assert_eq!(state(DETAILS), Ok(whole));
    let without = ContractState { epoch: 7, round: 9, ..ContractState::default() };
    assert_eq!(state(NO_DETAILS), Ok(without));
    assert_eq!(state("f6"), Ok(ContractState::default()));
}

#[test]
fn times_are_text_or_seconds() {
    let time = |value: &str| {
        state(&format!("a16f4c617465737454696d657374616d70{value}")).map(|it| it.latest_timestamp.map(|it| it.seconds))
    };
    assert_eq!(time("1a6553f100"), Ok(Some(1_700_000_000)));
    assert_eq!(time("c11a6553f100"), Ok(Some(1_700_000_000)));
    assert_eq!(time("74303030312d30312d30315430303a30303a30305a"), Ok(Some(Time::ZERO.seconds)));
    assert_eq!(time("613a"), Err(()));
}

/// What does not fit is refused, where Go fills up or cuts off a digest.
#[test]
fn states_that_do_not_fit_are_refused() {
    for (what, value) in [
        ("a short digest", "a16c436f6e6669674469676573744101"),
        ("a round of 256", "a165526f756e64190100"),
        ("an answer in words", "a16c4c6174657374416e73776572623535"),
        ("a value that ends early", "a26545706f636807"),
        ("a list", "80"),
        ("nothing at all", ""),
    ] {
        assert_eq!(state(value), Err(()), "{what}");
    }
    let long = format!("a16c436f6e66696744696765737458{:02x}{}", 33, "00".repeat(33));
    assert_eq!(state(&long), Err(()));
}

proptest! {
    #[test]
    fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&bytes);
    }

    #[test]
    fn hostile_values_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read_observations(&bytes);
        let _ = read_contract_state(&bytes, &mut ContractState::default());
    }
}

fn state(value: &str) -> Result<ContractState, ()> {
    let mut state = ContractState::default();
    read_contract_state(&hex(value), &mut state).map(|()| state).map_err(|_| ())
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// `fuzz/corpus/values`.
#[test]
fn the_corpus_passes() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/values");
    let inputs: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(inputs.len() > 10, "{} inputs", inputs.len());
    inputs.iter().for_each(|input| check(&std::fs::read(input).unwrap()));
}

#[test]
fn memory_is_bounded_by_the_input() {
    let named = |value: &[u8]| [b"\xa1\x6cObservations".as_slice(), value].concat();
    for bytes in [
        named(&[&[0x9b][..], &[0xff; 8], &[0x01; 100_000]].concat()),
        named(&[0x81].repeat(100_000)),
        named(&[0x9f].repeat(100_000)),
        [b"\xa1\x61a".as_slice(), &[0x81].repeat(100_000)].concat(),
        [b"\xa1\x61a".as_slice(), &[0x9f].repeat(100_000)].concat(),
        [b"\xa1\x61a".as_slice(), &[0xc2].repeat(100_000)].concat(),
        [0xbf].repeat(100_000),
    ] {
        let used = allocation_counter::measure(|| check(&bytes)).bytes_max as usize;
        // A number takes 32 bytes where one came, a list twice its values while it grows.
        let most = 128 * bytes.len();
        assert!(used <= most, "{used} bytes for {}: {:?}..", bytes.len(), &bytes[..8]);
    }
}
