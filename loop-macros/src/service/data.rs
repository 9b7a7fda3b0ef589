//! Types that cannot cross, as far as their syntax shows it. The rest is decided by rustc, whose error for a
//! type without an impl is the runtime's `#[diagnostic::on_unimplemented]` text.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::Type;

use super::{streams, types};
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

/// Reports everything within the result of `method` that cannot be encoded.
pub(crate) fn check_result(result: &Type, method: &Ident, errors: &mut Errors) {
    if streams::result(method, result, errors) {
        return;
    }
    let place = Located::Result(method);
    match types::success(result).map(streams::within) {
        // The parts of a reply with several fields.
        Some(Type::Tuple(parts)) => parts.elems.iter().for_each(|part| check(part, place, errors)),
        Some(success) => check(success, place, errors),
        None => match tuple(result) {
            Some(tuple) => {
                let help = "write `Result<..>` itself: behind an alias its fields are not seen";
                errors.help(tuple, "a tuple has no field names on the wire", help);
            }
            None => check(result, place, errors),
        },
    }
}

/// The tuple in an alias of `Result`, which may have been meant as several fields.
fn tuple(result: &Type) -> Option<&Type> {
    let (_, inner) = types::named(result)?;
    inner.filter(|inner| matches!(types::ungroup(inner), Type::Tuple(parts) if !parts.elems.is_empty()))
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
                } else if let Some(name) = types::first_trait(&object.bounds).filter(|name| types::is_of_std(name)) {
                    no_service(object, name, errors);
                } else if object.bounds.len() > 1
                    && let Some(service) = types::first_trait(&object.bounds)
                {
                    let help = format!("write `dyn {service}`; every service is `Send + Sync + 'static` already");
                    errors.help(object, "a service is named by its trait alone", help);
                }
                return false;
            }
            if types::names_self(ty) {
                let help = match place {
                    Located::Result(_) => "name a message type, or return `Arc<dyn Trait>` to return a service",
                    Located::Argument(_) => "name a message type, or take `Arc<dyn Trait>` to take a service",
                };
                errors.help(ty, "`Self` is another type in each implementation", help);
                return false;
            }
            if let Some((name, _)) = types::named(ty).filter(|_| types::is_local(ty)) {
                let help = "send the value itself, or pass `Arc<dyn Trait>` of a service trait";
                errors.help(ty, format_args!("a value in `{name}` stays on one thread"), help);
                return false;
            }
            if types::has_lifetime(ty) {
                borrows(ty, place, errors);
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
            borrows(ty, place, errors);
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

/// Only what is behind the one `&` of an argument is borrowed.
fn borrows(ty: &Type, place: Located<'_>, errors: &mut Errors) {
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
}

/// Nobody can put the attribute on a trait of the standard library.
fn no_service(ty: impl ToTokens, name: &Ident, errors: &mut Errors) {
    let help = "send a message, or declare a service trait that does what is needed and pass `Arc<dyn Trait>` of it";
    errors.help(ty, format_args!("`dyn {name}` is not a service"), help);
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
    if types::is_of_std(service) {
        return no_service(ty, service, errors);
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
