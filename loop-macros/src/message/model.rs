//! The model of a type and its encoding. Borrows from the syntax tree.

use proc_macro2::{Ident, TokenStream};
use syn::Type;

use super::number::FieldNumber;

/// A type that derives `LoopMessage`.
pub(crate) struct Message<'a> {
    pub(crate) ident: &'a Ident,
    /// The path of the runtime's module `wire`.
    pub(crate) runtime: TokenStream,
    /// With a package, or plain.
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) reserved: Vec<Reserved>,
    pub(crate) kind: Kind<'a>,
}

pub(crate) enum Kind<'a> {
    /// Fields with names.
    Struct(Vec<Field<'a>>),
    /// The inner type, with its own text for a refusal.
    Newtype { inner: &'a Type, text: Option<String> },
    /// Numbers with names.
    Enum(Enum<'a>),
    /// An enum with data.
    Oneof(Oneof<'a>),
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    /// The name in the schema.
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) place: FieldPlace,
}

/// Where a field is on the wire.
pub(crate) enum FieldPlace {
    /// Under its own number.
    Number(Numbered),
    /// As a oneof, whose cases have the numbers.
    Oneof,
    /// Not encoded: `Default` fills it in.
    Skip,
}

pub(crate) struct Numbered {
    pub(crate) number: FieldNumber,
    pub(crate) text: Option<String>,
    /// A duration that is an integer of nanoseconds.
    pub(crate) nanos: bool,
    /// Absence is `Default`.
    pub(crate) default: bool,
}

pub(crate) struct Enum<'a> {
    pub(crate) values: Vec<EnumValue<'a>>,
    /// The variant that keeps unknown numbers.
    pub(crate) unknown: Option<&'a Ident>,
}

pub(crate) struct EnumValue<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) number: FieldNumber,
}

pub(crate) struct Oneof<'a> {
    /// The name of the oneof where the enum is a message by itself.
    pub(crate) name: String,
    pub(crate) cases: Vec<Case<'a>>,
    /// The variant that stands for no case, or for an unknown one.
    pub(crate) unknown: Option<&'a Ident>,
    /// The variant that is never written.
    pub(crate) unwritten: Option<&'a Ident>,
}

pub(crate) struct Case<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) number: FieldNumber,
    pub(crate) text: Option<String>,
    pub(crate) content: Content<'a>,
}

pub(crate) enum Content<'a> {
    /// An empty message.
    Unit,
    /// Any single value.
    One(&'a Type),
    /// A message of its own, named after enum and variant.
    Fields(Vec<Field<'a>>),
}

/// Numbers that must not be used, both ends included.
pub(crate) struct Reserved {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Field<'_> {
    /// The data of a field with a number.
    pub(crate) fn numbered(&self) -> Option<&Numbered> {
        match &self.place {
            FieldPlace::Number(numbered) => Some(numbered),
            FieldPlace::Oneof | FieldPlace::Skip => None,
        }
    }
}

impl Numbered {
    /// The trait through which the field is written and read.
    pub(crate) fn way(&self) -> &'static str {
        match (self.nanos, self.default) {
            // Missing nanoseconds are zero in any case.
            (true, _) => "InNanos",
            (false, true) => "OrDefault",
            (false, false) => "Plain",
        }
    }
}
