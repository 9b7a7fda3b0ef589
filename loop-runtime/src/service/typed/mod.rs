//! What generated code touches: arguments, replies and components by their types.

mod answer;
mod call;
mod component;
mod emitted;
mod incoming;
mod parameter;
mod reply;
mod streamed;

pub use component::Component;
pub use emitted::{Answers, AnswersWhole, Argument, Refused};
pub use incoming::Incoming;
pub use parameter::Parameter;
pub use reply::{Outcome, Reply, ReplyPart, WholeOutcome, WholeReply};
pub use streamed::StreamItem;
