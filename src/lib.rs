//! The services of LOOP, each declared once.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![deny(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
