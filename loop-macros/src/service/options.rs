//! `#[loop_service(..)]`, `#[rpc(..)]` and `#[wire(..)]` of arguments, each with its own rules.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, LitStr, Path};

use super::conditional::ungrouped;
use super::model::{Name, ReplyField, RpcOptions, WireOptions, is_qualified};
use crate::attr::{Number, Options, split_commas};
use crate::case;
use crate::diag::Errors;

const SERVICE: &[&str] = &["package", "name", "crate"];
const RPC: &[&str] = &[
    "idempotent",
    "release",
    "replay",
    "resubscribe",
    "singleton",
    "once",
    "whole",
    "start",
    "name",
    "request",
    "reply",
    "returns",
];
const WIRE: &[&str] = &["name", "text", "dial"];

/// The options of `#[loop_service(..)]` on the trait called `ident`.
pub(crate) struct ServiceOptions {
    /// `package.Name`; meaningless after an error.
    pub(crate) full_name: String,
    /// The path of the runtime's hidden module.
    pub(crate) runtime: TokenStream,
}

/// Reads the attribute on the trait itself.
pub(crate) fn service(tokens: TokenStream, ident: &Ident, errors: &mut Errors) -> ServiceOptions {
    let before = errors.len();
    let mut options = Options::parse("loop_service", SERVICE, tokens, errors);
    let well_formed = errors.len() == before;
    let package = options.string("package", "acme.relayer.v1", errors);
    if let Some(package) = &package {
        check_package(package, errors);
    } else if well_formed && errors.len() == before {
        let help = "name it once and keep it: `#[loop_service(package = \"acme.relayer.v1\")]`";
        errors.help(At(Span::call_site()), format_args!("service `{ident}` has no package"), help);
    }
    let name = options.string("name", "Relayer", errors);
    if let Some(name) = &name {
        check_name(name, "a service name", "Relayer", errors);
    }
    let runtime = runtime(&mut options, errors);
    let package = package.map(|package| package.value()).unwrap_or_default();
    let name = name.map_or_else(|| case::plain(ident), |name| name.value());
    ServiceOptions { full_name: format!("{package}.{name}"), runtime }
}

/// `crate = ::path` as the path of the hidden module.
pub(crate) fn runtime(options: &mut Options, errors: &mut Errors) -> TokenStream {
    let default = quote!(::loop_runtime::__private);
    let Some((key, tokens)) = options.assigned("crate", "::loop_runtime", errors) else {
        return default;
    };
    let Ok(path) = syn::parse::Parser::parse2(Path::parse_mod_style, tokens.clone()) else {
        let at = if tokens.is_empty() { key.into_token_stream() } else { tokens };
        errors.help(at, "`crate` is a path", "for example `crate = ::loop_runtime`");
        return default;
    };
    let starts_at_crate = path.segments.first().is_some_and(|first| first.ident == "crate");
    if path.leading_colon.is_none() && !starts_at_crate {
        let help =
            format!("write `::{0}` for a crate or `crate::{0}` for a module", tokens.to_string().replace(' ', ""));
        errors.help(&path, "`crate` must be an absolute path", help);
        return default;
    }
    quote!(#path::__private)
}

/// Reads the `#[rpc(..)]`s of one method.
pub(crate) fn rpc(attrs: &[Attribute], errors: &mut Errors) -> RpcOptions {
    let mut options = Options::gather("rpc", RPC, attrs, errors);
    let mut flag = |key| options.flag(key, errors);
    let mut rpc = RpcOptions {
        idempotent: flag("idempotent"),
        release: flag("release"),
        replay: flag("replay"),
        singleton: flag("singleton"),
        once: flag("once"),
        resubscribe: flag("resubscribe"),
        whole: flag("whole"),
        start: flag("start"),
        ..RpcOptions::default()
    };
    rpc.name = options.string("name", "LatestHead", errors);
    if let Some(name) = &rpc.name {
        check_name(name, "an rpc name", "LatestHead", errors);
    }
    rpc.request = options.string("request", "LatestHeadRequest", errors);
    rpc.reply = options.string("reply", "LatestHeadReply", errors);
    for message in [&rpc.request, &rpc.reply].into_iter().flatten() {
        check_message(message, errors);
    }
    rpc.returns = options.list("returns", "value = 1", errors).map(|(word, list)| {
        let fields = split_commas(list).iter().filter_map(|field| reply_field(field, errors)).collect();
        (word, fields)
    });
    rpc
}

/// Reports options that are given by a path.
pub(crate) fn qualified(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs.iter().filter(|attr| is_qualified(attr)) {
        let path = attr.path();
        let Some(last) = path.segments.last() else { continue };
        let help = format!("write `#[{}(..)]`", last.ident);
        errors.help(path, "options of a service have no path", help);
    }
}

fn reply_field(tokens: &[TokenTree], errors: &mut Errors) -> Option<ReplyField> {
    match ungrouped(tokens).as_slice() {
        [TokenTree::Ident(name), TokenTree::Punct(equals), TokenTree::Literal(number)] if equals.as_char() == '=' => {
            Number::read(number.clone(), errors).map(|number| ReplyField { name: name.clone(), number })
        }
        _ => {
            let at: TokenStream = tokens.iter().cloned().collect();
            errors.help(at, "this is not a field of the reply", "write `name = number`, for example `value = 1`");
            None
        }
    }
}

/// Reads the `#[wire(..)]`s of one argument.
pub(crate) fn wire(attrs: &[Attribute], errors: &mut Errors) -> WireOptions {
    let mut options = Options::gather("wire", WIRE, attrs, errors);
    let wire = WireOptions {
        number: options.number(errors),
        name: options.string("name", "contract_id", errors),
        text: options.string("text", "expected uint8 F (max 255) but got {n}", errors),
        dial: options.string("dial", "Keystore", errors),
    };
    if let Some(name) = &wire.name {
        check_name(name, "a field name", "contract_id", errors);
    }
    wire
}

/// The contract name of a method: given, or derived from the Rust name.
pub(crate) fn rpc_name(given: Option<&LitStr>, method: &Ident) -> Name {
    match given {
        Some(name) => Name { text: name.value(), at: name.to_token_stream() },
        None => Name { text: case::pascal(&case::plain(method)), at: method.to_token_stream() },
    }
}

pub(crate) fn check_package(package: &LitStr, errors: &mut Errors) {
    let text = package.value();
    if !case::is_dotted(&text) || text.contains(|c: char| c.is_ascii_uppercase()) {
        let help = "join lower-case words with single dots, as in `acme.relayer.v1`";
        errors.help(package, format_args!("`{text}` is not a protobuf package"), help);
    }
}

pub(crate) fn check_name(name: &LitStr, what: &str, example: &str, errors: &mut Errors) {
    let text = name.value();
    if !case::is_name(&text) {
        errors.help(name, format_args!("`{text}` is not {what}"), format_args!("use one word such as `{example}`"));
    }
}

pub(crate) fn check_message(message: &LitStr, errors: &mut Errors) {
    let text = message.value();
    if !case::is_dotted(&text) {
        let help = "use one word such as `LatestHeadRequest`, or a full name such as `google.protobuf.Empty`";
        errors.help(message, format_args!("`{text}` is not a message name"), help);
    }
}

/// A position without a token of its own: the attribute.
struct At(Span);

impl ToTokens for At {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend([TokenTree::Ident(Ident::new("attribute", self.0))]);
    }
}
