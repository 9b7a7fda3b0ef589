//! Streams among the arguments and in the result: the shapes that people try, and what to write instead. What the syntax
//! does not show is left to the types, in the method's table.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type, TypeParamBound};

use super::model::Method;
use super::types;
use crate::diag::Errors;

/// Types of channels and combinators that people return where they mean a stream.
const CHANNELS: &[&str] = &[
    "Receiver",
    "UnboundedReceiver",
    "ReceiverStream",
    "UnboundedReceiverStream",
    "BroadcastStream",
    "WatchStream",
    "BoxStream",
    "LocalBoxStream",
];

/// Reports what is wrong with an argument that is, or means, a stream; returns whether that was so.
pub(crate) fn argument(name: &Ident, declared: &Type, errors: &mut Errors) -> bool {
    if let Some(item) = foreign(declared) {
        let help = format!("take `Streaming<{item}>`");
        errors.help(declared, format_args!("argument `{name}` is a stream in a form that cannot cross"), help);
        return true;
    }
    let Some(stream) = find(declared) else { return false };
    if let Type::Reference(reference) = types::ungroup(declared)
        && std::ptr::eq(types::ungroup(&reference.elem), stream)
    {
        let help = format!("take `{}`; whoever reads a stream owns it", text(stream));
        errors.help(declared, format_args!("stream argument `{name}` is borrowed"), help);
        return true;
    }
    if !std::ptr::eq(types::ungroup(declared), stream) {
        let help = format!("take `{}` as an argument of its own", text(stream));
        errors.help(declared, format_args!("argument `{name}` holds a stream inside another type"), help);
        return true;
    }
    if let Some(error) = types::second_argument(stream)
        && !types::is_named(error, "Error")
    {
        let item = item(stream).map_or_else(|| "T".to_owned(), text);
        let help = format!("take `Streaming<{item}>`; gRPC has no way to send a status from a client");
        errors.help(error, format_args!("the stream argument `{name}` has an error type of its own"), help);
        return true;
    }
    items(stream, errors)
}

/// Reports what is wrong with a result that is, or means, a stream; returns whether that was so.
pub(crate) fn result(method: &Ident, declared: &Type, errors: &mut Errors) -> bool {
    let success = types::success(declared);
    let within = success.unwrap_or_else(|| types::ungroup(declared));
    if let Some(item) = foreign(within) {
        let help = format!("return `Result<Streaming<{item}>>`; `Streaming::new(..)` takes any stream");
        errors.help(within, format_args!("method `{method}` returns a stream in a form that cannot cross"), help);
        return true;
    }
    let Some(stream) = find(within) else { return false };
    if success.is_none() && std::ptr::eq(types::ungroup(declared), stream) {
        let help = format!("return `Result<{}>`: the call itself may be refused or lost", text(stream));
        errors.help(declared, format_args!("method `{method}` returns a stream without a `Result`"), help);
        return true;
    }
    if success.is_some() && !std::ptr::eq(within, stream) {
        let help = format!("return `Result<{}>`; what else there is to say can be in its items", text(stream));
        errors.help(within, format_args!("method `{method}` returns a stream inside another type"), help);
        return true;
    }
    items(stream, errors)
}

/// Reports items that cannot be ones.
fn items(stream: &Type, errors: &mut Errors) -> bool {
    let Some(item) = item(stream) else {
        errors.help(stream, "a stream needs the type of its items", "for example `Streaming<Head>`");
        return true;
    };
    if types::is_named(item, "Result") {
        let inner = types::success(item).map_or_else(|| "T".to_owned(), text);
        let help = format!("write `Streaming<{inner}>`; reading it gives results");
        errors.help(item, "every item of a stream is a `Result` already", help);
    } else if types::is_named(item, "Streaming") {
        let help = "send the items of all streams in one, with a field that says which";
        errors.help(item, "a stream cannot be the item of a stream", help);
    } else if types::names_service(item) {
        let help = "send what a method needs to make the service, and return `Arc<dyn Trait>` from that method";
        errors.help(item, "a service cannot be the item of a stream", help);
    } else {
        return false;
    }
    true
}

/// Rules between a method's streams and its options.
pub(crate) fn check(method: &Method<'_>, errors: &mut Errors) {
    let (name, options) = (method.ident(), &method.options);
    let uploads: Vec<_> =
        method.arguments.iter().filter(|argument| types::is_named(argument.part, "Streaming")).collect();
    for second in uploads.iter().skip(1) {
        let help = "send the items of both in one, with a field that says which";
        errors.help(second.ident, format_args!("method `{name}` takes several streams"), help);
    }
    let success = types::success(method.result);
    let streams = success.is_some_and(|success| types::is_named(success, "Streaming"));
    if let Some(word) = &options.resubscribe {
        let surely_none = success.is_some_and(|success| types::is_plain_data(success) || types::names_service(success));
        if let (false, Some(upload)) = (surely_none, uploads.first()) {
            let problem = format!("`resubscribe` on `{name}`, which takes the stream `{}`", upload.ident);
            errors.help(word, problem, "remove `resubscribe`; a stream among the arguments cannot be sent again");
        } else if surely_none {
            let help = "remove `resubscribe`; it is for methods that return `Result<Streaming<T>>`";
            errors.help(word, format_args!("method `{name}` returns no stream"), help);
        }
    }
    if !streams && uploads.is_empty() {
        return;
    }
    let flags = [&options.release, &options.replay, &options.singleton, &options.once, &options.start];
    for word in flags.into_iter().flatten() {
        let help = format!("remove `{word}`");
        errors.help(word, format_args!("`{word}` is not for methods with streams, as `{name}` is"), help);
    }
    if let (Some(word), Some(upload)) = (&options.idempotent, uploads.first()) {
        let help = "remove `idempotent`; a stream among the arguments cannot be sent again";
        errors.help(word, format_args!("`idempotent` on `{name}`, which takes the stream `{}`", upload.ident), help);
    }
}

/// The first `Streaming<..>` in `ty`.
pub(crate) fn find(ty: &Type) -> Option<&Type> {
    let mut found = None;
    types::walk(ty, &mut |inner| {
        if found.is_none() && types::is_named(inner, "Streaming") {
            found = Some(inner);
        }
        found.is_none()
    });
    found
}

/// What one message of the reply holds: the item, if `success` is a stream.
pub(crate) fn within(success: &Type) -> &Type {
    match types::is_named(success, "Streaming") {
        true => item(success).unwrap_or(success),
        false => success,
    }
}

/// The type of the items of `Streaming<T, ..>`.
fn item(stream: &Type) -> Option<&Type> {
    types::named(stream).and_then(|(_, first)| first).map(types::ungroup)
}

/// The items of a stream that is not a `Streaming`: of an `impl Stream`, a boxed one, or the end of a channel.
pub(crate) fn foreign(ty: &Type) -> Option<String> {
    match types::ungroup(ty) {
        Type::ImplTrait(opaque) => of_trait(&opaque.bounds),
        Type::TraitObject(object) => of_trait(&object.bounds),
        Type::Reference(reference) => foreign(&reference.elem),
        other => match types::named(other)? {
            (name, Some(inner)) if ["Pin", "Box", "Arc", "Rc"].iter().any(|known| name == known) => foreign(inner),
            (name, Some(inner)) if CHANNELS.iter().any(|known| name == known) => Some(of_item(inner)),
            _ => None,
        },
    }
}

fn of_trait<'t>(bounds: impl IntoIterator<Item = &'t TypeParamBound>) -> Option<String> {
    let last = bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    })?;
    if !["Stream", "TryStream", "Iterator", "IntoIterator"].iter().any(|known| last.ident == known) {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Some("T".to_owned()) };
    let item = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Item" || assoc.ident == "Ok" => Some(&assoc.ty),
        _ => None,
    });
    Some(item.map_or_else(|| "T".to_owned(), of_item))
}

/// The item itself, where a stream of results is meant.
fn of_item(item: &Type) -> String {
    text(types::success(item).unwrap_or(item))
}

fn text(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "").replace(',', ", ")
}
