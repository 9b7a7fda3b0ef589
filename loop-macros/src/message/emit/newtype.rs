//! Newtypes, which are encoded like the type that they wrap.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use super::super::model::Message;
use super::through;

/// Emits `LoopMessage` and `Value`, each item of which delegates to the inner type.
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
    let reworded = text.map(|text| quote!(.map_err(|__error| __error.reworded(#text))));
    quote! {
        #[automatically_derived]
        impl #runtime::LoopMessage for #ident {
            type Owned = Self;

            fn put(&self, __n: ::core::primitive::u32, __out: &mut #runtime::Writer) {
                #write(&self.0, __n, __out);
            }

            fn put_always(&self, __n: ::core::primitive::u32, __out: &mut #runtime::Writer) {
                #write_always(&self.0, __n, __out);
            }

            fn put_all<'a>(
                __items: impl ::core::iter::ExactSizeIterator<Item = &'a Self> + ::core::clone::Clone,
                __n: ::core::primitive::u32,
                __out: &mut #runtime::Writer,
            ) {
                #write_all(::core::iter::Iterator::map(__items, |__item| &__item.0), __n, __out);
            }

            fn field_type(__schema: &mut #runtime::Schema) -> #runtime::FieldType {
                #describe(__schema)
            }
        }

        #[automatically_derived]
        impl #runtime::Value for #ident {
            type Shape = #shape;
            type Listed = #runtime::Many;
            type Slot<'a> = #slot<'a>;
            const PACKING: #runtime::Packing = #packing;

            fn add<'a>(
                __slot: &mut <Self as #runtime::Value>::Slot<'a>,
                __field: #runtime::Field<'a>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #take(__slot, __field) #reworded
            }

            fn settle(
                __slot: &mut <Self as #runtime::Value>::Slot<'_>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #settle(__slot) #reworded
            }

            fn done(
                __slot: <Self as #runtime::Value>::Slot<'_>,
            ) -> ::core::result::Result<Self, #runtime::WireError> {
                #make(__slot).map(Self) #reworded
            }

            fn read(
                __occurrences: &[#runtime::Field<'_>],
                __into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #read(__occurrences, Self, __into) #reworded
            }
        }
    }
}
