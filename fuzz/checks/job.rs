//! What must hold of any bytes that claim to be a job file.

use std::path::Path;

use crate::job;

/// What every price file holds, as CSV and as a line of JSON at once.
const PRICES: &str = "{\"price\": 1.5},price\n2,3\n";

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match job::parse(Path::new("job.toml"), text, &|_| Ok(PRICES.to_owned())) {
        Ok(job) => assert!(!job.prices.is_empty() && job.min <= job.max && job.max.bits() < 192),
        Err(why) => {
            // It names a line that is there, and says what to do.
            let said = why.to_string();
            assert!(said.contains("\n  help: "), "{said}");
            let line = said.strip_prefix("job.toml:").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
            assert!(line.is_none_or(|line| (1..=1 + text.matches('\n').count()).contains(&line)), "{said}");
        }
    }
}
