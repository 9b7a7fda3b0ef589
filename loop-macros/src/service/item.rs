//! Is it a trait at all?

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, ItemTrait};

use crate::diag::Errors;

/// The annotated trait; `None`, with the reason reported, if the attribute is on something else.
pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Option<ItemTrait> {
    let (keyword, kind) = match syn::parse2::<Item>(tokens) {
        Ok(Item::Trait(item)) => return Some(item),
        Ok(Item::Impl(item)) => {
            let help = "remove it; implementing a service is an ordinary `impl`";
            errors.help(item.impl_token, "`#[loop_service]` goes on the trait, not on its implementations", help);
            return None;
        }
        Ok(Item::Struct(item)) => {
            let help = format!("declare `pub trait {} {{ .. }}` and implement it for your struct", item.ident);
            errors.help(item.struct_token, "`#[loop_service]` goes on a trait, not a struct", help);
            return None;
        }
        Ok(Item::Enum(item)) => (item.enum_token.to_token_stream(), "an enum"),
        Ok(Item::Union(item)) => (item.union_token.to_token_stream(), "a union"),
        Ok(Item::Fn(item)) => (item.sig.fn_token.to_token_stream(), "a function"),
        Ok(Item::Mod(item)) => (item.mod_token.to_token_stream(), "a module"),
        Ok(Item::Type(item)) => (item.type_token.to_token_stream(), "a type alias"),
        Ok(other) => (other.to_token_stream(), "this item"),
        Err(error) => {
            errors.absorb(error);
            return None;
        }
    };
    let help = "declare `pub trait Relayer { .. }` and put the attribute there";
    errors.help(keyword, format_args!("`#[loop_service]` goes on a trait, not {kind}"), help);
    None
}
