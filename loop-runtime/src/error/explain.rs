//! What an error text has to say besides: whose call it was, and which setting is about it.

use super::{Code, Error};

/// grpc-go's words, which its users search for. This runtime says the same.
const TOO_LONG: &str = "received message larger than max";

impl Error {
    /// The answer that `plugin` gave to a call of `method`. If a message was too long for one of the two, the text comes to
    /// say which call it was and which settings there are; it names neither by itself.
    pub(crate) fn answered_by(self, plugin: &str, method: &str) -> Self {
        let told = self.message();
        if self.code() != Code::ResourceExhausted || !told.contains(TOO_LONG) || told.contains("\nhelp: ") {
            return self;
        }
        let text = format!(
            "{told}, in {method} of {plugin}\n\
             help: the receiver sets the limit: of replies with `Host::max_reply`; of requests with \
             `Plugin::message_limits` (in Go `grpc.MaxRecvMsgSize`), or with `Host::max_request` if the plugin called the host"
        );
        self.changed(|repr| repr.message = text)
    }

    /// The same error, followed by how the process that it came from ended.
    pub(crate) fn followed_by(self, end: impl std::fmt::Display) -> Self {
        self.changed(|repr| repr.message = format!("{}; {end}", repr.message))
    }

    /// A call on a handle that was closed. `service` is empty for what belongs to no service.
    pub(crate) fn handle_closed(plugin: &str, service: &str) -> Self {
        let gap = if service.is_empty() { "" } else { " " };
        Self::closed(format!("handle closed: {plugin}{gap}{service}: it was closed, or its owner was"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_with_the_call_and_the_setting_once() {
        let error = Error::new(Code::ResourceExhausted, "grpc: received message larger than max (1001 vs. 1000)");
        let error = error.answered_by("kv", "/acme.Kv/Get");
        let first = "grpc: received message larger than max (1001 vs. 1000), in /acme.Kv/Get of kv";
        assert_eq!(error.message().lines().next(), Some(first));
        assert!(error.message().contains("`Host::max_reply`"), "{error}");
        assert_eq!(error.clone().answered_by("proxy", "/other").message(), error.message());
        for other in [Error::new(Code::ResourceExhausted, "quota"), Error::unknown("received message larger than max")]
        {
            assert_eq!(other.clone().answered_by("kv", "/x").message(), other.message());
        }
    }

    #[test]
    fn an_end_comes_last_because_it_has_lines_of_its_own() {
        let error = Error::lost(true, "lost during /x").followed_by("plugin exited with status 2: kv\nhelp: look");
        assert_eq!(error.message(), "lost during /x; plugin exited with status 2: kv\nhelp: look");
    }

    #[test]
    fn names_have_no_stray_blanks() {
        assert!(Error::handle_closed("kv", "").message().starts_with("handle closed: kv: it was"));
        assert!(Error::handle_closed("kv", "acme.Kv").message().starts_with("handle closed: kv acme.Kv: it was"));
    }
}
