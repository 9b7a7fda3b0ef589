//! Documentation: comments as text for the schema, and the paragraph that the trait's own docs gain.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;

use super::model::{Method, RpcOptions, Service};

/// The doc comment as plain text, lines joined, one leading space taken off each.
pub(crate) fn docs(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let syn::Meta::NameValue(pair) = &attr.meta
            && pair.path.is_ident("doc")
            && let syn::Expr::Lit(literal) = &pair.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            let text = text.value();
            lines.extend(text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()));
            if text.is_empty() {
                lines.push(String::new());
            }
        }
    }
    lines.join("\n").trim_matches('\n').to_owned()
}

/// `#[doc]` attributes that say what a reader of the trait's docs must know of the boundary.
pub(crate) fn paragraph(service: &Service<'_>) -> TokenStream {
    let name = &service.item.ident;
    let mut text = vec![
        String::new(),
        "# Plugin service".to_owned(),
        String::new(),
        format!(
            "`{}`: calls may be answered in another process. Implement the trait with plain `async fn`s, hold it as \
             `Arc<dyn {name}>`.",
            service.full_name
        ),
    ];
    let mut say = |methods: String, one: &str| {
        if !methods.is_empty() {
            text.push(format!("* {one}: {methods}"));
        }
    };
    let with = |word: fn(&RpcOptions) -> bool| list(service.methods.iter().filter(|method| word(&method.options)));
    say(with(|options| options.idempotent.is_some()), "Repeated after a lost connection");
    say(
        with(|options| options.replay.is_some()),
        "Set-up, repeated on every object that replaces the one it was called on",
    );
    say(with(|options| options.release.is_some()), "Sent by itself when the last handle is dropped");
    say(with(|options| options.start.is_some()), "Local, called once before the object is first served");
    let accessors =
        service.accessors.iter().map(|accessor| format!("`{}`", accessor.item.sig.ident)).collect::<Vec<_>>();
    say(accessors.join(", "), "Part of this service, reached without a call");
    if service.methods.iter().any(|method| super::types::names_service(method.result)) {
        text.push(
            "* A method that returns a service may run again, with the same request, to make the service anew."
                .to_owned(),
        );
    }
    quote!(#(#[doc = #text])*)
}

fn list<'m, 'a: 'm>(methods: impl Iterator<Item = &'m Method<'a>>) -> String {
    methods.map(|method| format!("`{}`", method.ident())).collect::<Vec<_>>().join(", ")
}
