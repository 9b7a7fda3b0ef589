//! The impls. A type of the user's is named only as `<Ty as Trait>::item`, from the user's own tokens: then a type that
//! cannot cross is reported once, under that type.

mod enumeration;
mod newtype;
mod oneof;
mod structure;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::model::{Kind, Message};

/// Emits everything for one type.
pub(super) fn emit(message: &Message<'_>) -> TokenStream {
    let impls = match &message.kind {
        Kind::Struct(fields) => structure::structure(message, fields),
        Kind::Newtype { inner, text } => newtype::newtype(message, inner, text.as_deref()),
        Kind::Enum(of) => enumeration::enumeration(message, of),
        Kind::Oneof(of) => oneof::oneof(message, of),
    };
    // The block keeps the helpers out of the user's names.
    quote!(const _: () = { #impls };)
}

/// `FieldSpec::new(..)` with its text.
fn spec(runtime: &TokenStream, number: u32, name: &str, text: Option<&str>) -> TokenStream {
    let text = text.map(|text| quote!(.text(#text)));
    quote!(#runtime::FieldSpec::new(#number, #name)#text)
}

/// `reserve(..)` calls on a shape.
fn reserved(message: &Message<'_>) -> TokenStream {
    message
        .reserved
        .iter()
        .map(|range| (range.first, range.last))
        .map(|(a, b)| quote!(shape.reserve(#a..=#b);))
        .collect()
}

/// The path of a variant.
fn variant(ident: &Ident) -> TokenStream {
    quote!(Self::#ident)
}
