//! Structs, and the messages behind variants with named fields.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::{read, respanned, through};
use crate::message::model::{Field, Message, Place};

/// Emits:
/// ```text
/// impl Message for Head {
///     const NAME: &'static str = "loop.Head";
///     fn put_fields(&self, out: &mut Writer) { <String as LoopMessage>::put(&self.height, 1, out); .. }
///     fn read_fields<'wire>(mut fields: Fields<'wire>) -> Result<Self, WireError> { .. }
///     fn schema(schema: &mut Schema) { .. }
/// }
/// ```
pub(super) fn structure(message: &Message<'_>, fields: &[Field<'_>]) -> TokenStream {
    let (ident, runtime, name) = (message.ident, &message.runtime, &message.name);
    let puts = puts(runtime, fields, |field| quote!(self.#field));
    let out = if puts.is_empty() { quote!(_) } else { quote!(out) };
    let read = read::read(runtime, fields);
    let (docs, reserved) = (&message.docs, super::reserved(message));
    let members = members(runtime, fields);
    let disjoint = disjoint(runtime, fields);
    quote! {
        #[automatically_derived]
        impl #runtime::Message for #ident {
            const NAME: &'static str = #name;

            fn put_fields(&self, #out: &mut #runtime::Writer) {
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
                let (number, write) = (numbered.number.get(), through(ty, runtime, numbered.way(), "write"));
                quote!(#write(&#place, #number, out);)
            }
            Place::Oneof => {
                let put = through(ty, runtime, "OneofField", "put");
                quote!(#put(&#place, out);)
            }
            Place::Skip => TokenStream::new(),
        }
    };
    fields.iter().map(put).collect()
}

fn members(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let member = |field: &Field<'_>| {
        let (ty, name, docs) = (field.ty, &field.name, &field.docs);
        match &field.place {
            Place::Number(numbered) => {
                let (number, describe) = (numbered.number.get(), through(ty, runtime, numbered.way(), "describe"));
                quote!(shape.field(#number, #name, #describe(schema), #docs);)
            }
            Place::Oneof => {
                let of = through(ty, runtime, "OneofField", "shape");
                quote!(shape.oneof(#of(#name, #docs, schema));)
            }
            Place::Skip => TokenStream::new(),
        }
    };
    fields.iter().map(member).collect()
}

/// The cases of a oneof are numbered elsewhere: that they are other numbers than those of the fields, and of further
/// oneofs, is checked where all of them are known.
fn disjoint(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let numbers: Vec<u32> = fields.iter().filter_map(Field::numbered).map(|numbered| numbered.number.get()).collect();
    let oneofs: Vec<_> = fields.iter().filter(|field| matches!(field.place, Place::Oneof)).collect();
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
