//! What must hold of any bytes that claim to be what a codec or a reader answers.

use crate::cbor::{read_contract_state, read_observations};
use crate::numerical::ports::ContractState;

pub fn check(bytes: &[u8]) {
    if let Ok(observations) = read_observations(bytes) {
        // Each of them took a byte at least.
        assert!(observations.len() <= bytes.len(), "{} observations in {} bytes", observations.len(), bytes.len());
    }
    let _ = read_contract_state(bytes, &mut ContractState::default());
}
