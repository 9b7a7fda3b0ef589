//! What host and plugin must agree on before they speak: the magic cookie and the application protocol version.

/// Names one kind of plugin. Host and plugin binaries are built with the same value, usually one `const`.
///
/// The cookie is no secret: it keeps a person from running a plugin by hand and a host from running a wrong binary.
///
/// ```
/// use loop_runtime::Handshake;
///
/// const HANDSHAKE: Handshake = Handshake::new("KV_PLUGIN", "hello").version(1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a handshake does nothing before a host or a plugin has it"]
pub struct Handshake {
    pub(crate) cookie_key: &'static str,
    pub(crate) cookie_value: &'static str,
    pub(crate) version: u32,
    pub(crate) more_versions: &'static [u32],
}

impl Handshake {
    /// A plugin kind whose cookie is the environment variable `cookie_key` holding `cookie_value`, at application
    /// protocol version 0 (what Go uses when none is set, as every LOOP plugin does).
    pub const fn new(cookie_key: &'static str, cookie_value: &'static str) -> Self {
        Self { cookie_key, cookie_value, version: 0, more_versions: &[] }
    }

    /// The application protocol version.
    pub const fn version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// Further application protocol versions that this side also speaks. The plugin takes the highest common one.
    pub const fn also_versions(mut self, versions: &'static [u32]) -> Self {
        self.more_versions = versions;
        self
    }

    /// All versions, highest first, each once.
    pub(crate) fn all_versions(&self) -> Vec<u32> {
        let mut all = self.more_versions.to_vec();
        all.push(self.version);
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_sorted_and_unique() {
        let handshake = Handshake::new("K", "V").version(2).also_versions(&[1, 3, 2]);
        assert_eq!(handshake.all_versions(), [3, 2, 1]);
        assert_eq!(Handshake::new("K", "V").all_versions(), [0]);
    }
}
