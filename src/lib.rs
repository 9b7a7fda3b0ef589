//! The services of LOOP, each declared once.
#![forbid(unsafe_code)]
