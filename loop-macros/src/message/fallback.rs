//! The impls that a type with a mistake still gets, so that its uses do not add errors of their own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Generics, parse_quote};

/// Emits impls that are never run.
pub(crate) fn fallback(item: &DeriveInput) -> TokenStream {
    if matches!(item.data, Data::Union(_)) {
        return TokenStream::new();
    }
    let ident = &item.ident;
    let runtime = quote!(::loop_runtime::__private::wire);
    let generics = generics(item);
    let (generics, own, bounds) = generics.split_for_impl();
    let oneof = is_oneof(item).then(|| {
        quote! {
            #[automatically_derived]
            impl #generics #runtime::Oneof for #ident #own #bounds {
                const NUMBERS: &'static [u32] = &[];
                fn put_case(&self, _: &mut #runtime::Writer) {}
                fn read_case(
                    _: &#runtime::Case<'_>,
                    _: &mut dyn #runtime::Sink<Self>,
                ) -> ::core::result::Result<(), #runtime::WireError> {
                    ::core::result::Result::Err(#runtime::WireError::missing())
                }
                fn unset() -> ::core::option::Option<Self> {
                    ::core::option::Option::None
                }
                fn cases(_: &mut #runtime::OneofShape, _: &mut #runtime::Schema) {}
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #generics #runtime::Message for #ident #own #bounds {
            const NAME: &'static str = "";
            fn put_fields(&self, _: &mut #runtime::Writer) {}
            fn read_fields(
                _: #runtime::Fields<'_>,
                _: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                ::core::result::Result::Err(#runtime::WireError::missing())
            }
            fn schema(_: &mut #runtime::Schema) {}
        }
        #oneof
    }
}

/// The type parameters, which are a mistake, with the bounds that the traits require.
pub(crate) fn generics(item: &DeriveInput) -> Generics {
    let (ident, mut generics) = (&item.ident, item.generics.clone());
    if !generics.params.is_empty() {
        let (_, own, _) = item.generics.split_for_impl();
        generics.make_where_clause().predicates.push(parse_quote! {
            #ident #own: ::core::marker::Send + ::core::marker::Sync + 'static
        });
    }
    generics
}

fn is_oneof(item: &DeriveInput) -> bool {
    match &item.data {
        Data::Enum(data) => data.variants.iter().any(|variant| !matches!(variant.fields, Fields::Unit)),
        Data::Struct(_) | Data::Union(_) => false,
    }
}
