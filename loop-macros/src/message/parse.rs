//! From the syntax tree to the model; never returns early where something can still be reported.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Type, Variant};

use super::model::{Case, Content, Enum, EnumValue, Field, FieldPlace, Kind, Message, Numbered, Oneof};
use super::number::FieldNumber;
use super::options::{self, MessageOptions, VariantOptions};
use crate::case;
use crate::diag::Errors;
use crate::service::docs::docs;
use crate::service::types;

/// Reads the type; `None` if it cannot be a message at all.
pub(super) fn message<'a>(item: &'a DeriveInput, errors: &mut Errors) -> Option<Message<'a>> {
    let options = options::message(&item.attrs, errors);
    let ident = &item.ident;
    generics(item, "message", errors);
    let kind = match &item.data {
        Data::Struct(data) => structure(ident, &data.fields, &options, errors),
        Data::Enum(data) => Some(enumeration(ident, data.variants.iter(), &options, errors)),
        Data::Union(data) => {
            errors.push(data.union_token, "a union cannot be a message");
            None
        }
    }?;
    Some(of(item, options, kind, errors))
}

/// Reports type parameters.
pub(crate) fn generics(item: &DeriveInput, what: &str, errors: &mut Errors) {
    let ident = &item.ident;
    if item.generics.lifetimes().next().is_some() {
        let help = "decoded messages own their data; borrow in method arguments";
        errors.help(&item.generics, format_args!("{what} `{ident}` cannot borrow"), help);
    } else if !item.generics.params.is_empty() {
        let help = "each use would need its own name in the schema; declare one type for each";
        errors.help(&item.generics, format_args!("{what} `{ident}` cannot be generic"), help);
    }
}

/// The message of the type `item`, from its parsed parts.
pub(crate) fn of<'a>(
    item: &'a DeriveInput,
    options: MessageOptions,
    kind: Kind<'a>,
    errors: &mut Errors,
) -> Message<'a> {
    misplaced(&kind, &options, errors);
    let ident = &item.ident;
    let plain = options.name.as_ref().map_or_else(|| case::plain(ident), LitStr::value);
    Message {
        ident,
        name: options.package.map_or_else(|| plain.clone(), |package| format!("{}.{plain}", package.value())),
        runtime: wire(&options.runtime),
        docs: docs(&item.attrs),
        reserved: options.reserved.map(|(_, ranges)| ranges).unwrap_or_default(),
        kind,
    }
}

/// The path of the runtime's module for the code of a message.
fn wire(runtime: &TokenStream) -> TokenStream {
    quote!(#runtime::wire)
}

/// Reports options that do not apply to this kind of type.
fn misplaced(kind: &Kind<'_>, options: &MessageOptions, errors: &mut Errors) {
    let mut report = |at: Option<TokenStream>, problem: &str, help: &str| {
        if let Some(at) = at {
            errors.help(at, problem, help);
        }
    };
    let tokens = |literal: &Option<LitStr>| literal.as_ref().map(ToTokens::to_token_stream);
    if !matches!(kind, Kind::Newtype { .. }) {
        report(
            tokens(&options.text),
            "`text` belongs to a newtype",
            "put it on the field: `#[wire(1, text = \"..\")]`",
        );
    } else {
        let help = "it is written like what it wraps; remove it";
        report(tokens(&options.name), "a newtype has no name on the wire", help);
        report(tokens(&options.package), "a newtype has no package", help);
        let reserved = options.reserved.as_ref().map(|(word, _)| word.to_token_stream());
        report(reserved, "a newtype has no numbers to reserve", help);
    }
    if !matches!(kind, Kind::Oneof(_)) {
        report(tokens(&options.oneof), "`oneof` belongs to an enum with data", "remove it");
    }
}

fn structure<'a>(ident: &Ident, fields: &'a Fields, options: &MessageOptions, errors: &mut Errors) -> Option<Kind<'a>> {
    match fields {
        Fields::Named(_) | Fields::Unit => Some(Kind::Struct(named(None, fields, errors))),
        Fields::Unnamed(unnamed) => match unnamed.unnamed.iter().collect::<Vec<_>>().as_slice() {
            [inner] => {
                if let Some(attr) = inner.attrs.iter().find(|attr| attr.path().is_ident("wire")) {
                    let help = "it is written like what it wraps; the field that holds it has the number";
                    errors.help(attr, format_args!("newtype `{ident}` has no number of its own"), help);
                }
                Some(Kind::Newtype { inner: &inner.ty, text: options.text.as_ref().map(LitStr::value) })
            }
            _ => {
                let help = "name them; only a single unnamed field (a newtype) is transparent";
                errors.help(unnamed, format_args!("message `{ident}` has unnamed fields"), help);
                None
            }
        },
    }
}

/// The fields of a struct, or of the variant `of`.
fn named<'a>(of: Option<&Ident>, fields: &'a Fields, errors: &mut Errors) -> Vec<Field<'a>> {
    fields
        .iter()
        .filter_map(|field| Some(self::field(of, field.ident.as_ref()?, &field.ty, &field.attrs, errors)))
        .collect()
}

fn field<'a>(
    of: Option<&Ident>,
    ident: &'a Ident,
    ty: &'a Type,
    attrs: &[Attribute],
    errors: &mut Errors,
) -> Field<'a> {
    let before = errors.len();
    let mut options = options::field(attrs, errors);
    if let (Some(_), Some(word)) = (&options.nanos, options.form.words().next()) {
        errors.help(word, format_args!("`nanos` and `{word}` are two forms of one value"), "remove one");
    }
    let words = [&options.nanos, &options.default].into_iter().flatten().chain(options.form.words());
    let words: Vec<_> = words.map(ToTokens::to_token_stream).collect();
    let place = if let Some(skip) = &options.skip {
        if options.rest.literal().is_some() {
            errors.push(skip, "a skipped field has no number");
        }
        FieldPlace::Skip
    } else if let Some(oneof) = &options.oneof {
        if options.rest.literal().is_some() {
            errors.help(oneof, "a oneof has no number", "its cases have them: remove the number");
        }
        FieldPlace::Oneof
    } else if types::is_named(ty, "UnknownFields") {
        if let Some(number) = options.rest.literal() {
            errors.help(number, "unknown fields have numbers of their own", "remove the number");
        }
        FieldPlace::Unknown
    } else {
        let sound = errors.len() == before;
        FieldPlace::Number(Numbered {
            number: FieldNumber::field(&mut options.rest, sound, errors),
            text: options.text.as_ref().map(LitStr::value),
            nanos: options.nanos.is_some(),
            default: options.default.is_some(),
            form: options.form.form(),
            of: of.cloned(),
        })
    };
    if !matches!(place, FieldPlace::Number(_)) && errors.len() == before {
        for word in words.into_iter().chain(options.text.as_ref().map(ToTokens::to_token_stream)) {
            errors.help(word, "this says something about a numbered field", "remove it");
        }
    }
    let name = options.name.as_ref().map_or_else(|| case::plain(ident), LitStr::value);
    Field { ident, ty, name, docs: docs(attrs), place }
}

fn enumeration<'a>(
    ident: &Ident,
    variants: impl Iterator<Item = &'a Variant>,
    options: &MessageOptions,
    errors: &mut Errors,
) -> Kind<'a> {
    let mut unknown: Option<&Variant> = None;
    let mut known = Vec::new();
    for variant in variants {
        let before = errors.len();
        let mut options = options::variant(&variant.attrs, errors);
        match &options.unknown {
            Some(word) if unknown.is_some() => errors.push(word, "`unknown` is given twice"),
            Some(_) => {
                stands_alone(&mut options, errors);
                unknown = Some(variant);
            }
            None => known.push((variant, options, errors.len() == before)),
        }
    }
    if known.iter().all(|(variant, ..)| matches!(variant.fields, Fields::Unit)) {
        let unknown = unknown.and_then(|variant| keeps_number(variant, errors));
        let values = known.into_iter().map(|(variant, options, sound)| value(ident, variant, options, sound, errors));
        return Kind::Enum(Enum { values: values.collect(), unknown });
    }
    let unknown = unknown.and_then(|variant| stands_for_nothing(variant, errors));
    let cases =
        known.into_iter().map(|(variant, options, sound)| self::case(variant, options, sound, errors)).collect();
    Kind::Oneof(Oneof { name: oneof_name(options), cases, unknown, unwritten: None })
}

/// The variant for unknown cases has no number, no name in the schema, and is never refused.
fn stands_alone(options: &mut VariantOptions, errors: &mut Errors) {
    let number = options.rest.literal().map(|number| (number.to_token_stream(), "number"));
    let name = options.name.as_ref().map(|name| (name.to_token_stream(), "name"));
    let text = options.text.as_ref().map(|text| (text.to_token_stream(), "text"));
    no_form(options, errors);
    no_alias(options, errors);
    for (at, what) in [number, name, text].into_iter().flatten() {
        let problem = format!("the variant for what is unknown has no {what} of its own");
        errors.help(at, problem, "write `#[wire(unknown)]`");
    }
}

/// The name of the oneof of an enum.
pub(crate) fn oneof_name(options: &MessageOptions) -> String {
    options.oneof.as_ref().map_or_else(|| "kind".to_owned(), LitStr::value)
}

fn value<'a>(
    of: &Ident,
    variant: &'a Variant,
    mut options: VariantOptions,
    sound: bool,
    errors: &mut Errors,
) -> EnumValue<'a> {
    let ident = &variant.ident;
    let number = FieldNumber::value(&mut options.rest, sound, errors);
    if let (FieldNumber::Number(_), Some((_, discriminant))) = (&number, &variant.discriminant) {
        let help = "keep `#[wire(..)]`, drop the discriminant";
        errors.help(discriminant, format_args!("variant `{ident}` is numbered twice"), help);
    }
    if let Some(text) = &options.text {
        errors.help(text, "a value of an enum is never refused", "remove `text`");
    }
    no_form(&options, errors);
    // Protobuf puts the values of all enums of a package into one scope.
    let regular = || [of, ident].map(|ident| case::shouting(&case::plain(ident))).join("_");
    let name = options.name.as_ref().map_or_else(regular, LitStr::value);
    let aliases = options.aliases.into_iter().flat_map(|(_, names)| names).map(|name| name.value()).collect();
    EnumValue { ident, name, aliases, docs: docs(&variant.attrs), number }
}

/// A variant that holds no single value has no form either.
fn no_form(options: &VariantOptions, errors: &mut Errors) {
    for word in options.form.words() {
        errors.help(word, format_args!("`{word}` is about the one value that a variant holds"), "remove it");
    }
}

/// Only the values of an enum have several names.
fn no_alias(options: &VariantOptions, errors: &mut Errors) {
    if let Some((word, _)) = &options.aliases {
        errors.help(word, "`alias` gives a further name to the number of an enum without data", "remove it");
    }
}

/// `#[wire(unknown)] Other(i32)`.
fn keeps_number<'a>(variant: &'a Variant, errors: &mut Errors) -> Option<&'a Ident> {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 && !fields.unnamed.iter().any(is_no_number) => {
            Some(&variant.ident)
        }
        _ => {
            let help = format!("write `#[wire(unknown)] {}(i32)`", variant.ident);
            errors.help(variant_body(variant), "the variant for unknown numbers keeps the number", help);
            None
        }
    }
}

/// Is it certainly not an `i32`, which is what protobuf's enums are?
fn is_no_number(field: &syn::Field) -> bool {
    const OTHERS: &[&str] = &[
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i64", "i128", "isize", "bool", "String", "Option",
        "Vec",
    ];
    types::named(&field.ty).is_none_or(|(name, _)| OTHERS.iter().any(|other| name == other))
}

/// `#[wire(unknown)] Other`.
fn stands_for_nothing<'a>(variant: &'a Variant, errors: &mut Errors) -> Option<&'a Ident> {
    if !matches!(variant.fields, Fields::Unit) {
        let help = format!("write `#[wire(unknown)] {}`", variant.ident);
        errors.help(variant_body(variant), "the variant for unknown cases holds no data", help);
    }
    Some(&variant.ident)
}

pub(crate) fn variant_body(variant: &Variant) -> TokenStream {
    let (ident, fields) = (&variant.ident, &variant.fields);
    quote!(#ident #fields)
}

/// A variant that is a case of the oneof; `sound` is whether its attributes were valid.
pub(crate) fn case<'a>(
    variant: &'a Variant,
    mut options: VariantOptions,
    sound: bool,
    errors: &mut Errors,
) -> Case<'a> {
    let content = match &variant.fields {
        Fields::Unit => Content::Unit,
        Fields::Named(_) => Content::Fields(named(Some(&variant.ident), &variant.fields, errors)),
        Fields::Unnamed(fields) => match fields.unnamed.iter().collect::<Vec<_>>().as_slice() {
            [one] => Content::One(&one.ty),
            _ => {
                let help = "name them";
                errors.help(fields, format_args!("variant `{}` has several unnamed fields", variant.ident), help);
                Content::Unit
            }
        },
    };
    no_alias(&options, errors);
    if !matches!(content, Content::One(_)) {
        no_form(&options, errors);
    }
    Case {
        ident: &variant.ident,
        name: options
            .name
            .as_ref()
            .map_or_else(|| case::shouting(&case::plain(&variant.ident)).to_lowercase(), LitStr::value),
        docs: docs(&variant.attrs),
        number: FieldNumber::field(&mut options.rest, sound, errors),
        text: options.text.as_ref().map(LitStr::value),
        form: options.form.form(),
        content,
    }
}
