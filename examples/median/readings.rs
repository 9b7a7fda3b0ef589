//! Which oracle read which price from which source, for the story.

use std::sync::{Mutex, PoisonError};

use num_bigint::BigInt;

use crate::decimal;

/// What was read since the last look.
#[derive(Debug, Default)]
pub struct Readings(Mutex<Vec<Reading>>);

#[derive(Debug)]
struct Reading {
    oracle: u8,
    source: String,
    price: Option<BigInt>,
}

impl Readings {
    /// Notes that `oracle` read `price` from `source`; `None`: there was no valid price. An oracle that reads again
    /// counts once: its plugin died before it had the reply.
    pub fn note(&self, oracle: u8, source: &str, price: Option<BigInt>) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readings.retain(|reading| reading.oracle != oracle);
        readings.push(Reading { oracle, source: source.to_owned(), price });
    }

    /// All that was noted since the last call, as a list for people; oracles that read the same are told of together.
    /// `None`: nobody read anything. Prices have `decimals` decimals.
    pub fn told(&self, decimals: u32) -> Option<String> {
        let mut readings = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        readings.sort_by_key(|reading| reading.oracle);
        let mut same: Vec<(Reading, Vec<String>)> = Vec::new();
        for reading in readings {
            let oracle = reading.oracle.to_string();
            match same.iter_mut().find(|(it, _)| (&it.source, &it.price) == (&reading.source, &reading.price)) {
                Some((_, oracles)) => oracles.push(oracle),
                None => same.push((reading, vec![oracle])),
            }
        }
        let told = same.iter().map(|(reading, oracles)| {
            let price = reading.price.as_ref().map_or_else(|| "nothing".to_owned(), |it| decimal::text(it, decimals));
            let plural = if oracles.len() == 1 { "" } else { "s" };
            format!("{} {price} (oracle{plural} {})", reading.source, oracles.join(", "))
        });
        let told: Vec<String> = told.collect();
        (!told.is_empty()).then(|| told.join(", "))
    }
}
