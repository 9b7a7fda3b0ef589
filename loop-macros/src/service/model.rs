//! The model of a trait. Borrows from syn; nothing is decided about types here.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, ItemTrait, LitStr, Path, TraitItemFn, Type};

use crate::attr::Number;

/// Attributes of other crates for the same purpose; both at once give incomprehensible errors.
pub(super) const REPLACED: &[&str] = &["async_trait", "trait_variant", "dynosaur", "automock"];

/// One service: a trait, its name in the contract and its parts.
pub(crate) struct Service<'a> {
    pub(crate) item: &'a ItemTrait,
    /// `package.Name`.
    pub(crate) full_name: String,
    /// Where generated code finds the runtime: `::loop_runtime::__private`.
    pub(crate) runtime: TokenStream,
    /// Supertraits, without the marker traits.
    pub(crate) parents: Vec<&'a Path>,
    pub(crate) methods: Vec<Method<'a>>,
    pub(crate) accessors: Vec<Accessor<'a>>,
}

/// An `async fn`.
pub(crate) struct Method<'a> {
    /// Its index among the methods.
    pub(crate) index: usize,
    pub(crate) item: &'a TraitItemFn,
    /// The name in the contract.
    pub(crate) rpc: Name,
    pub(crate) options: RpcOptions,
    pub(crate) arguments: Vec<Argument<'a>>,
    /// The declared result, `Result<T, E>` or an alias of it.
    pub(crate) result: &'a Type,
}

/// A name in the contract and what to underline if it is invalid.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: TokenStream,
}

/// `#[rpc(..)]`. Flags hold the word itself, for its span.
#[derive(Default)]
pub(crate) struct RpcOptions {
    pub(crate) idempotent: Option<Ident>,
    pub(crate) release: Option<Ident>,
    pub(crate) replay: Option<Ident>,
    pub(crate) singleton: Option<Ident>,
    /// A constructor whose object is not recreated when it is lost.
    pub(crate) once: Option<Ident>,
    /// A stream in the result goes on after a loss.
    pub(crate) resubscribe: Option<Ident>,
    /// The message is itself the reply.
    pub(crate) whole: Option<Ident>,
    /// A local hook: called before the object is first served, never over the wire.
    pub(crate) start: Option<Ident>,
    pub(crate) name: Option<LitStr>,
    pub(crate) request: Option<LitStr>,
    pub(crate) reply: Option<LitStr>,
    /// `returns(..)`: the word, and the fields of the reply in order.
    pub(crate) returns: Option<(Ident, Vec<ReplyField>)>,
}

/// `name = number` in `returns(..)`.
pub(crate) struct ReplyField {
    pub(crate) name: Ident,
    pub(crate) number: Number,
}

/// One argument of a method.
pub(crate) struct Argument<'a> {
    pub(crate) ident: &'a Ident,
    /// As declared.
    pub(crate) declared: &'a Type,
    /// Without one leading `&`: the type that decides what the argument is.
    pub(crate) part: &'a Type,
    pub(crate) wire: WireOptions,
}

/// `#[wire(..)]` of an argument.
#[derive(Default)]
pub(crate) struct WireOptions {
    pub(crate) number: Option<Number>,
    pub(crate) name: Option<LitStr>,
    pub(crate) text: Option<LitStr>,
    pub(crate) dial: Option<LitStr>,
}

/// A synchronous method that names a component on the same connection.
pub(crate) struct Accessor<'a> {
    pub(crate) item: &'a TraitItemFn,
    /// `Arc<dyn S>`, `Option<Arc<dyn S>>` or an alias.
    pub(crate) component: &'a Type,
}

impl Service<'_> {
    pub(crate) fn ident(&self) -> &Ident {
        &self.item.ident
    }

    /// The lints that the user allows on the trait or on a part of it, and what a deprecated part needs, which is still
    /// implemented.
    pub(crate) fn lints(&self) -> TokenStream {
        let items = self.item.items.iter().filter_map(|item| match item {
            syn::TraitItem::Fn(function) => Some(function),
            _ => None,
        });
        let inputs = items.clone().flat_map(|function| &function.sig.inputs).flat_map(|input| match input {
            syn::FnArg::Typed(input) => &input.attrs[..],
            syn::FnArg::Receiver(_) => &[],
        });
        let attrs = self.item.attrs.iter().chain(items.flat_map(|function| &function.attrs)).chain(inputs);
        let deprecated = attrs.clone().any(|attr| attr.path().is_ident("deprecated"));
        let (allowed, deprecated) = (lints(attrs), deprecated.then(|| quote!(#[allow(deprecated)])));
        quote!(#allowed #deprecated)
    }
}

impl<'a> Method<'a> {
    pub(crate) fn ident(&self) -> &'a Ident {
        &self.item.sig.ident
    }

    /// The arguments with their numbers: given, or by position.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, &Argument<'a>)> {
        (1..)
            .zip(&self.arguments)
            .map(|(position, argument)| (argument.wire.number.as_ref().map_or(position, |n| n.value), argument))
    }
}

impl Argument<'_> {
    /// The name in generated code, where no lint checks it again.
    pub(crate) fn bound(&self) -> Ident {
        let mut ident = self.ident.clone();
        ident.set_span(Span::mixed_site().located_at(ident.span()));
        ident
    }

    /// The field name in the request message.
    pub(crate) fn field(&self) -> String {
        self.wire.name.as_ref().map_or_else(|| crate::case::plain(self.ident), LitStr::value)
    }

    pub(crate) fn borrowed(&self) -> bool {
        !std::ptr::eq(self.declared, self.part)
    }
}

/// The `#[cfg]`s of an item: an attribute macro sees them unexpanded, so every generated item repeats them.
pub(crate) fn cfgs(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> + Clone {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
}

/// The lints that the user allows on an item, for the code generated from it; an `expect` is fulfilled where the user
/// wrote it. Nothing else is allowed unless necessary, since a crate may forbid a lint.
pub(crate) fn lints<'a>(attrs: impl IntoIterator<Item = &'a Attribute>) -> TokenStream {
    let allowed = attrs.into_iter().filter(|attr| attr.path().is_ident("allow") || attr.path().is_ident("expect"));
    allowed
        .filter_map(|attr| match &attr.meta {
            syn::Meta::List(list) => Some(&list.tokens),
            _ => None,
        })
        .map(|tokens| quote!(#[allow(#tokens)]))
        .collect()
}

/// Is it one of the attributes that the macro reads?
pub(crate) fn is_option(attr: &Attribute) -> bool {
    attr.path().is_ident("rpc") || attr.path().is_ident("wire")
}

/// Is it one of the attributes that the macro removes: one that it reads, or one that was meant to be?
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    is_option(attr) || is_qualified(attr)
}

/// Is it an option given by a path, as `#[loop_runtime::rpc(..)]`? No such attribute exists: only bare names are read.
pub(crate) fn is_qualified(attr: &Attribute) -> bool {
    let segments = &attr.path().segments;
    let ends = |names: &[&str]| segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name));
    segments.len() > 1 && segments.first().is_some_and(|first| first.ident == "loop_runtime") && ends(&["rpc", "wire"])
}

/// Is it an attribute that was reported, and whose own errors would only hide that?
pub(crate) fn is_refused(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|last| last.ident == "loop_service" || REPLACED.iter().any(|name| last.ident == name))
}
