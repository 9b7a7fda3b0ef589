//! The services of LOOP, each declared once.
