//! Rules about more than one token: numbers, and types that the syntax shows to be invalid.

use syn::Type;

use super::form::Form;
use super::model::{Content, Field, FieldPlace, Kind, Message, Reserved};
use super::number::{FieldNumber, Numbers};
use crate::diag::Errors;
use crate::service::types;

pub(crate) fn check(message: &Message<'_>, errors: &mut Errors) {
    let owner = message.ident.to_string();
    match &message.kind {
        Kind::Struct(fields) => check_fields(&owner, &message.reserved, fields, errors),
        Kind::Newtype { inner, .. } => check_type(inner, errors),
        Kind::Enum(of) => {
            let given = of.values.iter().map(|value| &value.number);
            let mut numbers = Numbers::new(&owner, 0, &message.reserved, given);
            numbers.check(errors);
            for value in of.values.iter().filter(|value| matches!(value.number, FieldNumber::Nothing)) {
                numbers.missing(value.ident, &format!("variant `{}`", value.ident), errors);
            }
            let all_given = of.values.iter().all(|value| matches!(value.number, FieldNumber::Number(_)));
            if all_given && of.values.iter().all(|value| value.number.of_value() != 0) {
                let help = "protobuf needs one; add `#[wire(0)] Unspecified`";
                errors.help(message.ident, format_args!("enum `{owner}` has no variant numbered 0"), help);
            }
        }
        Kind::Oneof(of) => {
            let given = of.cases.iter().map(|case| &case.number);
            let mut numbers = Numbers::new(&owner, 1, &message.reserved, given);
            numbers.check(errors);
            for case in &of.cases {
                if matches!(case.number, FieldNumber::Nothing) {
                    numbers.missing(case.ident, &format!("variant `{}`", case.ident), errors);
                }
                match &case.content {
                    Content::Unit => {}
                    Content::One(_) if case.form.as_ref().is_some_and(Form::converts) => {}
                    Content::One(ty) => check_type(ty, errors),
                    Content::Fields(fields) => check_fields(&case.ident.to_string(), &[], fields, errors),
                }
            }
        }
    }
}

fn check_fields(owner: &str, reserved: &[Reserved], fields: &[Field<'_>], errors: &mut Errors) {
    let mut unknown = fields.iter().filter(|field| matches!(field.place, FieldPlace::Unknown));
    if let (Some(first), Some(second)) = (unknown.next(), unknown.next()) {
        let problem = format!("unknown fields are kept in `{}` already", first.ident);
        errors.help(second.ident, problem, "remove one");
    }
    let numbered = || fields.iter().filter_map(|field| Some((field, field.numbered()?)));
    let mut numbers = Numbers::new(owner, 1, reserved, numbered().map(|(_, numbered)| &numbered.number));
    numbers.check(errors);
    for (field, numbered) in numbered() {
        if matches!(numbered.number, FieldNumber::Nothing) {
            numbers.missing(field.ident, &format!("field `{}`", field.ident), errors);
        }
        // What a module of the user's converts may be anything.
        if !numbered.form.as_ref().is_some_and(Form::converts) {
            check_type(field.ty, errors);
        }
    }
}

/// Reports types that cannot be encoded, as far as the syntax shows it; the rest is left to rustc.
fn check_type(ty: &Type, errors: &mut Errors) {
    types::walk(ty, &mut |inner| one_type(inner, errors));
}

/// Is there nothing to report about the type?
pub(super) fn is_sound(ty: &Type) -> bool {
    let mut errors = Errors::default();
    check_type(ty, &mut errors);
    errors.is_empty()
}

fn one_type(ty: &Type, errors: &mut Errors) -> bool {
    match ty {
        // The lifetime is a parameter of the type, which was reported.
        Type::Reference(reference)
            if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident != "static") =>
        {
            false
        }
        Type::Reference(_) => {
            errors.help(ty, "a message cannot borrow", "own the value; borrow in method arguments");
            false
        }
        Type::Tuple(tuple) if !tuple.elems.is_empty() => {
            errors.help(ty, "a tuple has no field names on the wire", "declare a struct and derive `LoopMessage`");
            false
        }
        Type::Ptr(_) => {
            errors.help(ty, "a pointer means nothing in another process", "send the bytes");
            false
        }
        _ => match types::named(ty) {
            Some((outer, Some(Type::TraitObject(_)))) => {
                let problem = format!("a service cannot be stored in a message, also not in `{outer}`");
                errors.help(ty, problem, "services travel as method arguments and results");
                false
            }
            Some((outer, Some(inner))) if types::is_named(inner, "Option") => match outer.to_string().as_str() {
                "Option" => {
                    errors.help(ty, "the two kinds of absence look the same on the wire", "use an enum");
                    false
                }
                "Vec" => {
                    let help = "use a message with an optional field";
                    errors.help(ty, "a repeated field has no gaps", help);
                    false
                }
                _ => true,
            },
            Some((name, None)) if name == "usize" || name == "isize" => {
                let fixed = name.to_string().replace("size", "");
                let help = format!("use `{fixed}32` or `{fixed}64`");
                errors.help(name, format_args!("`{name}` has no fixed width on the wire"), help);
                false
            }
            _ => true,
        },
    }
}
