//! Options behind `#[cfg_attr(..)]`, which an attribute macro receives unexpanded: only rustc knows whether the
//! condition holds. So a method with such an option becomes two, one for each outcome, of which rustc keeps one. Each
//! must be valid by itself, also those that no configuration selects.
//!
//! Input:  `#[cfg_attr(feature = "x", rpc(idempotent))] async fn get(&self) -> Result<u64>;`
//! Output: `#[cfg(feature = "x")] #[rpc(idempotent)] async fn get(..)`, `#[cfg(not(feature = "x"))] async fn get(..)`

use proc_macro2::{TokenStream, TokenTree};
use syn::{Attribute, FnArg, ItemTrait, Meta, TraitItem, TraitItemFn, parse_quote};

use super::model::is_option;
use crate::attr::split_commas;

/// Replaces every method that has options of this macro behind a condition; returns whether there was one.
pub(super) fn resolve(item: &mut ItemTrait) -> bool {
    let items = std::mem::take(&mut item.items);
    let before = items.len();
    item.items = items
        .into_iter()
        .flat_map(|entry| match entry {
            TraitItem::Fn(function) => versions(function).into_iter().map(TraitItem::Fn).collect(),
            other => vec![other],
        })
        .collect();
    item.items.len() > before
}

fn versions(function: TraitItemFn) -> Vec<TraitItemFn> {
    let (mut done, mut open) = (Vec::new(), vec![function]);
    while let Some(mut with) = open.pop() {
        let mut without = with.clone();
        let Some(Conditional { predicate, attrs }) = take(&mut without) else {
            done.push(with);
            continue;
        };
        if let Some((at, place)) = places(&mut with).find_map(|place| Some((position(place)?, place))) {
            place.splice(at..=at, attrs);
        }
        with.attrs.push(parse_quote!(#[cfg(#predicate)]));
        without.attrs.push(parse_quote!(#[cfg(not(#predicate))]));
        open.extend([without, with]);
    }
    done
}

/// The parts of `cfg_attr(predicate, attrs)`.
struct Conditional {
    predicate: TokenStream,
    attrs: Vec<Attribute>,
}

/// Removes the first condition on options of this macro.
fn take(function: &mut TraitItemFn) -> Option<Conditional> {
    let (at, place) = places(function).find_map(|place| Some((position(place)?, place)))?;
    conditional(&place.remove(at))
}

/// The attributes of the method, and those of each argument.
fn places(function: &mut TraitItemFn) -> impl Iterator<Item = &mut Vec<Attribute>> {
    let arguments = function.sig.inputs.iter_mut().map(|input| match input {
        FnArg::Typed(input) => &mut input.attrs,
        FnArg::Receiver(receiver) => &mut receiver.attrs,
    });
    std::iter::once(&mut function.attrs).chain(arguments)
}

fn position(attrs: &[Attribute]) -> Option<usize> {
    attrs.iter().position(|attr| conditional(attr).is_some())
}

/// The condition, if there are options of this macro behind it; conditions may be nested.
fn conditional(attr: &Attribute) -> Option<Conditional> {
    let Meta::List(list) = &attr.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let mut parts = split_commas(list.tokens.clone()).into_iter().map(TokenStream::from_iter);
    let predicate = parts.next()?;
    let attrs: Vec<Attribute> = parts.map(attribute).collect::<Option<_>>()?;
    attrs.iter().any(|attr| is_option(attr) || conditional(attr).is_some()).then_some(Conditional { predicate, attrs })
}

fn attribute(meta: TokenStream) -> Option<Attribute> {
    let meta: Meta = syn::parse2(meta).ok()?;
    Some(parse_quote!(#[#meta]))
}

/// Without the invisible groups around fragments of `macro_rules!`.
pub(super) fn ungrouped(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let flat = tokens.iter().flat_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::None => {
            ungrouped(&Vec::from_iter(group.stream()))
        }
        other => vec![other.clone()],
    });
    flat.collect()
}
