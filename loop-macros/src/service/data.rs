//! Types that cannot cross, as far as their syntax shows it. The rest is decided by rustc, whose error for a
//! type without an impl is the runtime's `#[diagnostic::on_unimplemented]` text.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;

use super::types;
use crate::diag::Errors;

/// Where a type occurs.
#[derive(Clone, Copy)]
pub(crate) enum Located<'a> {
    /// The argument of this name, without one `&`.
    Argument(&'a Ident),
    /// The result of the method of this name.
    Result(&'a Ident),
}

/// Reports everything within `ty` that cannot be encoded.
pub(crate) fn check(ty: &Type, place: Located<'_>, errors: &mut Errors) {
    types::walk(ty, &mut |inner| one(inner, place, errors));
}

/// Reports `ty` itself; returns whether its parts are to be checked.
fn one(ty: &Type, place: Located<'_>, errors: &mut Errors) -> bool {
    if let Some((whole, service)) = types::unshared(ty) {
        unshared(whole, service, place, errors);
        return false;
    }
    match ty {
        Type::Path(_) => {
            if let Some((_, Some(Type::TraitObject(object)))) = types::named(ty) {
                if types::first_trait(&object.bounds).is_some_and(types::is_fn_trait) {
                    closure(ty, errors);
                }
                return false;
            }
            if let Some((map, Some(key))) = types::named(ty)
                && (map == "HashMap" || map == "BTreeMap")
                && (types::is_named(key, "f32") || types::is_named(key, "f64"))
            {
                let problem = format!("`{}` cannot be the key of a map", key.to_token_stream());
                errors.help(key, problem, "keys are integers, `bool` or `String`");
            }
            if let Some((name, None)) = types::named(ty)
                && (name == "usize" || name == "isize")
            {
                let fixed = name.to_string().replace("size", "");
                let help = format!("use `{fixed}32` or `{fixed}64`");
                errors.help(name, format_args!("`{name}` has no fixed width on the wire"), help);
            }
            true
        }
        Type::Reference(_) => {
            match place {
                Located::Argument(name) => {
                    let help = "only the outermost reference is taken off; own what is inside";
                    errors.help(ty, format_args!("argument `{name}` borrows inside another type"), help);
                }
                Located::Result(name) => {
                    let help = "the value is decoded by the caller, who owns it; return an owned type such as `String`";
                    errors.help(ty, format_args!("method `{name}` returns a reference"), help);
                }
            }
            false
        }
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            let help = "declare a struct and derive `LoopMessage`";
            errors.help(ty, "a tuple has no field names on the wire", help);
            false
        }
        Type::Ptr(_) => {
            errors.help(ty, "a pointer means nothing in another process", "send the bytes");
            false
        }
        Type::FnPtr(_) => {
            closure(ty, errors);
            false
        }
        Type::ImplTrait(opaque) => {
            match place {
                _ if types::first_trait(&opaque.bounds).is_some_and(types::is_fn_trait) => closure(ty, errors),
                Located::Argument(name) => {
                    errors.help(ty, format_args!("argument `{name}` has no fixed type"), "name one, such as `&str`");
                }
                Located::Result(name) => {
                    let service =
                        types::first_trait(&opaque.bounds).map_or_else(|| "Trait".to_owned(), Ident::to_string);
                    let help = format!("return `Arc<dyn {service}>`");
                    errors.help(ty, format_args!("method `{name}` returns a type without a name"), help);
                }
            }
            false
        }
        _ => true,
    }
}

fn closure(ty: impl ToTokens, errors: &mut Errors) {
    let help = "pass `Arc<dyn Trait>` of a service trait";
    errors.help(ty, "a closure cannot cross the plugin boundary", help);
}

/// A lent service is served for as long as the peer needs it: that takes an `Arc`.
fn unshared(ty: &Type, service: &Ident, place: Located<'_>, errors: &mut Errors) {
    if types::is_fn_trait(service) {
        return closure(ty, errors);
    }
    match place {
        Located::Argument(name) => {
            let help = format!("take `Arc<dyn {service}>`; it is served to the plugin until the plugin lets go of it");
            errors.help(ty, format_args!("service argument `{name}` must be shared"), help);
        }
        Located::Result(name) => {
            let help = format!("return `Arc<dyn {service}>`");
            errors.help(ty, format_args!("the service that `{name}` returns must be shared"), help);
        }
    }
}
