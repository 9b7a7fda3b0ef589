//! Error texts with their context: whose call it was, and which setting is concerned.

use std::error::Error as StdError;
use std::fmt;

use super::{Code, Error};

/// grpc-go's words, which its users search for. This runtime says the same.
const TOO_LONG: &str = "received message larger than max";

impl Error {
    /// The answer that `plugin` gave to a call of `method`. If a message exceeded the receiver's limit, the text is
    /// completed with the call and the settings, neither of which it names.
    pub(crate) fn answered_by(self, plugin: &str, method: &str) -> Self {
        let told = self.message();
        if self.code() != Code::ResourceExhausted || !told.contains(TOO_LONG) || told.contains("\nhelp: ") {
            return self;
        }
        let text = format!(
            "{told}, in {method} of {plugin}\n\
             help: the receiver sets the limit: of replies with `Host::max_reply`; of requests with \
             `Plugin::max_request` (in Go `grpc.MaxRecvMsgSize`), or with `Host::max_request` if the plugin called the host"
        );
        self.changed(|repr| repr.message = text)
    }

    /// The same error, followed by how the process that it came from ended.
    pub(crate) fn followed_by(self, end: impl std::fmt::Display) -> Self {
        self.changed(|repr| repr.message = format!("{}; {end}", repr.message))
    }

    /// A call on a handle that was closed. `service` is empty for what belongs to no service.
    pub(crate) fn handle_closed(plugin: &str, service: &str) -> Self {
        Self::closed(format!("handle closed: {}: it was closed, or its owner was", title(plugin, service)))
    }

    /// A call that was sent and not answered; `how` is what is known of the peer's end.
    pub(crate) fn call_lost(plugin: &str, method: &str, how: Option<&str>) -> Self {
        let how = how.unwrap_or("the connection was lost");
        Self::lost(true, format!("call lost: {plugin}: {method} may have run: {how}"))
    }

    /// The same for a call of one plugin that was forwarded to another.
    pub(crate) fn passed_on_lost(plugin: &str, method: &str, how: &dyn fmt::Display) -> Self {
        Self::lost(
            true,
            format!("call lost: {plugin}: {method} may have run; it was passed on for another plugin: {how}"),
        )
    }

    /// A valid call that reached no peer.
    pub(crate) fn disconnected(plugin: &str, may_have_run: bool) -> Self {
        Self::lost(may_have_run, format!("connection lost: {plugin}"))
    }

    /// No link before the caller's deadline, or before the recovery timeout of a call without one.
    pub(crate) fn not_recovered(plugin: &str, service: &str) -> Self {
        Self::lost(false, not_recovered(plugin, service))
    }

    /// The same, where a failed attempt says why.
    pub(crate) fn not_recovered_from(self, plugin: &str, service: &str) -> Self {
        self.within(not_recovered(plugin, service))
    }

    /// The caller's deadline passed before the call was sent, or while that was prepared: `what`.
    pub(crate) fn deadline_before(plugin: &str, what: &dyn fmt::Display) -> Self {
        Self::deadline(false, format!("deadline exceeded before the call was sent: {plugin}: {what}"))
    }

    /// The caller's deadline passed after the call was sent.
    pub(crate) fn deadline_after(method: &str) -> Self {
        Self::deadline(true, format!("deadline exceeded: {method} may have run"))
    }

    /// A request that no connection can carry.
    pub(crate) fn cannot_be_sent(plugin: &str, method: &str, why: impl StdError + Send + Sync + 'static) -> Self {
        let text = format!("call cannot be sent: {plugin}: {method}: {why}");
        Self::unsent(Code::InvalidArgument, text).with_source(why)
    }

    /// A reply that cannot be decoded: the peer's fault, or a difference of versions, never the caller's. If the
    /// contract has a text of its own for it, as Go's clients have, that text is kept.
    pub(crate) fn unreadable_reply(plugin: &str, method: &str, why: Self) -> Self {
        if why.code() == Code::Unknown {
            return why;
        }
        let text = format!(
            "unreadable reply: {plugin}: {method}: {why}\n\
             help: the plugin and this program were built from different versions of the service"
        );
        Self::internal(text).with_source(why)
    }

    /// An object whose constructor is marked `#[rpc(once)]`.
    pub(crate) fn not_made_again(plugin: &str, service: &str) -> Self {
        Self::lost(
            false,
            format!(
                "object lost and not made again: {}: its constructor is marked `#[rpc(once)]`\n\
                 help: call the constructor again for a new object",
                title(plugin, service)
            ),
        )
    }

    /// An object during whose constructor the plugin ended again and again.
    pub(crate) fn quarantined(plugin: &str, service: &str) -> Self {
        Self::failed_precondition(format!(
            "object quarantined: {}: the plugin ended again and again while it was made\n\
             help: mend its constructor, then call `Supervisor::reset`",
            title(plugin, service)
        ))
    }

    /// An object whose connections end before a first answer.
    pub(crate) fn unsteady(plugin: &str, service: &str, in_a_row: u32) -> Self {
        Self::lost(
            false,
            format!(
                "connection lost before its first answer: {}: {in_a_row} times in a row; the plugin accepts connections and \
                 ends them",
                title(plugin, service)
            ),
        )
    }

    /// A service that a peer lent and that cannot be reached any more.
    pub(crate) fn withdrawn(peer: &str, service: &str, ended: bool) -> Self {
        let why = if ended {
            "the connection to the peer that lent it has ended"
        } else {
            "the peer that lent it is done with it"
        };
        Self::lost(false, format!("lent service withdrawn: {}: {why}", title(peer, service)))
    }

    /// A call through a handle whose connections ended with their runtime.
    pub(crate) fn runtime_ended(plugin: &str, service: &str) -> Self {
        Self::lost(
            false,
            format!(
                "tokio runtime ended: {}: the one in which the plugin was launched, and its connections with it\n\
                 help: launch plugins in the runtime that lives longest",
                title(plugin, service)
            ),
        )
    }
}

fn title(plugin: &str, service: &str) -> String {
    let gap = if service.is_empty() { "" } else { " " };
    format!("{plugin}{gap}{service}")
}

fn not_recovered(plugin: &str, service: &str) -> String {
    format!("not recovered before the deadline: {}", title(plugin, service))
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
