//! One argument of a method: its name, its type, its `#[wire(..)]`.

use proc_macro2::Ident;
use syn::{Pat, PatType, Type};

use super::data::{self, Located};
use super::model::Argument;
use super::{options, streams, types};
use crate::diag::Errors;

/// Reads one argument; `None` if it has no name.
pub(crate) fn read<'a>(method: &Ident, input: &'a PatType, errors: &mut Errors) -> Option<Argument<'a>> {
    options::qualified(&input.attrs, errors);
    let wire = options::wire(&input.attrs, errors);
    let Pat::Ident(syn::PatIdent { by_ref: None, subpat: None, ident, .. }) = &*input.pat else {
        let help = "the name becomes the field name; destructure in the body";
        errors.help(&input.pat, format_args!("this argument of `{method}` needs a name"), help);
        return None;
    };
    if let Some(attr) = input.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
        let help = "put `#[cfg]` on the whole method";
        errors.help(attr, format_args!("argument `{ident}` cannot be conditional"), help);
    }
    let declared = types::ungroup(&input.ty);
    if streams::argument(ident, declared, errors) {
        return Some(Argument { ident, declared, part: types::peel(declared), wire });
    }
    if let Type::Reference(reference) = declared {
        if reference.mutability.is_some() {
            let help = "changes cannot travel back through an argument; return the new value";
            errors.help(declared, format_args!("argument `{ident}` is a mutable reference"), help);
        }
        if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static") {
            let help = "leave the lifetime out; the far side decodes the value for the time of the call";
            errors.help(lifetime, format_args!("argument `{ident}` cannot be `'static`"), help);
        }
    }
    let part = types::peel(declared);
    match declared {
        // `&dyn Trait`: a service that is not in an `Arc`, not data.
        Type::Reference(_) if matches!(part, Type::TraitObject(_)) => {
            data::check(declared, Located::Argument(ident), errors)
        }
        Type::Reference(reference) => data::check(&reference.elem, Located::Argument(ident), errors),
        _ => data::check(part, Located::Argument(ident), errors),
    }
    Some(Argument { ident, declared, part, wire })
}
