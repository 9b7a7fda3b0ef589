//! The magic cookie: was this process started by a host of its kind?

use std::ffi::OsStr;

use crate::handshake::Handshake;

/// Why the process must not run as a plugin. `Display` is what a person reads.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CookieError {
    #[error("misconfigured plugin: its handshake has no magic cookie (both the key and the value must be non-empty)")]
    Empty,
    #[error(
        "This program is a plugin and does nothing when it is run by hand.\n\
         The program that uses it starts it, and leaves a mark in its environment that is not there now.\n\
         Please run that program, and see its documentation for where it looks for plugins."
    )]
    ByHand,
}

/// Compares the cookie, byte for byte.
pub(crate) fn check<V: AsRef<OsStr>>(
    handshake: &Handshake,
    variable: impl FnOnce(&str) -> Option<V>,
) -> Result<(), CookieError> {
    if handshake.cookie_key.is_empty() || handshake.cookie_value.is_empty() {
        return Err(CookieError::Empty);
    }
    let held = variable(handshake.cookie_key).is_some_and(|value| value.as_ref() == handshake.cookie_value);
    if held { Ok(()) } else { Err(CookieError::ByHand) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_compared_whole() {
        let handshake = Handshake::new("KEY", "value");
        let with = |value: Option<&'static str>| {
            check(&handshake, |key| {
                assert_eq!(key, "KEY");
                value
            })
        };
        assert_eq!(with(Some("value")), Ok(()));
        for wrong in [None, Some(""), Some("valu"), Some("value "), Some("Value")] {
            assert_eq!(with(wrong), Err(CookieError::ByHand), "{wrong:?}");
        }
        assert_eq!(CookieError::ByHand.to_string().lines().count(), 3);
    }

    #[test]
    fn an_empty_cookie_is_the_authors_mistake() {
        for handshake in [Handshake::new("", "value"), Handshake::new("KEY", ""), Handshake::new("", "")] {
            assert_eq!(check(&handshake, |_| Some("")), Err(CookieError::Empty));
        }
    }
}
