//! What may be an argument or part of a result: data, a service, a service that may be missing, several services.
//!
//! Types decide. The macro writes the same call for every argument; which of the four impls below it reaches depends
//! on the type alone, so aliases and re-exports work.

use std::borrow::Borrow;
use std::sync::Arc;

use super::incoming::Incoming;
use crate::error::Result;
use crate::service::serve::{Service, export};
use crate::service::session::Outgoing;
use crate::wire::{FieldSpec, FieldType, LoopMessage, Schema};

/// An argument of a service method, or one part of its result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross the plugin boundary",
    label = "neither a message nor a service",
    note = "derive it: `#[derive(LoopMessage)]`; to pass a service, take `Arc<dyn Trait>` of a `#[loop_service]` trait",
    note = "a type of another crate travels in a message, as a field with `#[wire(N, with = module)]`"
)]
pub trait Parameter {
    /// What the serving side holds while its implementation borrows from it.
    type Owned: Borrow<Self> + Send + 'static;
    /// Whether it carries a service.
    const CARRIES: bool;
    /// Whether it is a stream.
    const STREAMS: bool = false;
    /// Writes it as the field `spec`, or lends the service under that field's number.
    fn put(&self, spec: &FieldSpec, out: &mut Outgoing);
    /// [`put`](Self::put) for an argument that is handed over.
    fn give(self, spec: &FieldSpec, out: &mut Outgoing)
    where
        Self: Sized,
    {
        self.put(spec, out);
    }
    /// Reads the field, or connects to the service whose id it carries.
    ///
    /// # Errors
    ///
    /// In a request, what [`FieldSpec`] says for a refused value, and an internal error for bytes that are not protobuf. In a
    /// reply, an internal error without such a text.
    fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<Self::Owned>;
    /// How the schema shows it.
    fn field_type(schema: &mut Schema) -> FieldType;
}

impl<T: LoopMessage + ?Sized> Parameter for T
where
    T::Owned: Send + 'static,
{
    type Owned = T::Owned;
    const CARRIES: bool = false;

    fn put(&self, spec: &FieldSpec, out: &mut Outgoing) {
        out.data(self, spec);
    }

    fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<Self::Owned> {
        from.data(spec)
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        <T as LoopMessage>::field_type(schema)
    }
}

/// A lent service travels as its broker id; what is served there is a part of the
/// schema too.
fn id_field<S: Service + ?Sized>(schema: &mut Schema) -> FieldType {
    S::schema(schema);
    <u32 as LoopMessage>::field_type(schema)
}

impl<S: Service + ?Sized> Parameter for Arc<S> {
    type Owned = Self;
    const CARRIES: bool = true;

    fn put(&self, spec: &FieldSpec, out: &mut Outgoing) {
        out.export(spec.number, export(self));
    }

    fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<Self> {
        let id = from.data::<u32>(spec)?;
        from.connect::<S>(spec, id)
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        id_field::<S>(schema)
    }
}

impl<S: Service + ?Sized> Parameter for Option<Arc<S>> {
    type Owned = Self;
    const CARRIES: bool = true;

    fn put(&self, spec: &FieldSpec, out: &mut Outgoing) {
        if let Some(service) = self {
            service.put(spec, out);
        }
    }

    fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<Self> {
        match from.data::<u32>(spec)? {
            0 => Ok(None),
            id => from.connect::<S>(spec, id).map(Some),
        }
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        id_field::<S>(schema)
    }
}

impl<S: Service + ?Sized> Parameter for Vec<Arc<S>> {
    type Owned = Self;
    const CARRIES: bool = true;

    fn put(&self, spec: &FieldSpec, out: &mut Outgoing) {
        for service in self {
            service.put(spec, out);
        }
    }

    fn take(spec: &FieldSpec, from: &mut Incoming) -> Result<Self> {
        let ids = from.data::<Vec<u32>>(spec)?;
        ids.into_iter().map(|id| from.connect::<S>(spec, id)).collect()
    }

    fn field_type(schema: &mut Schema) -> FieldType {
        S::schema(schema);
        <Vec<u32> as LoopMessage>::field_type(schema)
    }
}
