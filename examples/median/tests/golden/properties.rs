//! Nothing that comes over the network makes a decoder panic, and what was encoded comes back.

use crate::numerical::observation::{self, Observation};
use crate::numerical::offchain_config::{Alpha, OffchainConfig};
use crate::numerical::ports::{OnchainConfig, ParsedAttributedObservation};
use crate::numerical::{evm_codec, onchain_config, value};
use num_bigint::BigInt;
use proptest::prelude::*;

/// Bytes that look like protobuf often enough to get far into a decoder.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let field = (0_u8..48, prop::collection::vec(prop_oneof![Just(0), Just(24), Just(0xff), any::<u8>()], 0..30))
        .prop_map(|(tag, mut rest)| {
            rest.insert(0, tag);
            rest
        });
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(field, 0..8).prop_map(|fields| fields.concat()),
    ]
}

/// Reports, most of them damaged.
fn report() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (
        prop::collection::vec(any::<[u8; 24]>(), 1..6),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        0_usize..64,
    );
    let damaged = damaged.prop_map(|(values, changes, cut)| {
        let values: Vec<BigInt> = values.iter().map(|it| value::decode(it).unwrap()).collect();
        let mut report = evm_codec::build(&observations(&values)).unwrap();
        for (at, byte) in changes {
            let at = at.index(report.len());
            report[at] = byte;
        }
        report.truncate(report.len() - cut);
        report
    });
    prop_oneof![3 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

fn observations(values: &[BigInt]) -> Vec<ParsedAttributedObservation> {
    let observation = |(observer, value): (usize, &BigInt)| ParsedAttributedObservation {
        timestamp: 1,
        value: Some(value.clone()),
        juels_per_fee_coin: Some(1.into()),
        gas_price_subunits: None,
        observer: observer as u8,
    };
    values.iter().enumerate().map(observation).collect()
}

proptest! {
    #[test]
    fn observations_never_panic(bytes in message()) {
        let _ = observation::parse(0, &bytes);
    }

    #[test]
    fn configs_never_panic(bytes in message()) {
        let _ = OffchainConfig::decode(&bytes);
        let _ = onchain_config::decode(&bytes);
        let _ = onchain_config::decode(&[&[1], &*bytes, &[0; 48]].concat()[..49]);
    }

    #[test]
    fn reports_never_panic(bytes in report()) {
        let _ = evm_codec::median(&bytes);
    }

    #[test]
    fn values_come_back(bytes: [u8; 24]) {
        let number = value::decode(&bytes).unwrap();
        prop_assert_eq!(value::encode(&number), Ok(bytes));
        let word = value::to_word(&number);
        prop_assert_eq!(BigInt::from_signed_bytes_be(&word), number);
    }

    #[test]
    fn observations_come_back(timestamp: u32, value: [u8; 24], juels: [u8; 24], gas: Option<[u8; 24]>) {
        let message = Observation {
            timestamp,
            value: &value,
            juels_per_fee_coin: &juels,
            gas_price_subunits: gas.as_ref().map_or(&[], |it| it),
        };
        let bytes = message.encode();
        prop_assert!(bytes.len() <= observation::MAX_LENGTH);
        prop_assert_eq!(Observation::decode(&bytes).unwrap(), message);
    }

    #[test]
    fn configs_come_back(infinite: bool, ppb: u64, delta_c in 0..i64::MAX, bounds: [[u8; 24]; 2]) {
        let alpha = Alpha { infinite, ppb };
        let config = OffchainConfig { alpha_report: alpha, alpha_accept: Alpha { infinite: !infinite, ppb }, delta_c };
        prop_assert_eq!(OffchainConfig::decode(&config.encode()), Ok(config));
        let mut bounds = bounds.map(|it| value::decode(&it).unwrap());
        bounds.sort();
        let [min, max] = bounds.map(Some);
        let config = OnchainConfig { min, max };
        prop_assert_eq!(onchain_config::decode(&onchain_config::encode(&config).unwrap()), Ok(config));
    }
}
