//! What must hold of any bytes that claim to be an oracle's observation.

use crate::numerical::observation::{Observation, parse};

pub fn check(bytes: &[u8]) {
    let read = Observation::decode(bytes);
    assert_eq!(read.is_err(), matches!(parse(0, bytes), Err(why) if why.to_string().contains("unmarshaled")));
    if let Ok(read) = read {
        // What is kept was in the input, and written again it is the same.
        let again = read.encode();
        assert!(again.len() <= bytes.len(), "{} bytes of {}", again.len(), bytes.len());
        assert_eq!(Observation::decode(&again), Ok(read));
    }
}
