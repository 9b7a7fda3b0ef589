//! Structs, and the messages behind variants with named fields.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::{read, respanned, through, through_way};
use crate::message::model::{Field, FieldPlace, Message};

/// Emits:
/// ```text
/// impl Message for Head {
///     const NAME: &'static str = "loop.Head";
///     fn put_fields(&self, __out: &mut Writer) { <String as Plain>::write(&self.height, 1, __out); .. }
///     fn read_fields(__fields: Fields<'_>, __into: &mut dyn Sink<Self>) -> Result<(), WireError> { .. }
///     fn schema(__schema: &mut Schema) { .. }
/// }
/// ```
pub(super) fn structure(message: &Message<'_>, fields: &[Field<'_>]) -> TokenStream {
    let (ident, runtime, name) = (message.ident, &message.runtime, &message.name);
    let puts = puts(runtime, fields, |_, field| quote!(self.#field));
    let out = if puts.is_empty() { quote!(_) } else { quote!(__out) };
    let read = read::read(runtime, fields);
    let (docs, reserved) = (&message.docs, super::reserved(message));
    let members = members(runtime, fields);
    let disjoint = disjoint(runtime, fields);
    let made = fields.iter().map(|field| field.made(runtime));
    quote! {
        #(#made)*

        #[automatically_derived]
        impl #runtime::Message for #ident {
            const NAME: &'static ::core::primitive::str = #name;

            fn put_fields(&self, #out: &mut #runtime::Writer) {
                #puts
            }

            #read

            fn schema(__schema: &mut #runtime::Schema) {
                let mut __shape = #runtime::MessageShape::new(<Self as #runtime::Message>::NAME, #docs);
                #members
                #reserved
                #runtime::Schema::add(__schema, __shape);
            }
        }
        #disjoint
    }
}

/// One statement for each field, what is unknown last; `place` says where the field is.
pub(super) fn puts(
    runtime: &TokenStream,
    fields: &[Field<'_>],
    place: impl Fn(usize, &Ident) -> TokenStream,
) -> TokenStream {
    let put = |(index, field): (usize, &Field<'_>)| {
        let (ty, place) = (field.ty, place(index, field.ident));
        match &field.place {
            FieldPlace::Number(numbered) => {
                let (number, write) = (numbered.number.get(), by_way(field, runtime, "write"));
                quote!(#write(&#place, #number, __out);)
            }
            FieldPlace::Oneof => {
                let put = through(ty, runtime, "OneofField", "put");
                quote!(#put(&#place, __out);)
            }
            FieldPlace::Unknown => {
                let write = through(ty, runtime, "Unknown", "write");
                quote!(#write(&#place, __out);)
            }
            FieldPlace::Skip => TokenStream::new(),
        }
    };
    let unknown = |(_, field): &(usize, &Field<'_>)| matches!(field.place, FieldPlace::Unknown);
    let (last, first): (Vec<_>, Vec<_>) = fields.iter().enumerate().partition(unknown);
    first.into_iter().chain(last).map(put).collect()
}

/// An item of the trait through which a field goes that has a number.
fn by_way(field: &Field<'_>, runtime: &TokenStream, item: &str) -> TokenStream {
    field.way(runtime).map(|way| through_way(field.ty, runtime, &way, item)).unwrap_or_default()
}

fn members(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let member = |field: &Field<'_>| {
        let (ty, name, docs) = (field.ty, &field.name, &field.docs);
        match &field.place {
            FieldPlace::Number(numbered) => {
                let (number, describe) = (numbered.number.get(), by_way(field, runtime, "describe"));
                let add = if numbered.default { quote!(field_or_default) } else { quote!(field) };
                quote!(#runtime::MessageShape::#add(&mut __shape, #number, #name, #describe(__schema), #docs);)
            }
            FieldPlace::Oneof => {
                let of = through(ty, runtime, "OneofField", "shape");
                quote!(#runtime::MessageShape::oneof(&mut __shape, #of(#name, #docs, __schema));)
            }
            FieldPlace::Unknown | FieldPlace::Skip => TokenStream::new(),
        }
    };
    fields.iter().map(member).collect()
}

/// The cases of a oneof are numbered elsewhere: that their numbers differ from those of the fields, and of further
/// oneofs, is checked at compile time, where all of them are known.
fn disjoint(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let numbers: Vec<u32> = fields.iter().filter_map(Field::numbered).map(|numbered| numbered.number.get()).collect();
    let oneofs: Vec<_> = fields.iter().filter(|field| matches!(field.place, FieldPlace::Oneof)).collect();
    let cases = |field: &Field<'_>| through(field.ty, runtime, "OneofField", "CASES");
    let mut checks = TokenStream::new();
    for (index, oneof) in oneofs.iter().enumerate() {
        let span = oneof.ident.span();
        let (runtime, own) = (respanned(runtime, span), cases(oneof));
        checks.extend(quote_spanned!(span=> const _: () = #runtime::assert_disjoint(&[#(#numbers),*], #own);));
        for earlier in oneofs.iter().take(index).map(|earlier| cases(earlier)) {
            checks.extend(quote_spanned!(span=> const _: () = #runtime::assert_disjoint(#earlier, #own);));
        }
    }
    checks
}
