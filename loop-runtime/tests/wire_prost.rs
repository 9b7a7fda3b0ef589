//! The wire against prost: the same bytes, the same values, the same refusals.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod wire;

use bytes::Bytes;
use loop_runtime::wire::{decode, encode};
use proptest::prelude::*;
use prost::Message as _;

use wire::{Everything, Ours, peer, strategy};

/// Both decoders on the same bytes: they agree on what is protobuf, and on the value if it fits our type.
fn agree(body: Vec<u8>) -> Result<(), TestCaseError> {
    let body = Bytes::from(body);
    let (theirs, ours) = (peer::Everything::decode(body.clone()), decode::<Everything>(&body));
    match (theirs, ours) {
        (Err(_), Err(error)) => prop_assert!(error.is_malformed() || !error.path().is_empty(), "{error}"),
        (Ok(theirs), Ok(ours)) => prop_assert_eq!(theirs.ours().map(comparable), Some(comparable(ours))),
        (Ok(theirs), Err(error)) => {
            prop_assert!(!error.is_malformed(), "ours: {}", error);
            prop_assert!(theirs.ours().is_none(), "ours: {}", error);
        }
        (Err(error), Ok(_)) => prop_assert!(false, "theirs: {error}"),
    }
    Ok(())
}

/// NaN is not equal to itself: the `Debug` output is compared.
fn comparable(value: Everything) -> String {
    let by_name: std::collections::BTreeMap<_, _> = value.by_name.clone().into_iter().collect();
    format!("{:?}{by_name:?}", Everything { by_name: Default::default(), ..value })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reads_what_prost_writes(theirs in strategy::everything()) {
        let ours: Everything = decode(&theirs.encode_to_vec().into()).unwrap();
        prop_assert_eq!(Some(ours), theirs.ours());
    }

    #[test]
    fn prost_reads_what_is_written(theirs in strategy::everything()) {
        let ours = theirs.ours().unwrap();
        let mut read = peer::Everything::decode(encode(&ours).unwrap()).unwrap();
        prop_assert_eq!(read.ours(), Some(ours));
        // Written though prost omitted them: what ours always has, and `null`, which prost can also omit.
        read.lenient = theirs.lenient.clone().or(read.lenient.filter(|inner| *inner != peer::Inner::default()));
        read.four = theirs.four.clone().or(read.four.filter(|four| four != &[0; 4]));
        prop_assert_eq!(read, theirs);
    }

    /// Byte for byte, where protobuf leaves no choice: prost omits the defaults within map entries, where Go and we
    /// write them, and loses the sign of a zero.
    #[test]
    fn the_bytes_are_prosts(theirs in strategy::everything()) {
        let mut theirs = theirs;
        theirs.by_name.clear();
        theirs.by_number.clear();
        theirs.by_flag.clear();
        theirs.colors.clear();
        theirs.args = None;
        theirs.f32 += 0.0;
        theirs.f64 += 0.0;
        theirs.lenient.get_or_insert_default();
        theirs.four.get_or_insert(vec![0; 4]);
        prop_assert_eq!(encode(&theirs.ours().unwrap()).unwrap(), theirs.encode_to_vec());
    }

    #[test]
    fn messages_in_a_row_merge(first in strategy::everything(), second in strategy::everything()) {
        agree([first.encode_to_vec(), second.encode_to_vec()].concat())?;
    }

    #[test]
    fn changed_bytes_are_judged_alike(
        theirs in strategy::everything(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = theirs.encode_to_vec();
        for (index, byte) in changes {
            if !body.is_empty() {
                let index = index.index(body.len());
                body[index] = byte;
            }
        }
        agree(body)?;
    }

    #[test]
    fn truncated_bytes_are_judged_alike(theirs in strategy::everything(), end in any::<prop::sample::Index>()) {
        let body = theirs.encode_to_vec();
        agree(body[..end.index(body.len() + 1)].to_vec())?;
    }

    #[test]
    fn garbage_is_judged_alike(body in prop::collection::vec(any::<u8>(), 0..64)) {
        agree(body)?;
    }

    /// Bytes that look like fields, with small numbers and short lengths, so that parsing gets far.
    #[test]
    fn plausible_garbage_is_judged_alike(
        fields in prop::collection::vec((1_u32..64, 0_u8..6, prop::collection::vec(0_u8..12, 0..12)), 0..8),
    ) {
        let mut body = Vec::new();
        for (number, wire_type, content) in fields {
            prost::encoding::encode_varint(u64::from(number << 3 | u32::from(wire_type)), &mut body);
            if wire_type == 2 {
                body.push(content.len() as u8);
            }
            body.extend(content);
        }
        agree(body)?;
    }
}
