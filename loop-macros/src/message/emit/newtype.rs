//! Newtypes, which are on the wire what they wrap.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use super::super::model::Message;
use super::through;

/// Emits `LoopMessage` and `Value`, each item of which asks the inner type.
pub(super) fn newtype(message: &Message<'_>, inner: &Type, text: Option<&str>) -> TokenStream {
    let (ident, runtime) = (message.ident, &message.runtime);
    let [write, write_always, write_all, describe, take, settle, make, read, shape, slot, packing] = [
        "write",
        "write_always",
        "write_all",
        "describe",
        "take",
        "settle",
        "make",
        "read",
        "Shape",
        "Slot",
        "PACKING",
    ]
    .map(|item| through(inner, runtime, "Plain", item));
    let reworded = text.map(|text| quote!(.map_err(|error| error.reworded(#text))));
    quote! {
        #[automatically_derived]
        impl #runtime::LoopMessage for #ident {
            type Owned = Self;

            fn put(&self, n: u32, out: &mut #runtime::Writer) {
                #write(&self.0, n, out);
            }

            fn put_always(&self, n: u32, out: &mut #runtime::Writer) {
                #write_always(&self.0, n, out);
            }

            fn put_all<'a>(
                items: impl ::core::iter::ExactSizeIterator<Item = &'a Self> + ::core::clone::Clone,
                n: u32,
                out: &mut #runtime::Writer,
            ) {
                #write_all(items.map(|item| &item.0), n, out);
            }

            fn field_type(schema: &mut #runtime::Schema) -> #runtime::FieldType {
                #describe(schema)
            }
        }

        #[automatically_derived]
        impl #runtime::Value for #ident {
            type Shape = #shape;
            type Listed = #runtime::Many;
            type Slot<'a> = #slot<'a>;
            const PACKING: #runtime::Packing = #packing;

            fn add<'a>(
                slot: &mut Self::Slot<'a>,
                field: #runtime::Field<'a>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #take(slot, field) #reworded
            }

            fn settle(slot: &mut Self::Slot<'_>) -> ::core::result::Result<(), #runtime::WireError> {
                #settle(slot) #reworded
            }

            fn done(slot: Self::Slot<'_>) -> ::core::result::Result<Self, #runtime::WireError> {
                #make(slot).map(Self) #reworded
            }

            fn read(
                occurrences: &[#runtime::Field<'_>],
                into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #read(occurrences, Self, into) #reworded
            }
        }
    }
}
