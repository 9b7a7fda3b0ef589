//! From the syntax tree to the model; never returns early where something can still be reported.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Data, DeriveInput, Fields, LitStr, Variant};

use super::{ErrorType, Transport};
use crate::attr::nearest;
use crate::diag::Errors;
use crate::message::model::{Kind, Message, Oneof};
use crate::message::options::{self, ErrorVariantOptions};
use crate::message::parse;

/// The codes of gRPC, as `loop_runtime::Code` has them.
pub(super) const CODES: &[&str] = &[
    "Cancelled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// The parsed type; the transport's variant may be missing.
pub(super) struct Read<'a> {
    pub(super) message: Message<'a>,
    runtime: TokenStream,
    codes: Vec<(&'a Ident, Option<Ident>)>,
    transport: Option<Transport<'a>>,
}

impl<'a> Read<'a> {
    pub(super) fn complete(self) -> Option<ErrorType<'a>> {
        let Self { message, runtime, codes, transport } = self;
        Some(ErrorType { message, runtime, codes, transport: transport? })
    }
}

/// Reads the type; `None` if it cannot be an error at all.
pub(super) fn error<'a>(item: &'a DeriveInput, errors: &mut Errors) -> Option<Read<'a>> {
    let ident = &item.ident;
    let Data::Enum(data) = &item.data else {
        let help = "make it an enum; one of its variants carries the lost connections";
        errors.help(ident, format_args!("the error `{ident}` is not an enum"), help);
        return None;
    };
    let options = options::message(&item.attrs, errors);
    parse::generics(item, "error", errors);
    if options.package.is_none() {
        let help = "errors are recognised by their full name; add `#[message(package = \"acme.relayer.v1\")]`";
        errors.help(ident, format_args!("the error `{ident}` has no package"), help);
    }
    let mut marked = None;
    let (mut cases, mut codes) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let before = errors.len();
        let options = options::error_variant(&variant.attrs, errors);
        match &options.transport {
            Some(word) if marked.is_some() => errors.push(word, "`transport` is given twice"),
            Some(_) => marked = Some((variant, options)),
            None => {
                let sound = errors.len() == before;
                codes.push((&variant.ident, options.code.and_then(|(_, tokens)| code(tokens, errors))));
                cases.push(parse::case(variant, options.variant, sound, errors));
            }
        }
    }
    if marked.is_none() {
        let help = "add the variant `#[wire(transport)] Boundary(loop_runtime::Error)`";
        errors.help(ident, format_args!("the error `{ident}` cannot carry a lost connection"), help);
    }
    let unwritten = marked.as_ref().map(|(variant, _)| &variant.ident);
    let transport = marked.and_then(|(variant, options)| transport(variant, options, errors));
    let kind = Kind::Oneof(Oneof { name: parse::oneof_name(&options), cases, unknown: None, unwritten });
    let runtime = options.runtime.clone();
    Some(Read { message: parse::of(item, options, kind, errors), runtime, codes, transport })
}

/// `#[wire(transport)] Boundary(Error)`.
fn transport<'a>(variant: &'a Variant, mut options: ErrorVariantOptions, errors: &mut Errors) -> Option<Transport<'a>> {
    let number = options.variant.rest.literal().map(|number| number.to_token_stream());
    let name = options.variant.name.as_ref().map(LitStr::to_token_stream);
    let code = options.code.map(|(word, _)| word.to_token_stream());
    for word in [number, name, code].into_iter().flatten() {
        errors.help(word, "the transport's variant is never written as such", "remove it");
    }
    let ident = &variant.ident;
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            let inner = &fields.unnamed[0];
            if let Some(from) = inner.attrs.iter().find(|attr| attr.path().is_ident("from")) {
                errors.help(from, "`LoopError` derives this `From` itself", "remove it");
            }
            Some(Transport { ident, ty: &inner.ty })
        }
        _ => {
            let help = format!("write `#[wire(transport)] {ident}(loop_runtime::Error)`");
            errors.help(parse::variant_body(variant), "the transport's variant holds an `Error` alone", help);
            None
        }
    }
}

/// The name of a code.
fn code(tokens: TokenStream, errors: &mut Errors) -> Option<Ident> {
    let Ok(code) = syn::parse2::<Ident>(tokens.clone()) else {
        errors.help(tokens, "`code` is the name of a code", "for example `code = NotFound`");
        return None;
    };
    let name = code.to_string();
    if CODES.contains(&name.as_str()) {
        return Some(code);
    }
    let help = nearest(&name, CODES).map_or_else(
        || "take one of `loop_runtime::Code`, for example `NotFound`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    errors.help(&code, format_args!("gRPC has no code `{name}`"), help);
    None
}
