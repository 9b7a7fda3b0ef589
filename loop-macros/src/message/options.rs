//! `#[message(..)]`, and `#[wire(..)]` of fields and variants.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, LitInt, LitStr};

use super::model::Reserved;
use crate::attr::{Options, split_commas};
use crate::diag::Errors;
use crate::service::options::{check_message, check_name, check_package, runtime};

const MESSAGE: &[&str] = &["package", "name", "oneof", "reserved", "text", "crate"];
const FIELD: &[&str] = &["name", "text", "nanos", "default", "skip", "oneof"];
const VARIANT: &[&str] = &["name", "text", "unknown"];

/// What `#[message(..)]` says.
pub(super) struct MessageOptions {
    pub(super) package: Option<LitStr>,
    pub(super) name: Option<LitStr>,
    pub(super) oneof: Option<LitStr>,
    pub(super) reserved: Option<(Ident, Vec<Reserved>)>,
    pub(super) text: Option<LitStr>,
    pub(super) runtime: TokenStream,
}

pub(super) fn message(attrs: &[Attribute], errors: &mut Errors) -> MessageOptions {
    let mut options = Options::gather("message", MESSAGE, attrs, errors);
    let message = MessageOptions {
        package: options.string("package", "acme.relayer.v1", errors),
        name: options.string("name", "Head", errors),
        oneof: options.string("oneof", "kind", errors),
        reserved: options.list("reserved", "4, 7..=9", errors).map(|(word, list)| {
            let ranges = split_commas(list).iter().filter_map(|range| reserved(range, errors)).collect();
            (word, ranges)
        }),
        text: options.string("text", "invalid ConfigDigest len {n}: must be 32", errors),
        runtime: runtime(&mut options, errors),
    };
    if let Some(package) = &message.package {
        check_package(package, errors);
    }
    match (&message.package, &message.name) {
        (Some(_), Some(name)) => check_name(name, "a message name", "Head", errors),
        (None, Some(name)) => check_message(name, errors),
        (_, None) => {}
    }
    if let Some(name) = &message.oneof {
        check_name(name, "a oneof name", "kind", errors);
    }
    message
}

fn reserved(range: &[TokenTree], errors: &mut Errors) -> Option<Reserved> {
    let number = |token: &TokenTree| {
        syn::parse2::<LitInt>(token.to_token_stream()).ok().and_then(|number| number.base10_parse::<u32>().ok())
    };
    let ends = match range {
        [one] => number(one).map(|one| (one, one)),
        [first, TokenTree::Punct(_), TokenTree::Punct(_), TokenTree::Punct(equals), last]
            if equals.as_char() == '=' =>
        {
            number(first).zip(number(last)).filter(|(first, last)| first <= last)
        }
        _ => None,
    };
    if ends.is_none() {
        let at: TokenStream = range.iter().cloned().collect();
        errors.help(at, "this is not a reserved number", "for example `reserved(4, 7..=9)`");
    }
    ends.map(|(first, last)| Reserved { first, last })
}

/// What `#[wire(..)]` says about a field. The number is still among `rest`.
pub(super) struct FieldOptions {
    pub(super) rest: Options,
    pub(super) name: Option<LitStr>,
    pub(super) text: Option<LitStr>,
    pub(super) nanos: Option<Ident>,
    pub(super) default: Option<Ident>,
    pub(super) skip: Option<Ident>,
    pub(super) oneof: Option<Ident>,
}

pub(super) fn field(attrs: &[Attribute], errors: &mut Errors) -> FieldOptions {
    let mut rest = Options::gather("wire", FIELD, attrs, errors);
    let name = rest.string("name", "contract_id", errors);
    if let Some(name) = &name {
        check_name(name, "a field name", "contract_id", errors);
    }
    FieldOptions {
        name,
        text: rest.string("text", "expected uint8 F (max 255) but got {n}", errors),
        nanos: rest.flag("nanos", errors),
        default: rest.flag("default", errors),
        skip: rest.flag("skip", errors),
        oneof: rest.flag("oneof", errors),
        rest,
    }
}

/// What `#[wire(..)]` says about a variant. The number is still among `rest`.
pub(super) struct VariantOptions {
    pub(super) rest: Options,
    pub(super) name: Option<LitStr>,
    pub(super) text: Option<LitStr>,
    pub(super) unknown: Option<Ident>,
}

pub(super) fn variant(attrs: &[Attribute], errors: &mut Errors) -> VariantOptions {
    let mut rest = Options::gather("wire", VARIANT, attrs, errors);
    let name = rest.string("name", "NOT_FOUND", errors);
    if let Some(name) = &name {
        check_name(name, "a name on the wire", "NOT_FOUND", errors);
    }
    VariantOptions {
        name,
        text: rest.string("text", "expected uint8 F (max 255) but got {n}", errors),
        unknown: rest.flag("unknown", errors),
        rest,
    }
}
