//! Enums without data: numbers with names.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::model::{Enum, Message};

/// Emits `LoopMessage` and `Value` over `i32`, with two conversion functions for the variants.
pub(super) fn enumeration(message: &Message<'_>, of: &Enum<'_>) -> TokenStream {
    let (ident, runtime, name, docs) = (message.ident, &message.runtime, &message.name, &message.docs);
    let variants: Vec<_> = of.values.iter().map(|value| value.ident).collect();
    let numbers: Vec<_> = of.values.iter().map(|value| value.number.of_value()).collect();
    let named = of.values.iter().map(|value| {
        let (number, name, docs, aliases) = (value.number.of_value(), &value.name, &value.docs, &value.aliases);
        quote!(.value(#number, #name, #docs) #(.value(#number, #aliases, ""))*)
    });
    let reserved =
        message.reserved.iter().map(|range| (range.first, range.last)).map(|(a, b)| quote!(.reserve(#a..=#b)));
    let keep = of.unknown.map(|unknown| quote!(#ident::#unknown(__number) => *__number,));
    let rest = match of.unknown {
        Some(unknown) => quote!(__number => ::core::result::Result::Ok(Self::#unknown(__number)),),
        None => {
            let why = format!("{{}} is no `{ident}`");
            quote! {
                __number => ::core::result::Result::Err(
                    #runtime::WireError::refused(::std::format!(#why, __number), __number),
                ),
            }
        }
    };
    quote! {
        fn __number(__value: &#ident) -> ::core::primitive::i32 {
            match __value {
                #(#ident::#variants => #numbers,)*
                #keep
            }
        }

        #[automatically_derived]
        impl #runtime::LoopMessage for #ident {
            type Owned = Self;

            fn put(&self, __n: ::core::primitive::u32, __out: &mut #runtime::Writer) {
                <::core::primitive::i32 as #runtime::LoopMessage>::put(&__number(self), __n, __out);
            }

            fn put_always(&self, __n: ::core::primitive::u32, __out: &mut #runtime::Writer) {
                <::core::primitive::i32 as #runtime::LoopMessage>::put_always(&__number(self), __n, __out);
            }

            fn put_all<'a>(
                __items: impl ::core::iter::ExactSizeIterator<Item = &'a Self> + ::core::clone::Clone,
                __n: ::core::primitive::u32,
                __out: &mut #runtime::Writer,
            ) {
                #runtime::put_enums(::core::iter::Iterator::map(__items, __number), __n, __out);
            }

            fn field_type(__schema: &mut #runtime::Schema) -> #runtime::FieldType {
                #runtime::Schema::enumeration(
                    __schema,
                    #runtime::EnumShape::new(#name, #docs) #(#named)* #(#reserved)*
                )
            }
        }

        #[automatically_derived]
        impl #runtime::Value for #ident {
            type Shape = #runtime::One;
            type Listed = #runtime::Many;
            type Slot<'a> = <::core::primitive::i32 as #runtime::Value>::Slot<'a>;
            const PACKING: #runtime::Packing = <::core::primitive::i32 as #runtime::Value>::PACKING;

            fn add<'a>(
                __slot: &mut <Self as #runtime::Value>::Slot<'a>,
                __field: #runtime::Field<'a>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                <::core::primitive::i32 as #runtime::Value>::add(__slot, __field)
            }

            fn done(
                __slot: <Self as #runtime::Value>::Slot<'_>,
            ) -> ::core::result::Result<Self, #runtime::WireError> {
                match <::core::primitive::i32 as #runtime::Value>::done(__slot)? {
                    #(#numbers => ::core::result::Result::Ok(Self::#variants),)*
                    #rest
                }
            }
        }
    }
}
