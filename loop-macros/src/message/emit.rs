//! The impls. A user's type is named only as `<Ty as Trait>::item`, from the user's own tokens: then a type that
//! cannot cross is reported once, on that type.
//!
//! Generated code never resolves to a user's names: paths are absolute, trait items are qualified with the trait, a
//! method of a value is called by its path (a user's trait may have one of that name for all types), and generated
//! names begin with two underscores.

mod enumeration;
mod newtype;
pub(crate) mod oneof;
mod read;
mod structure;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};

use super::model::{Kind, Message, Way};

/// Emits everything for one type.
pub(super) fn emit(message: &Message<'_>, lints: &TokenStream) -> TokenStream {
    let impls = match &message.kind {
        Kind::Struct(fields) => structure::structure(message, fields),
        Kind::Newtype { inner, text } => newtype::newtype(message, inner, text.as_deref()),
        Kind::Enum(of) => enumeration::enumeration(message, of),
        Kind::Oneof(of) => oneof::oneof(message, of),
    };
    // The block keeps the helpers out of the user's names.
    quote!(#lints const _: () = { #impls };)
}

/// `<ty as runtime::way>::item`, all of it at the place of `ty`, so that rustc points there whatever part fails.
pub(crate) fn through(ty: &impl ToTokens, runtime: &TokenStream, way: &'static str, item: &str) -> TokenStream {
    through_way(ty, runtime, &Way::plain(way), item)
}

/// The same through a trait that may have an argument.
fn through_way(ty: &impl ToTokens, runtime: &TokenStream, way: &Way, item: &str) -> TokenStream {
    let spans = ty.to_token_stream().into_iter().map(|token| token.span());
    let (first, last) = spans.fold((None, None), |(first, _), span| (first.or(Some(span)), Some(span)));
    let (first, last) = (first.unwrap_or_else(Span::call_site), last.unwrap_or_else(Span::call_site));
    let (way, form, item) = (Ident::new(way.name, last), respanned(&way.argument(), last), Ident::new(item, last));
    let runtime = respanned(runtime, last);
    let open = quote_spanned!(first=> <);
    let rest = quote_spanned!(last=> as #runtime::#way #form>::#item);
    quote!(#open #ty #rest)
}

/// The same tokens at another span.
pub(crate) fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    tokens.clone().into_iter().map(|token| with_span(token, span)).collect()
}

fn with_span(mut token: TokenTree, span: Span) -> TokenTree {
    token.set_span(span);
    token
}

/// `FieldSpec::new(..)` with its text.
fn spec(runtime: &TokenStream, number: u32, name: &str, text: Option<&str>) -> TokenStream {
    let text = text.map(|text| quote!(.text(#text)));
    quote!(#runtime::FieldSpec::new(#number, #name)#text)
}

/// `reserve(..)` calls on a shape.
fn reserved(message: &Message<'_>) -> TokenStream {
    let runtime = &message.runtime;
    message
        .reserved
        .iter()
        .map(|range| (range.first, range.last))
        .map(|(a, b)| quote!(#runtime::MessageShape::reserve(&mut __shape, #a..=#b);))
        .collect()
}

/// The path of a variant.
fn variant(ident: &Ident) -> TokenStream {
    quote!(Self::#ident)
}
