//! From the trait to the model: its header, its parents, its items. Each rule is stated before the code that checks it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{ItemTrait, Path, TraitItem, TypeParamBound};

use super::function;
use super::model::{REPLACED, Service};
use super::options::{self, ServiceOptions};
use crate::diag::Errors;

/// Bounds that every service has anyway.
pub(super) const MARKERS: &[&str] = &["Send", "Sync"];

/// Well-known traits that no `dyn` type can have as a supertrait.
pub(super) const NOT_DYN: &[&str] =
    &["Sized", "Clone", "Copy", "Default", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash"];

/// Well-known traits that a remote object cannot have, however it is implemented.
const FOREIGN: &[&str] = &["Debug", "Display", "Error", "Any", "Unpin", "Drop", "Future", "Iterator", "Deref"];

/// Reads `#[loop_service(tokens)] item`; items with mistakes are reported and skipped.
pub(crate) fn service<'a>(tokens: TokenStream, item: &'a ItemTrait, errors: &mut Errors) -> Service<'a> {
    let ServiceOptions { full_name, runtime } = options::service(tokens, &item.ident, errors);
    attributes(item, errors);
    header(item, errors);
    let parents = parents(item, errors);
    let mut service = Service { item, full_name, runtime, parents, methods: Vec::new(), accessors: Vec::new() };
    for entry in &item.items {
        match entry {
            TraitItem::Fn(entry) => function::read(&mut service, entry, errors),
            other => not_a_method(item, other, errors),
        }
    }
    service
}

fn attributes(item: &ItemTrait, errors: &mut Errors) {
    for attr in &item.attrs {
        let Some(name) = attr.path().segments.last().map(|last| last.ident.to_string()) else {
            continue;
        };
        if name == "loop_service" {
            errors.push(attr, "`#[loop_service]` is given twice");
        } else if name == "rpc" || name == "wire" {
            let help = "options of the service stand in `#[loop_service(..)]`";
            errors.help(attr, format_args!("`#[{name}]` does not go on a trait"), help);
        } else if REPLACED.contains(&name.as_str()) {
            let help = format!("remove it; `dyn {}` already works with `async fn`", item.ident);
            errors.help(attr, format_args!("`#[{name}]` does not belong on a service trait"), help);
        }
    }
}

/// Both processes must know every type by name, and `dyn Trait` must exist.
fn header(item: &ItemTrait, errors: &mut Errors) {
    let name = &item.ident;
    if let Some(keyword) = &item.unsafety {
        let help = "the other process cannot uphold a Rust safety contract; remove the word";
        errors.help(keyword, format_args!("service `{name}` cannot be `unsafe`"), help);
    }
    if item.generics.params.iter().any(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
        let help = "host and plugin are compiled apart; use a message type or `Arc<dyn Trait>`";
        errors.help(&item.generics, format_args!("service `{name}` cannot be generic"), help);
    } else if !item.generics.params.is_empty() {
        let help = "borrow in method arguments instead";
        errors.help(&item.generics, format_args!("service `{name}` cannot have lifetime parameters"), help);
    }
    if let Some(clause) = &item.generics.where_clause {
        let help = "move the requirement to the type that implements it";
        errors.help(clause, format_args!("service `{name}` cannot have a where clause"), help);
    }
}

/// Supertraits are services, apart from the markers; rustc reports those that are not.
fn parents<'a>(item: &'a ItemTrait, errors: &mut Errors) -> Vec<&'a Path> {
    let mut parents = Vec::new();
    for bound in &item.supertraits {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(last) = bound.path.segments.last() else { continue };
        if NOT_DYN.iter().any(|known| last.ident == known) {
            let problem = format!("service `{0}` must work as `dyn {0}`", item.ident);
            errors.help(bound, problem, format_args!("remove the `{}` bound", last.ident));
        } else if FOREIGN.iter().any(|known| last.ident == known) {
            let problem = format!("service `{}` cannot require `{}`", item.ident, last.ident);
            errors.help(bound, problem, "remove the bound; only services can be supertraits of a service");
        } else if !MARKERS.iter().any(|known| last.ident == known) {
            parents.push(&bound.path);
        }
    }
    parents
}

fn not_a_method(item: &ItemTrait, entry: &TraitItem, errors: &mut Errors) {
    let name = &item.ident;
    match entry {
        TraitItem::Type(_) => {
            let help = "both sides must agree on one type; name it in the signatures";
            errors.help(entry, format_args!("service `{name}` cannot have an associated type"), help);
        }
        TraitItem::Const(_) => {
            let help = "return the value from a method";
            errors.help(entry, format_args!("service `{name}` cannot have an associated constant"), help);
        }
        TraitItem::Macro(_) => {
            let help = "write the methods out, or inherit them from a service supertrait";
            errors.help(entry, "macros are not expanded inside a service trait", help);
        }
        other => errors.push(other.to_token_stream(), format_args!("service `{name}` can only have methods")),
    }
}
