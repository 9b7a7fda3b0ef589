//! What generated code calls for each argument and each result.
//!
//! The calls go through inherent methods of [`Argument`] and [`Answers`], which exist for types that may cross the
//! boundary. For all other types they resolve to the methods of [`Refused`], which accept anything: such a type is
//! reported once, where the method's table requires it, instead of at every use. `Refused` is never reached at run
//! time, because the table does not compile then.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::sync::Arc;

use super::incoming::Incoming;
use super::parameter::Parameter;
use super::reply::{Outcome, Reply, Whole, WholeOutcome, WholeReply};
use crate::error::{LoopError, Result};
use crate::service::base::{BoxFuture, Method};
use crate::service::handle::Remote;
use crate::service::serve::{Answer, Call};
use crate::service::session::Outgoing;
use crate::wire::{FieldSpec, FieldType, LoopMessage, Schema};

/// An argument of type `T`.
pub struct Argument<T: ?Sized>(PhantomData<T>);

impl<T: Parameter + ?Sized> Argument<T> {
    /// Writes it, or lends it.
    pub fn put(value: &T, spec: &FieldSpec, out: &mut Outgoing) {
        value.put(spec, out);
    }

    /// [`put`](Self::put) for an argument that is handed over.
    pub fn give(value: T, spec: &FieldSpec, out: &mut Outgoing)
    where
        T: Sized,
    {
        value.give(spec, out);
    }

    /// Reads it, or connects to it.
    ///
    /// # Errors
    ///
    /// As [`Parameter::take`].
    pub fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<T::Owned> {
        T::take(spec, from)
    }

    /// Borrows it for a method that borrows.
    pub fn lend(owned: &T::Owned) -> &T {
        owned.borrow()
    }

    /// Hands it to a method that takes it.
    pub fn own(owned: T::Owned) -> T::Owned {
        owned
    }

    /// How the schema shows it.
    pub fn field_type(schema: &mut Schema) -> FieldType {
        T::field_type(schema)
    }
}

/// The result type of a method.
pub struct Answers<R>(PhantomData<R>);

impl<R: Outcome> Answers<R> {
    /// The client's half.
    ///
    /// Boxed here and not where it is called: to prove an opaque future `Send`, rustc walks through everything that it
    /// holds, and every method's future holds the runtime's whole half of a call.
    pub fn call<'a>(remote: &'a Remote, method: &'static Method, out: Outgoing) -> BoxFuture<'a, R>
    where
        R: 'static,
    {
        Box::pin(remote.call(method, out))
    }

    /// The server's half.
    pub fn serve<S, L, O>(
        call: Call,
        method: &'static Method,
        this: Arc<S>,
        args: fn(&mut Incoming) -> Result<(L, O)>,
        run: for<'a> fn(&'a S, &'a L, O) -> BoxFuture<'a, R>,
    ) -> Option<Answer>
    where
        S: Send + Sync + ?Sized + 'static,
        L: Send + Sync + 'static,
        O: Send + 'static,
        R: Send + 'static,
    {
        call.serve(method, this, args, run)
    }

    /// How the schema shows the reply's fields; the details of the method's error type are in it too.
    pub fn fields(specs: &'static [FieldSpec], schema: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        R::Err::describe(schema);
        R::Ok::fields(specs, schema)
    }
}

/// The result type of a method whose message is itself the reply.
pub struct AnswersWhole<R>(PhantomData<R>);

impl<R: WholeOutcome> AnswersWhole<R> {
    /// The client's half; boxed as that of [`Answers`].
    pub fn call<'a>(remote: &'a Remote, method: &'static Method, out: Outgoing) -> BoxFuture<'a, R>
    where
        R: 'static,
    {
        Box::pin(remote.call_whole(method, out))
    }

    /// The server's half.
    pub fn serve<S, L, O>(
        call: Call,
        method: &'static Method,
        this: Arc<S>,
        args: fn(&mut Incoming) -> Result<(L, O)>,
        run: for<'a> fn(&'a S, &'a L, O) -> BoxFuture<'a, R>,
    ) -> Option<Answer>
    where
        S: Send + Sync + ?Sized + 'static,
        L: Send + Sync + 'static,
        O: Send + 'static,
        R: Send + 'static,
    {
        call.serve_whole(method, this, args, run)
    }

    /// How the schema shows the reply.
    pub fn message(schema: &mut Schema) -> FieldType {
        <R::Ok as WholeReply>::message(schema)
    }

    /// The reply's fields are the message's own.
    pub fn fields(_: &'static [FieldSpec], schema: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        R::Err::describe(schema);
        Whole::<R::Ok>::fields(&[], schema)
    }
}

/// Uninhabited.
pub enum Never {}

/// Stands in for [`Argument`] and [`Answers`] of a type that was refused.
pub trait Refused<T: ?Sized>: Sized {
    #[doc(hidden)]
    fn put(_: &T, _: &FieldSpec, _: &mut Outgoing) {}
    #[doc(hidden)]
    fn give(_: T, _: &FieldSpec, _: &mut Outgoing)
    where
        T: Sized,
    {
    }
    #[doc(hidden)]
    fn take(_: &FieldSpec, _: &mut Incoming) -> Result<Never> {
        Err(crate::Error::internal("a type that cannot cross the boundary"))
    }
    #[doc(hidden)]
    fn lend<'a>(never: &Never) -> &'a T {
        match *never {}
    }
    #[doc(hidden)]
    fn own(never: Never) -> T
    where
        T: Sized,
    {
        match never {}
    }
    #[doc(hidden)]
    fn field_type(schema: &mut Schema) -> FieldType {
        <u32 as LoopMessage>::field_type(schema)
    }
    #[doc(hidden)]
    fn message(schema: &mut Schema) -> FieldType {
        <u32 as LoopMessage>::field_type(schema)
    }
    #[doc(hidden)]
    fn call<'a>(_: &'a Remote, _: &'static Method, _: Outgoing) -> BoxFuture<'a, T>
    where
        T: Sized + 'static,
    {
        Box::pin(std::future::pending())
    }
    #[doc(hidden)]
    fn serve<S: ?Sized, L, O>(
        _: Call,
        _: &'static Method,
        _: Arc<S>,
        _: fn(&mut Incoming) -> Result<(L, O)>,
        _: for<'a> fn(&'a S, &'a L, O) -> BoxFuture<'a, T>,
    ) -> Option<Answer>
    where
        T: Sized,
    {
        None
    }
    #[doc(hidden)]
    fn fields(_: &'static [FieldSpec], _: &mut Schema) -> Vec<(FieldSpec, FieldType)> {
        Vec::new()
    }
}

impl<T: ?Sized> Refused<T> for Argument<T> {}
impl<T> Refused<T> for Answers<T> {}
impl<T> Refused<T> for AnswersWhole<T> {}
