use std::fmt;
use std::time::Instant;

use loop_runtime::{Error, LoopError};

#[derive(Debug, LoopError)]
#[message(package = "acme.ledger.v1")]
enum SubmitError {
    #[wire(1)]
    Late(Instant),
    #[wire(1, code = NotFoud)]
    Missing {
        #[wire(1)]
        since: Instant,
    },
    #[wire(transport)]
    Boundary(Error),
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not submitted")
    }
}

fn main() {}
