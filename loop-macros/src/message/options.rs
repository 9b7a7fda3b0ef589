//! `#[message(..)]`, and `#[wire(..)]` of fields and variants.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, LitInt, LitStr};

use super::form::{self, FormOptions};
use super::model::Reserved;
use crate::attr::{Options, split_commas};
use crate::diag::Errors;
use crate::service::options::{check_message, check_name, check_package, runtime};

const MESSAGE: &[&str] = &["package", "name", "oneof", "reserved", "text", "crate"];
const FIELD: &[&str] =
    &["name", "text", "nanos", "default", "skip", "oneof", "sint", "fixed", "wrapped", "unpacked", "key", "with"];
const VARIANT: &[&str] = &["name", "alias", "text", "unknown", "sint", "fixed", "wrapped", "with"];
const ERROR_VARIANT: &[&str] = &["name", "code", "transport"];

/// The options of `#[message(..)]`.
pub(crate) struct MessageOptions {
    pub(crate) package: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) oneof: Option<LitStr>,
    pub(crate) reserved: Option<(Ident, Vec<Reserved>)>,
    pub(crate) text: Option<LitStr>,
    pub(crate) runtime: TokenStream,
}

pub(crate) fn message(attrs: &[Attribute], errors: &mut Errors) -> MessageOptions {
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

/// The options of `#[wire(..)]` on a field. The number is still in `rest`.
pub(crate) struct FieldOptions {
    pub(crate) rest: Options,
    pub(crate) name: Option<LitStr>,
    pub(crate) text: Option<LitStr>,
    pub(crate) nanos: Option<Ident>,
    pub(crate) default: Option<Ident>,
    pub(crate) skip: Option<Ident>,
    pub(crate) oneof: Option<Ident>,
    pub(crate) form: FormOptions,
}

pub(crate) fn field(attrs: &[Attribute], errors: &mut Errors) -> FieldOptions {
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
        form: form::field(&mut rest, errors),
        rest,
    }
}

/// The options of `#[wire(..)]` on a variant. The number is still in `rest`.
pub(crate) struct VariantOptions {
    pub(crate) rest: Options,
    pub(crate) name: Option<LitStr>,
    pub(crate) text: Option<LitStr>,
    pub(crate) unknown: Option<Ident>,
    /// Further names, and the word before them.
    pub(crate) aliases: Option<(Ident, Vec<LitStr>)>,
    pub(crate) form: FormOptions,
}

pub(crate) fn variant(attrs: &[Attribute], errors: &mut Errors) -> VariantOptions {
    let mut rest = Options::gather("wire", VARIANT, attrs, errors);
    VariantOptions {
        name: variant_name(&mut rest, errors),
        text: rest.string("text", "expected uint8 F (max 255) but got {n}", errors),
        unknown: rest.flag("unknown", errors),
        aliases: rest.list("alias", "\"STATUS_STARTED\"", errors).map(|(word, list)| {
            let names = split_commas(list).iter().filter_map(|name| alias(name, errors)).collect();
            (word, names)
        }),
        form: form::variant(&mut rest, errors),
        rest,
    }
}

fn alias(tokens: &[TokenTree], errors: &mut Errors) -> Option<LitStr> {
    let tokens: TokenStream = tokens.iter().cloned().collect();
    match syn::parse2::<LitStr>(tokens.clone()) {
        Ok(name) => {
            check_name(&name, "a name on the wire", "STATUS_STARTED", errors);
            Some(name)
        }
        Err(_) => {
            errors.help(tokens, "this is not a name on the wire", "for example `alias(\"STATUS_STARTED\")`");
            None
        }
    }
}

/// What `#[wire(..)]` says about a variant of an error.
pub(crate) struct ErrorVariantOptions {
    /// The options that variants of all enums have.
    pub(crate) variant: VariantOptions,
    /// The code, not yet parsed.
    pub(crate) code: Option<(Ident, TokenStream)>,
    pub(crate) transport: Option<Ident>,
}

pub(crate) fn error_variant(attrs: &[Attribute], errors: &mut Errors) -> ErrorVariantOptions {
    let mut rest = Options::gather("wire", ERROR_VARIANT, attrs, errors);
    ErrorVariantOptions {
        code: rest.assigned("code", "NotFound", errors),
        transport: rest.flag("transport", errors),
        variant: VariantOptions {
            name: variant_name(&mut rest, errors),
            text: None,
            unknown: None,
            aliases: None,
            form: FormOptions::default(),
            rest,
        },
    }
}

fn variant_name(options: &mut Options, errors: &mut Errors) -> Option<LitStr> {
    let name = options.string("name", "NOT_FOUND", errors);
    if let Some(name) = &name {
        check_name(name, "a name on the wire", "NOT_FOUND", errors);
    }
    name
}
