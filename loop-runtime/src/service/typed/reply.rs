//! What a method may return: nothing, one part, several parts, or a message that is itself the reply.

use std::sync::Arc;

use super::incoming::Incoming;
use super::parameter::Parameter;
use crate::error::{LoopError, Result};
use crate::service::base::Names;
use crate::service::handle::ServiceInfo;
use crate::service::serve::Service;
use crate::service::session::Outgoing;
use crate::wire::{FieldSpec, FieldType, LoopMessage, Message, Schema};

/// The successful result of a service method.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a service method",
    label = "neither a message nor a service",
    note = "answer `()`, a message, `Arc<dyn Trait>` of a service, a tuple of these with one service at most, or a `Streaming` of messages"
)]
pub trait Reply: Sized + Send + 'static {
    /// Whether a service travels with it.
    const CARRIES: bool;
    /// Whether it is a stream.
    const STREAMS: bool = false;
    /// Which field is the service that a constructor returns, and its type.
    fn service() -> Option<(usize, ServiceInfo)>;
    /// Writes the fields.
    fn put(self, specs: &'static [FieldSpec], out: &mut Outgoing);
    /// Reads the fields.
    ///
    /// # Errors
    ///
    /// As [`Parameter::take`].
    fn take(specs: &'static [FieldSpec], from: &mut Incoming) -> Result<Self>;
    /// How the schema shows the fields.
    fn fields(specs: &'static [FieldSpec], schema: &mut Schema) -> Vec<(FieldSpec, FieldType)>;
}

impl Reply for () {
    const CARRIES: bool = false;

    fn service() -> Option<(usize, ServiceInfo)> {
        None
    }

    fn put(self, _: &'static [FieldSpec], _: &mut Outgoing) {}

    fn take(_: &'static [FieldSpec], from: &mut Incoming) -> Result<Self> {
        from.nothing()
    }

    fn fields(_: &'static [FieldSpec], _: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        Vec::new()
    }
}

/// One part of a reply. Not [`Parameter`] itself, because a reply carries at most one service: `Vec<Arc<dyn S>>` is no
/// part of a reply.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a service method",
    label = "neither a message nor a service",
    note = "answer `()`, a message, `Arc<dyn Trait>` of a service, a tuple of these with one service at most, or a `Streaming` of messages"
)]
pub trait ReplyPart: Parameter<Owned = Self> + Send + Sized + 'static {
    /// The service that it carries.
    fn service() -> Option<ServiceInfo>;
}

impl<T: LoopMessage<Owned = T> + Send + 'static> ReplyPart for T {
    fn service() -> Option<ServiceInfo> {
        None
    }
}

fn info<S: Service + ?Sized>(optional: bool) -> ServiceInfo {
    let mut names = Names::default();
    S::describe(&mut names);
    ServiceInfo { name: S::NAME, release: S::RELEASE, names: Arc::new(names), optional }
}

impl<S: Service + ?Sized> ReplyPart for Arc<S> {
    fn service() -> Option<ServiceInfo> {
        Some(info::<S>(false))
    }
}

impl<S: Service + ?Sized> ReplyPart for Option<Arc<S>> {
    fn service() -> Option<ServiceInfo> {
        Some(info::<S>(true))
    }
}

impl<P: ReplyPart> Reply for P {
    const CARRIES: bool = P::CARRIES;

    fn service() -> Option<(usize, ServiceInfo)> {
        Some((0, <P as ReplyPart>::service()?))
    }

    fn put(self, specs: &'static [FieldSpec], out: &mut Outgoing) {
        Parameter::put(&self, spec(specs, 0), out);
    }

    fn take(specs: &'static [FieldSpec], from: &mut Incoming) -> Result<Self> {
        <P as Parameter>::take(spec(specs, 0), from)
    }

    fn fields(specs: &'static [FieldSpec], schema: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        vec![(*spec(specs, 0), P::field_type(schema))]
    }
}

/// A reply field that the table does not name is numbered by position.
fn spec(specs: &'static [FieldSpec], at: usize) -> &'static FieldSpec {
    const BY_POSITION: [FieldSpec; 8] = [
        FieldSpec::new(1, "value1"),
        FieldSpec::new(2, "value2"),
        FieldSpec::new(3, "value3"),
        FieldSpec::new(4, "value4"),
        FieldSpec::new(5, "value5"),
        FieldSpec::new(6, "value6"),
        FieldSpec::new(7, "value7"),
        FieldSpec::new(8, "value8"),
    ];
    specs.get(at).unwrap_or(&BY_POSITION[at])
}

macro_rules! tuple_reply {
    ($($part:ident $at:tt),+) => {
        impl<$($part: ReplyPart),+> Reply for ($($part,)+) {
            const CARRIES: bool = false $(|| $part::CARRIES)+;

            fn service() -> Option<(usize, ServiceInfo)> {
                const {
                    let services = 0usize $(+ $part::CARRIES as usize)+;
                    assert!(services <= 1, "a reply hands over one service at most: give it accessors for the others");
                }
                $(if let Some(info) = <$part as ReplyPart>::service() {
                    return Some(($at, info));
                })+
                None
            }

            fn put(self, specs: &'static [FieldSpec], out: &mut Outgoing) {
                $(Parameter::put(&self.$at, spec(specs, $at), out);)+
            }

            fn take(specs: &'static [FieldSpec], from: &mut Incoming) -> Result<Self> {
                Ok(($(<$part as Parameter>::take(spec(specs, $at), from)?,)+))
            }

            fn fields(specs: &'static [FieldSpec], schema: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
                vec![$((*spec(specs, $at), $part::field_type(schema))),+]
            }
        }
    };
}

tuple_reply!(A 0, B 1);
tuple_reply!(A 0, B 1, C 2);
tuple_reply!(A 0, B 1, C 2, D 3);
tuple_reply!(A 0, B 1, C 2, D 3, E 4);
tuple_reply!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple_reply!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple_reply!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);

/// What may itself be the reply: a message, or a stream of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot itself be the reply of a method",
    label = "not a message of its own",
    note = "derive `LoopMessage` for the struct that is the reply, or remove `whole`"
)]
pub trait WholeReply: Sized + Send + 'static {
    /// Whether it is a stream.
    const STREAMS: bool = false;
    /// Writes it.
    fn put(self, out: &mut Outgoing);
    /// Reads it.
    ///
    /// # Errors
    ///
    /// As [`Parameter::take`].
    fn take(from: &mut Incoming) -> Result<Self>;
    /// How the schema shows it.
    fn message(schema: &mut Schema) -> FieldType;
}

impl<M: Message + LoopMessage> WholeReply for M {
    fn put(self, out: &mut Outgoing) {
        out.whole(&self);
    }

    fn take(from: &mut Incoming) -> Result<Self> {
        from.whole()
    }

    fn message(schema: &mut Schema) -> FieldType {
        <M as LoopMessage>::field_type(schema)
    }
}

/// A message that is itself the reply.
pub(super) struct Whole<R>(pub(super) R);

impl<R: WholeReply> Reply for Whole<R> {
    const CARRIES: bool = false;
    const STREAMS: bool = R::STREAMS;

    fn service() -> Option<(usize, ServiceInfo)> {
        None
    }

    fn put(self, _: &'static [FieldSpec], out: &mut Outgoing) {
        self.0.put(out);
    }

    fn take(_: &'static [FieldSpec], from: &mut Incoming) -> Result<Self> {
        R::take(from).map(Self)
    }

    fn fields(_: &'static [FieldSpec], _: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        Vec::new()
    }
}

/// The declared result of a method, with aliases resolved: `Result<T, E>`.
#[diagnostic::on_unimplemented(
    message = "a plugin method must return `Result<T, E>`, not `{Self}`",
    label = "expected a `Result`",
    note = "the connection can be lost during any call, so the caller must be able to receive an error"
)]
pub trait Outcome: Sized {
    /// Whether a service travels with it.
    const CARRIES: bool;
    /// Whether it is a stream.
    const STREAMS: bool;
    /// What a successful call gives.
    type Ok: Reply;
    /// What a failed one gives.
    type Err: LoopError;
    /// As a plain result.
    ///
    /// # Errors
    ///
    /// The failed call's error.
    fn split(self) -> Result<Self::Ok, Self::Err>;
    /// From a plain result.
    fn join(result: Result<Self::Ok, Self::Err>) -> Self;
}

impl<T: Reply, E: LoopError> Outcome for Result<T, E> {
    const CARRIES: bool = T::CARRIES;
    const STREAMS: bool = T::STREAMS;
    type Ok = T;
    type Err = E;

    fn split(self) -> Self {
        self
    }

    fn join(result: Self) -> Self {
        result
    }
}

/// [`Outcome`] of a method whose message is itself the reply.
#[diagnostic::on_unimplemented(
    message = "a method marked `whole` must return `Result<M, E>` of a message, not `{Self}`",
    label = "expected a `Result` of a message",
    note = "derive `LoopMessage` for the struct that is the reply, or remove `whole`"
)]
pub trait WholeOutcome: Sized {
    /// Always `false`: messages hold data.
    const CARRIES: bool;
    /// Whether it is a stream.
    const STREAMS: bool;
    /// The message, or the stream of messages.
    type Ok: WholeReply;
    /// What a failed call gives.
    type Err: LoopError;
    /// As a plain result.
    ///
    /// # Errors
    ///
    /// The failed call's error.
    fn split(self) -> Result<Self::Ok, Self::Err>;
    /// From a plain result.
    fn join(result: Result<Self::Ok, Self::Err>) -> Self;
}

impl<R: WholeReply, E: LoopError> WholeOutcome for Result<R, E> {
    const CARRIES: bool = false;
    const STREAMS: bool = R::STREAMS;
    type Ok = R;
    type Err = E;

    fn split(self) -> Self {
        self
    }

    fn join(result: Self) -> Self {
        result
    }
}
