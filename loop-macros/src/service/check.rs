//! Rules between the parts of a service: options that exclude each other, numbers and names that must differ.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{LitStr, Type};

use super::model::{Argument, Method, RpcOptions, Service, cfgs};
use super::{streams, types};
use crate::attr::Number;
use crate::case;
use crate::diag::Errors;

/// Runs every rule.
pub(crate) fn check(service: &Service<'_>, errors: &mut Errors) {
    rpc_names(service, errors);
    one_of_a_kind(service, "release", |options| options.release.as_ref(), errors);
    one_of_a_kind(service, "start", |options| options.start.as_ref(), errors);
    for method in &service.methods {
        if let Some(word) = &method.options.start {
            start(method, word, errors);
            continue;
        }
        streams::check(method, errors);
        release(method, errors);
        once(method, errors);
        reply(method, errors);
        request(method, errors);
        argument_numbers(method, errors);
        argument_names(method, errors);
    }
}

/// Calls are dispatched by name. Methods under `#[cfg]` may replace each other.
fn rpc_names(service: &Service<'_>, errors: &mut Errors) {
    let mut seen: HashMap<&str, &TokenStream> = HashMap::new();
    for method in &service.methods {
        if method.options.start.is_some() || cfgs(&method.item.attrs).next().is_some() {
            continue;
        }
        let name = &method.rpc;
        if let Some(first) = seen.insert(&name.text, &name.at) {
            let problem = format!("rpc name `{}` is used twice in `{}`", name.text, service.item.ident);
            errors.twice(&name.at, problem, first, format_args!("`{}`", name.text));
        }
    }
}

/// Versions of one method under different `#[cfg]`s count as one.
fn one_of_a_kind(service: &Service<'_>, what: &str, word: impl Fn(&RpcOptions) -> Option<&Ident>, errors: &mut Errors) {
    let mut marked = service.methods.iter().filter_map(|method| Some((method, word(&method.options)?)));
    if let Some((method, first)) = marked.next() {
        let version = |other: &Method<'_>| other.ident() == method.ident() && cfgs(&other.item.attrs).next().is_some();
        for (_, again) in marked.filter(|(other, _)| !version(other)) {
            let problem = format!("`{what}` marks two methods of `{}`", service.item.ident);
            errors.twice(again, problem, first, format_args!("`{what}`"));
        }
    }
}

/// The hook runs in the serving process, before any call: no option of an RPC applies to it.
fn start(method: &Method<'_>, word: &Ident, errors: &mut Errors) {
    let name = method.ident();
    let options = &method.options;
    let flags = [
        &options.idempotent,
        &options.release,
        &options.replay,
        &options.singleton,
        &options.once,
        &options.resubscribe,
        &options.whole,
    ];
    let words = flags.into_iter().flatten().map(|flag| (flag.to_token_stream(), flag.to_string()));
    let strings = [(&options.name, "name"), (&options.request, "request"), (&options.reply, "reply")];
    let strings =
        strings.into_iter().filter_map(|(given, key)| Some((given.as_ref()?.to_token_stream(), key.to_owned())));
    let returns = options.returns.iter().map(|(word, _)| (word.to_token_stream(), word.to_string()));
    for (at, key) in words.chain(strings).chain(returns) {
        errors.help(at, format_args!("start method `{name}` is never sent"), format_args!("remove `{key}`"));
    }
    for argument in &method.arguments {
        let help = "the runtime calls it by itself, before it serves the object";
        errors.help(argument.ident, format_args!("start method `{name}` takes an argument"), help);
    }
    if let Some(success) = types::success(method.result)
        && !matches!(success, Type::Tuple(parts) if parts.elems.is_empty())
    {
        let help = "return `Result<()>`; nobody asked for a value";
        errors.help(success, format_args!("start method `{name}` returns a value"), help);
    }
    if method.item.default.is_none() {
        let help = format!("for example `async fn {name}(&self) -> Result<()> {{ Ok(()) }}`");
        errors.help(word, format_args!("start method `{name}` needs a default body"), help);
    }
}

/// The runtime sends the release by itself when the last handle is dropped, at most once, with an empty request.
fn release(method: &Method<'_>, errors: &mut Errors) {
    let options = &method.options;
    if options.release.is_none() {
        return;
    }
    let name = method.ident();
    for word in [&options.idempotent, &options.replay, &options.singleton, &options.once].into_iter().flatten() {
        let help = format!("remove `{word}`");
        errors.help(word, format_args!("release method `{name}` is never repeated"), help);
    }
    for argument in &method.arguments {
        let help = "the runtime calls it by itself, when the last handle is dropped";
        errors.help(argument.ident, format_args!("release method `{name}` takes an argument"), help);
    }
}

/// Only an object can be lost and recreated. What the syntax does not show (an alias of `Arc<dyn Trait>`) is left to
/// the types, in the method's table.
///
/// It may be combined with `singleton`: that is about the caller calling again, this about the runtime doing so.
fn once(method: &Method<'_>, errors: &mut Errors) {
    let options = &method.options;
    let Some(word) = &options.once else { return };
    let name = method.ident();
    if let Some(replay) = &options.replay {
        let problem = format!("`once` and `replay` contradict each other on `{name}`");
        errors.help(replay, problem, "decide whether the runtime calls it again: remove one");
    }
    let data = |part: &Type| types::is_plain_data(part) && !types::names_service(part);
    let surely_data = options.whole.is_some()
        || match types::success(method.result) {
            Some(Type::Tuple(parts)) => parts.elems.iter().all(data),
            Some(success) => data(success),
            None => false,
        };
    if surely_data && options.release.is_none() {
        let help =
            format!("remove `once`; without `idempotent` a call is never repeated, and `{name}` makes no object");
        errors.help(word, format_args!("method `{name}` constructs nothing"), help);
    }
}

/// `whole` makes the message the reply; otherwise `returns` names and numbers the fields.
fn reply(method: &Method<'_>, errors: &mut Errors) {
    let options = &method.options;
    let name = method.ident();
    if let (Some(_), Some((returns, _))) = (&options.whole, &options.returns) {
        errors.help(returns, "`whole` and `returns` exclude each other", "number the fields in the message itself");
    }
    if let (Some(_), Some(reply)) = (&options.whole, &options.reply) {
        let help = "name it on the message: `#[message(name = \"..\")]`";
        errors.help(reply, format_args!("the reply of `{name}` is the message itself, which has its own name"), help);
    }
    if let Some(Type::Tuple(parts)) = types::success(method.result) {
        for second in parts.elems.iter().filter(|part| types::names_service(part)).skip(1) {
            let help = "return one, and give it accessors for the others";
            errors.help(second, format_args!("method `{name}` returns several services"), help);
        }
    }
    let Some((word, fields)) = &options.returns else { return };
    distinct_numbers(fields.iter().map(|field| &field.number), name, errors);
    let names = fields.iter().map(|field| (field.name.to_string(), field.name.to_token_stream()));
    distinct_names(names, name, errors);
    if options.whole.is_none()
        && let Some(parts) = types::success(method.result).map(reply_parts)
        && parts != fields.len()
    {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let (fields, values) = (count(fields.len(), "field"), count(parts, "value"));
        let problem = format!("`returns` names {fields}, but `{name}` returns {values}");
        errors.help(word, problem, "name each value of the tuple once, in its order");
    }
}

fn reply_parts(success: &Type) -> usize {
    match streams::within(success) {
        Type::Tuple(parts) => parts.elems.len(),
        _ => 1,
    }
}

/// `google.protobuf.Empty` is a well-known type and has no fields.
fn request(method: &Method<'_>, errors: &mut Errors) {
    let empty = |name: &&LitStr| name.value() == "google.protobuf.Empty";
    if let Some(request) = method.options.request.as_ref().filter(empty)
        && !method.arguments.is_empty()
    {
        let problem = format!("`google.protobuf.Empty` has no field for the arguments of `{}`", method.ident());
        errors.help(request, problem, "give the request a name of its own, or leave `request` out");
    }
}

/// Numbers are all given or all by position: a mixture would shift when an argument is added.
fn argument_numbers(method: &Method<'_>, errors: &mut Errors) {
    let given: Vec<&Number> = method.arguments.iter().filter_map(|argument| argument.wire.number.as_ref()).collect();
    distinct_numbers(given.iter().copied(), method.ident(), errors);
    if given.is_empty() {
        return;
    }
    let free = given.iter().map(|number| number.value).max().unwrap_or_default().saturating_add(1);
    for argument in method.arguments.iter().filter(|argument| argument.wire.number.is_none()) {
        let help = format!("`#[wire({free})]` is free");
        let problem = format!("argument `{}` needs a number, because others have one", argument.ident);
        errors.help(argument.ident, problem, help);
    }
}

fn argument_names(method: &Method<'_>, errors: &mut Errors) {
    let at = |argument: &Argument<'_>| match &argument.wire.name {
        Some(name) => name.to_token_stream(),
        None => argument.ident.to_token_stream(),
    };
    let named = method.arguments.iter().any(|argument| argument.wire.name.is_some());
    if named {
        distinct_names(
            method.arguments.iter().map(|argument| (argument.field(), at(argument))),
            method.ident(),
            errors,
        );
    }
}

fn distinct_numbers<'n>(numbers: impl Iterator<Item = &'n Number>, owner: &Ident, errors: &mut Errors) {
    let mut seen: HashMap<u32, &Number> = HashMap::new();
    for number in numbers {
        if let Some(first) = seen.insert(number.value, number) {
            let problem = format!("wire number {} is used twice in `{owner}`", number.value);
            errors.twice(&number.token, problem, &first.token, format_args!("wire number {}", number.value));
        }
    }
}

fn distinct_names(names: impl Iterator<Item = (String, TokenStream)>, owner: &Ident, errors: &mut Errors) {
    let mut seen: HashMap<String, TokenStream> = HashMap::new();
    for (name, at) in names {
        if let Some(first) = seen.insert(name.clone(), at.clone()) {
            let problem = format!("field name `{name}` is used twice in `{}`", case::plain(owner));
            errors.twice(at, problem, first, format_args!("`{name}`"));
        }
    }
}
