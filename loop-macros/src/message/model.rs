//! The model of a type and its encoding. Borrows from the syntax tree.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use super::form::Form;
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
    /// After all others, as what is none of them.
    Unknown,
    /// Nowhere: `Default` fills it in.
    Skip,
}

pub(crate) struct Numbered {
    pub(crate) number: FieldNumber,
    pub(crate) text: Option<String>,
    /// A duration that is an integer of nanoseconds.
    pub(crate) nanos: bool,
    /// Absence is `Default`.
    pub(crate) default: bool,
    /// In another form than that of its type.
    pub(crate) form: Option<Form>,
    /// The variant whose field it is.
    pub(crate) of: Option<Ident>,
}

/// The trait through which a value is written and read, and its argument.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) form: Option<TokenStream>,
}

pub(crate) struct Enum<'a> {
    pub(crate) values: Vec<EnumValue<'a>>,
    /// The variant that keeps unknown numbers.
    pub(crate) unknown: Option<&'a Ident>,
}

pub(crate) struct EnumValue<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
    /// Further names of the same number.
    pub(crate) aliases: Vec<String>,
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
    /// In another form than that of its type.
    pub(crate) form: Option<Form>,
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
            FieldPlace::Oneof | FieldPlace::Unknown | FieldPlace::Skip => None,
        }
    }
}

impl Field<'_> {
    /// How the field is written and read, if it has a number.
    pub(crate) fn way(&self, runtime: &TokenStream) -> Option<Way> {
        let numbered = self.numbered()?;
        let form = numbered.form.as_ref().map(|form| form.of_field(self.ty, &numbered.marker(), runtime));
        let name = match (numbered.nanos, numbered.default, &form) {
            // Nanoseconds that did not come are none, in any case.
            (true, ..) => "InNanos",
            (_, false, None) => "Plain",
            (_, true, None) => "OrDefault",
            (_, false, Some(_)) => "Formed",
            (_, true, Some(_)) => "FormedOrDefault",
        };
        Some(Way { name, form })
    }

    /// The form that is made for this field alone.
    pub(crate) fn made(&self, runtime: &TokenStream) -> TokenStream {
        let made =
            |numbered: &Numbered| Some(numbered.form.as_ref()?.made_for_field(self.ty, &numbered.marker(), runtime));
        self.numbered().and_then(made).unwrap_or_default()
    }
}

impl Numbered {
    /// The name of a form that is made for this field alone; numbers are unique within a message.
    fn marker(&self) -> Ident {
        let number = self.number.get();
        match &self.of {
            Some(variant) => format_ident!("__with_{variant}_{number}", span = Span::mixed_site()),
            None => format_ident!("__with_{number}", span = Span::mixed_site()),
        }
    }
}

impl Case<'_> {
    /// How the one value of the variant is written and read.
    pub(crate) fn way(&self, runtime: &TokenStream) -> Way {
        match &self.form {
            Some(form) => Way { name: "Element", form: Some(form.of_case(&self.marker(), runtime)) },
            None => Way::plain("Content"),
        }
    }

    /// The form that is made for this variant alone.
    pub(crate) fn made(&self, runtime: &TokenStream) -> TokenStream {
        match (&self.form, &self.content) {
            (Some(form), Content::One(ty)) => form.made_for(ty, &self.marker(), runtime),
            _ => TokenStream::new(),
        }
    }

    fn marker(&self) -> Ident {
        format_ident!("__content_{}", self.ident, span = Span::mixed_site())
    }
}

impl Way {
    /// A trait without an argument.
    pub(crate) fn plain(name: &'static str) -> Self {
        Self { name, form: None }
    }

    /// The argument in its brackets.
    pub(crate) fn argument(&self) -> TokenStream {
        self.form.as_ref().map(|form| quote!(<#form>)).unwrap_or_default()
    }
}
