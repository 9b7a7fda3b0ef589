//! Structs, and the messages behind variants with named fields.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::spec;
use crate::message::model::{Field, Message, Place};

/// Emits:
/// ```text
/// impl Message for Head {
///     const NAME: &'static str = "loop.Head";
///     fn put_fields(&self, out: &mut BytesMut) { <String as LoopMessage>::put(&self.height, 1, out); .. }
///     fn read_fields<'wire>(mut fields: Fields<'wire>) -> Result<Self, WireError> { .. }
///     fn schema(schema: &mut Schema) { .. }
/// }
/// ```
pub(super) fn structure(message: &Message<'_>, fields: &[Field<'_>]) -> TokenStream {
    let (ident, runtime, name) = (message.ident, &message.runtime, &message.name);
    let puts = puts(runtime, fields, |field| quote!(self.#field));
    let out = if puts.is_empty() { quote!(_) } else { quote!(out) };
    let read = read(runtime, fields);
    let (docs, reserved) = (&message.docs, super::reserved(message));
    let members = members(runtime, fields);
    let disjoint = disjoint(runtime, fields);
    quote! {
        #[automatically_derived]
        impl #runtime::Message for #ident {
            const NAME: &'static str = #name;

            fn put_fields(&self, #out: &mut #runtime::BytesMut) {
                #puts
            }

            #read

            fn schema(schema: &mut #runtime::Schema) {
                #[allow(unused_mut)]
                let mut shape = #runtime::MessageShape::new(Self::NAME, #docs);
                #members
                #reserved
                schema.add(shape);
            }
        }
        #disjoint
    }
}

/// One statement for each field; `place` says where the field is.
pub(super) fn puts(runtime: &TokenStream, fields: &[Field<'_>], place: impl Fn(&Ident) -> TokenStream) -> TokenStream {
    let put = |field: &Field<'_>| {
        let (ty, place) = (field.ty, place(field.ident));
        match &field.place {
            Place::Number(numbered) => {
                let number = numbered.number.get();
                if numbered.nanos {
                    quote!(<#runtime::Nanos<#ty> as #runtime::LoopMessage>::put(&#runtime::Nanos(#place), #number, out);)
                } else {
                    quote!(<#ty as #runtime::LoopMessage>::put(&#place, #number, out);)
                }
            }
            Place::Oneof => quote!(<#ty as #runtime::OneofField>::put(&#place, out);),
            Place::Skip => TokenStream::new(),
        }
    };
    fields.iter().map(put).collect()
}

/// One pass over what came, every field into its slot, then the slots into the fields.
fn read(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let (mut slots, mut arms, mut oneofs, mut made) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, field) in fields.iter().enumerate() {
        let (ident, ty) = (field.ident, field.ty);
        let (slot, known) = (format_ident!("slot{index}"), format_ident!("FIELD{index}"));
        match &field.place {
            Place::Number(numbered) => {
                let number = numbered.number.get();
                let spec = spec(runtime, number, &field.name, numbered.text.as_deref());
                let read_as = numbered.read_as(ty, runtime);
                let value = quote!(<#read_as as #runtime::Value>);
                slots.push(quote! {
                    const #known: #runtime::FieldSpec = #spec;
                    let mut #slot: #value::Slot<'wire> = ::core::default::Default::default();
                });
                arms.push(quote!(#number => #value::add(&mut #slot, field).map_err(|error| error.at(&#known))?,));
                let rest = match (numbered.nanos, numbered.default) {
                    (true, _) => quote!(.0),
                    (false, true) => quote!(.unwrap_or_default()),
                    (false, false) => TokenStream::new(),
                };
                made.push(quote!(#ident: #value::done(#slot).map_err(|error| error.at(&#known))? #rest));
            }
            Place::Oneof => {
                let name = &field.name;
                slots.push(quote!(let mut #slot = #runtime::Case::default();));
                oneofs.push(quote!(<#ty as #runtime::OneofField>::offer(&mut #slot, field)?));
                made.push(
                    quote!(#ident: <#ty as #runtime::OneofField>::done(#slot).map_err(|error| error.within(#name))?),
                );
            }
            Place::Skip => made.push(quote!(#ident: ::core::default::Default::default())),
        }
    }
    let rest = if oneofs.is_empty() { quote!({}) } else { quote!({ let _ = #(#oneofs)||*; }) };
    let each = if arms.is_empty() && oneofs.is_empty() {
        quote!(while fields.next()?.is_some() {})
    } else {
        quote! {
            while let ::core::option::Option::Some(field) = fields.next()? {
                match field.number() {
                    #(#arms)*
                    _ => #rest
                }
            }
        }
    };
    quote! {
        fn read_fields<'wire>(
            mut fields: #runtime::Fields<'wire>,
        ) -> ::core::result::Result<Self, #runtime::WireError> {
            #(#slots)*
            #each
            ::core::result::Result::Ok(Self { #(#made),* })
        }
    }
}

fn members(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let member = |field: &Field<'_>| {
        let (ty, name, docs) = (field.ty, &field.name, &field.docs);
        match &field.place {
            Place::Number(numbered) => {
                let number = numbered.number.get();
                let ty = if numbered.nanos { quote!(#runtime::Nanos<#ty>) } else { quote!(#ty) };
                quote!(shape.field(#number, #name, <#ty as #runtime::LoopMessage>::field_type(schema), #docs);)
            }
            Place::Oneof => quote!(shape.oneof(<#ty as #runtime::OneofField>::shape(#name, #docs, schema));),
            Place::Skip => TokenStream::new(),
        }
    };
    fields.iter().map(member).collect()
}

/// The cases of a oneof are numbered elsewhere: that they are other numbers than those of the fields, and of further
/// oneofs, is checked where all of them are known.
fn disjoint(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let numbers: Vec<u32> = fields.iter().filter_map(Field::numbered).map(|numbered| numbered.number.get()).collect();
    let oneofs: Vec<TokenStream> = fields
        .iter()
        .filter(|field| matches!(field.place, Place::Oneof))
        .map(|field| field.ty)
        .map(|ty| quote!(<<#ty as #runtime::OneofField>::Of as #runtime::Oneof>::NUMBERS))
        .collect();
    let mut checks = TokenStream::new();
    for (index, oneof) in oneofs.iter().enumerate() {
        checks.extend(quote!(const _: () = #runtime::assert_disjoint(&[#(#numbers),*], #oneof);));
        for earlier in oneofs.iter().take(index) {
            checks.extend(quote!(const _: () = #runtime::assert_disjoint(#earlier, #oneof);));
        }
    }
    checks
}
