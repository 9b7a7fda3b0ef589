//! Enums without data: numbers with names.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Enum, Message};

/// Emits `LoopMessage` and `Value` over `i32`, between two functions that know the variants.
pub(super) fn enumeration(message: &Message<'_>, of: &Enum<'_>) -> TokenStream {
    let (ident, runtime, name, docs) = (message.ident, &message.runtime, &message.name, &message.docs);
    let variants: Vec<_> = of.values.iter().map(|value| value.ident).collect();
    // An enum's numbers are checked to fit.
    let numbers: Vec<_> = of.values.iter().map(|value| value.number.get().cast_signed()).collect();
    let (names, comments): (Vec<_>, Vec<_>) = of.values.iter().map(|value| (&value.name, &value.docs)).unzip();
    let reserved =
        message.reserved.iter().map(|range| (range.first, range.last)).map(|(a, b)| quote!(.reserve(#a..=#b)));
    let keep = of.unknown.map(|unknown| quote!(#ident::#unknown(number) => *number,));
    let rest = match of.unknown {
        Some(unknown) => quote!(number => ::core::result::Result::Ok(Self::#unknown(number)),),
        None => {
            let why = format!("{{number}} is no `{ident}`");
            quote!(number => ::core::result::Result::Err(#runtime::WireError::refused(::std::format!(#why), number)),)
        }
    };
    quote! {
        fn number(value: &#ident) -> i32 {
            match value {
                #(#ident::#variants => #numbers,)*
                #keep
            }
        }

        #[automatically_derived]
        impl #runtime::LoopMessage for #ident {
            type Owned = Self;

            fn put(&self, n: u32, out: &mut #runtime::Writer) {
                <i32 as #runtime::LoopMessage>::put(&number(self), n, out);
            }

            fn put_always(&self, n: u32, out: &mut #runtime::Writer) {
                <i32 as #runtime::LoopMessage>::put_always(&number(self), n, out);
            }

            fn put_all<'a>(
                items: impl ::core::iter::ExactSizeIterator<Item = &'a Self> + ::core::clone::Clone,
                n: u32,
                out: &mut #runtime::Writer,
            ) {
                #runtime::put_enums(items.map(number), n, out);
            }

            fn field_type(schema: &mut #runtime::Schema) -> #runtime::FieldType {
                schema.enumeration(
                    #runtime::EnumShape::new(#name, #docs) #(.value(#numbers, #names, #comments))* #(#reserved)*
                )
            }
        }

        #[automatically_derived]
        impl #runtime::Value for #ident {
            type Shape = #runtime::One;
            type Listed = #runtime::Many;
            type Slot<'a> = <i32 as #runtime::Value>::Slot<'a>;
            const PACKING: #runtime::Packing = <i32 as #runtime::Value>::PACKING;

            fn add<'a>(
                slot: &mut Self::Slot<'a>,
                field: #runtime::Field<'a>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                <i32 as #runtime::Value>::add(slot, field)
            }

            fn done(slot: Self::Slot<'_>) -> ::core::result::Result<Self, #runtime::WireError> {
                match <i32 as #runtime::Value>::done(slot)? {
                    #(#numbers => ::core::result::Result::Ok(Self::#variants),)*
                    #rest
                }
            }
        }
    }
}
