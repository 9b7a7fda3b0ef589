//! Documentation: comments as text for the schema, and the paragraph that is added to the trait's own docs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;

use super::model::{Method, RpcOptions, Service};

/// The doc comment as plain text, lines joined, one leading space removed from each. Links to Rust items become their
/// names, and code is omitted: readers of the schema have neither.
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
    let mut code = false;
    lines.retain(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    unlinked(&lines.join("\n")).trim_matches('\n').to_owned()
}

/// ``[`Head`]`` as `` `Head` ``, `[block](Head::block)` as `block`; links to URLs stay.
fn unlinked(text: &str) -> String {
    let Some((before, rest)) = text.split_once('[') else { return text.to_owned() };
    let Some((label, after)) = rest.split_once(']') else { return text.to_owned() };
    let linked = after.strip_prefix('(').and_then(|after| after.split_once(')'));
    match linked {
        Some((target, after)) if !target.contains("://") => format!("{before}{label}{}", unlinked(after)),
        None if label.len() > 1 && label.starts_with('`') && label.ends_with('`') => {
            format!("{before}{label}{}", unlinked(after))
        }
        _ => format!("{before}[{}", unlinked(rest)),
    }
}

/// `#[doc]` attributes with what a reader of the trait's docs must know about the boundary.
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
    let any_once = service.methods.iter().any(|method| method.options.once.is_some());
    say(with(|options| options.once.is_some()), "The service that it returns is not made anew when it is lost");
    let repeated = |method: &Method<'_>| method.options.once.is_none() && super::types::names_service(method.result);
    if service.methods.iter().any(repeated) {
        let which = if any_once { "Any other" } else { "A" };
        text.push(format!(
            "* {which} method that returns a service may run again, with the same request, to make the service anew."
        ));
    }
    quote!(#(#[doc = #text])*)
}

fn list<'m, 'a: 'm>(methods: impl Iterator<Item = &'m Method<'a>>) -> String {
    let mut names: Vec<_> = methods.map(|method| format!("`{}`", method.ident())).collect();
    // Versions of one method under different `#[cfg]`s.
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn the_schema_shows_neither_links_nor_code() {
        let attrs: [Attribute; 7] = [
            parse_quote!(#[doc = " A [`Head`], as [a block](Head::block) of [`u8; 32`](Self::x)."]),
            parse_quote!(#[doc = " Of [this](https://example.com/a), a[0] and `[u8]`."]),
            parse_quote!(#[doc = ""]),
            parse_quote!(#[doc = " ```"]),
            parse_quote!(#[doc = " let head = Head::default();"]),
            parse_quote!(#[doc = " ```"]),
            parse_quote!(#[doc = " An open [ and `x`."]),
        ];
        let expected = "A `Head`, as a block of `u8; 32`.\nOf [this](https://example.com/a), a[0] and `[u8]`.\n\n\
                        An open [ and `x`.";
        assert_eq!(docs(&attrs), expected);
    }
}
