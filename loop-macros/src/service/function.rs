//! One `fn` of the trait: a method that is called over the wire, or an accessor.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{FnArg, ReceiverKind, ReturnType, Safety, Signature, TraitItemFn};

use super::data;
use super::model::{Accessor, Method, Service};
use super::{argument, options, streams, types};
use crate::case;
use crate::diag::Errors;

/// Methods that `Arc<dyn Service>` gets from the prelude's traits; one of that name would be ambiguous or unreachable.
const TAKEN: &[&str] = &["clone", "as_ref", "to_owned", "into", "try_into"];

/// Reads one `fn` into `service`; after an error it is skipped.
pub(crate) fn read<'a>(service: &mut Service<'a>, item: &'a TraitItemFn, errors: &mut Errors) {
    let before = errors.len();
    let sig = &item.sig;
    name(&service.item.ident, &sig.ident, errors);
    options::qualified(&item.attrs, errors);
    qualifiers(sig, errors);
    generics(sig, errors);
    receiver(sig, errors);
    if let Some(attr) = item.attrs.iter().find(|attr| attr.path().is_ident("wire")) {
        let help = "`#[wire]` numbers arguments and fields; keep an old method name with `#[rpc(name = \"..\")]`";
        errors.help(attr, "methods have names, not numbers", help);
    }
    if sig.asyncness.is_some() {
        let index = service.methods.len();
        service.methods.extend(method(index, item, errors).filter(|_| errors.len() == before));
    } else {
        service.accessors.extend(accessor(item, errors).filter(|_| errors.len() == before));
    }
}

/// Refuses names that could not be called.
fn name(service: &Ident, ident: &Ident, errors: &mut Errors) {
    let name = case::plain(ident);
    if TAKEN.contains(&name.as_str()) {
        let rpc = case::pascal(&name);
        let help = format!(
            "`Arc<dyn {service}>` has that method already, calls would be ambiguous; choose another name and keep the \
             rpc name with `#[rpc(name = \"{rpc}\")]`"
        );
        errors.help(ident, format_args!("a service method cannot be called `{name}`"), help);
    } else if name.starts_with("__") {
        errors.help(ident, "names that start with `__` are reserved for generated code", "remove the underscores");
    }
}

fn qualifiers(sig: &Signature, errors: &mut Errors) {
    let name = &sig.ident;
    if let Safety::Unsafe(keyword) = &sig.safety {
        let help = "the other process cannot uphold a Rust safety contract; remove the word";
        errors.help(keyword, format_args!("service method `{name}` cannot be `unsafe`"), help);
    }
    if let Some(abi) = &sig.abi {
        errors.help(abi, format_args!("service method `{name}` cannot be `extern`"), "calls travel as gRPC; remove it");
    }
}

/// A method of the contract has one set of types.
fn generics(sig: &Signature, errors: &mut Errors) {
    let name = &sig.ident;
    if sig.generics.params.iter().any(|param| !matches!(param, syn::GenericParam::Lifetime(_))) {
        errors.help(&sig.generics, format_args!("service method `{name}` cannot be generic"), "name one concrete type");
    } else if !sig.generics.params.is_empty() {
        let help = "leave them out; borrowed arguments live as long as the call";
        errors.help(&sig.generics, format_args!("service method `{name}` cannot name lifetimes"), help);
    }
    if let Some(clause) = &sig.generics.where_clause {
        let help = "remove it; every service is `Send + Sync + 'static` already";
        errors.help(clause, format_args!("service method `{name}` cannot have a where clause"), help);
    }
}

/// A service is shared by all its connections, so `&self` is the only receiver.
fn receiver(sig: &Signature, errors: &mut Errors) {
    let name = &sig.ident;
    let Some(FnArg::Receiver(receiver)) = sig.inputs.first() else {
        let help = "add `&self`; to construct a service, return `Arc<dyn Trait>` from a method";
        errors.help(name, format_args!("service method `{name}` has no receiver"), help);
        return;
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => {
            let help = "take `&self`; one value serves every connection at once, so keep mutable state behind a \
                        `Mutex` or an atomic";
            errors.help(receiver, format_args!("service method `{name}` takes `&mut self`"), help);
        }
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            let help = "leave it out; borrowed arguments live as long as the call";
            errors.help(lifetime, format_args!("service method `{name}` cannot name lifetimes"), help);
        }
        ReceiverKind::Typed(_, ty) => {
            let ty = ty.to_token_stream().to_string().replace(' ', "");
            errors.help(receiver, format_args!("service method `{name}` takes `self: {ty}`"), "take `&self`");
        }
        _ => {
            let help = "take `&self`; a service ends when its last handle is dropped";
            errors.help(receiver, format_args!("service method `{name}` takes `self` by value"), help);
        }
    }
}

fn method<'a>(index: usize, item: &'a TraitItemFn, errors: &mut Errors) -> Option<Method<'a>> {
    let ident = &item.sig.ident;
    let options = options::rpc(&item.attrs, errors);
    let inputs = item.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let arguments: Vec<_> = inputs.filter_map(|input| argument::read(ident, input, errors)).collect();
    let ReturnType::Type(_, result) = &item.sig.output else {
        let help = "return `Result<()>`: the connection can be lost during any call, and the caller must hear of it";
        errors.help(ident, format_args!("service method `{ident}` returns nothing"), help);
        return None;
    };
    data::check_result(result, ident, errors);
    let rpc = options::rpc_name(options.name.as_ref(), ident);
    Some(Method { index, item, rpc, options, arguments, result })
}

fn accessor<'a>(item: &'a TraitItemFn, errors: &mut Errors) -> Option<Accessor<'a>> {
    let sig = &item.sig;
    let name = &sig.ident;
    let component = match &sig.output {
        ReturnType::Type(_, ty) if types::is_future(ty) => {
            errors.help(ty, "write service methods as `async fn`", format_args!("`async fn {name}(&self) -> ..`"));
            return None;
        }
        ReturnType::Type(_, ty) if streams::find(ty).is_some() || streams::foreign(ty).is_some() => {
            let help = format!("for example `async fn {name}(&self) -> Result<Streaming<T>>`");
            errors.help(
                sig.fn_token,
                format_args!("service method `{name}` returns a stream and must be `async`"),
                help,
            );
            return None;
        }
        ReturnType::Type(_, ty) if types::is_named(ty, "Result") && types::names_service(ty) => {
            let help = "make it `async fn` to open a connection of its own";
            errors.help(ty, format_args!("accessor `{name}` cannot fail"), help);
            return None;
        }
        ReturnType::Type(_, ty) if !types::is_plain_data(ty) => types::ungroup(ty),
        _ => {
            let help = "only accessors that return `Arc<dyn Trait>` are synchronous, because they make no call";
            errors.help(sig.fn_token, format_args!("service method `{name}` must be `async`"), help);
            return None;
        }
    };
    if types::contains(component, types::names_self) {
        let help = "return `Arc<dyn Trait>` of a service trait";
        errors.help(component, "`Self` is another type in each implementation", help);
        return None;
    }
    if let Some((shared, service)) = types::unshared(component) {
        let help = format!("return `Arc<dyn {service}>`");
        errors.help(shared, format_args!("accessor `{name}` must return a shared service"), help);
    }
    for input in &sig.inputs {
        if let FnArg::Typed(input) = input {
            let help = "make it `async fn`, so that the argument can travel";
            errors.help(input, format_args!("accessor `{name}` takes an argument"), help);
        }
    }
    for attr in item.attrs.iter().filter(|attr| attr.path().is_ident("rpc")) {
        match &attr.meta {
            syn::Meta::List(list) => {
                let help = format!("remove `{}`", list.tokens);
                errors.help(&list.tokens, format_args!("accessor `{name}` makes no call"), help);
            }
            _ => errors.help(attr, format_args!("accessor `{name}` makes no call"), "remove `#[rpc]`"),
        }
    }
    Some(Accessor { item, component })
}
