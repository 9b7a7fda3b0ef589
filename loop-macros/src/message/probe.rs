//! After a mistake in one place, rustc is still asked about the types in all others, so that their mistakes show in the
//! same run.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Type;

use super::check::is_sound;
use super::emit::through;
use super::model::{Content, Field, FieldPlace, Kind, Message};

/// Emits a function for each field about whose type nothing was reported; forms are left to the next run.
pub(crate) fn probes(message: &Message<'_>) -> TokenStream {
    let runtime = &message.runtime;
    let ways: Vec<(&Type, &'static str)> = match &message.kind {
        Kind::Struct(fields) => fields.iter().filter_map(way).collect(),
        Kind::Newtype { inner, .. } => vec![(*inner, "Plain")],
        Kind::Enum(_) => Vec::new(),
        Kind::Oneof(of) => of
            .cases
            .iter()
            .flat_map(|case| match &case.content {
                Content::One(ty) if case.form.is_none() => vec![(*ty, "Content")],
                Content::Fields(fields) => fields.iter().filter_map(way).collect(),
                Content::One(_) | Content::Unit => Vec::new(),
            })
            .collect(),
    };
    let probes = ways.into_iter().filter(|(ty, _)| is_sound(ty)).enumerate().map(|(index, (ty, way))| {
        let (name, describe) = (format_ident!("__probe{index}"), through(ty, runtime, way, "describe"));
        quote! {
            fn #name(__schema: &mut #runtime::Schema) {
                #describe(__schema);
            }
        }
    });
    quote!(#[allow(dead_code)] const _: () = { #(#probes)* };)
}

/// The trait through which a field without options goes.
fn way<'a>(field: &Field<'a>) -> Option<(&'a Type, &'static str)> {
    match &field.place {
        FieldPlace::Number(numbered) if numbered.form.is_none() && !numbered.nanos => {
            Some((field.ty, if numbered.default { "OrDefault" } else { "Plain" }))
        }
        _ => None,
    }
}
