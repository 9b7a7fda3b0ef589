//! Reading a struct: one pass over what came, every field into its slot, then the slots into values.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{spec, through};
use crate::message::model::{Field, Place};

/// The parts of the pass, one of each for every field that is on the wire.
#[derive(Default)]
struct Pass<'a> {
    fields: Vec<&'a Field<'a>>,
    /// The type parameters and their bounds.
    params: Vec<Ident>,
    ways: Vec<Ident>,
    slots: Vec<TokenStream>,
    arms: Vec<TokenStream>,
    oneofs: Vec<TokenStream>,
    made: Vec<TokenStream>,
    /// Any item of the trait, by the user's type.
    named: Vec<TokenStream>,
}

/// Emits `fn read_fields`:
/// ```text
/// fn read<T0: Plain, T1: OrDefault>(mut fields: Fields<'_>) -> Result<(T0, T1,), WireError> {
///     const FIELD0: FieldSpec = ..;
///     let mut slot0 = T0::slot();
///     while let Some(field) = fields.next()? {
///         match field.number() { 1 => T0::take(&mut slot0, field).map_err(..)?, .. }
///     }
///     Ok((T0::make(slot0).map_err(..)?, ..))
/// }
/// let _ = <String as Plain>::describe; ..
/// let (value0, value1,) = read::<String, Inner>(fields)?;
/// Ok(Self { name: value0, inner: value1 })
/// ```
///
/// The pass is generic, so that it meets the types of the user in one place only, its call. What goes before the call does
/// nothing: of a type that cannot cross, rustc says there what it says in every other item, and prints the same words once.
pub(super) fn read(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let mut pass = Pass::default();
    let mut skipped = Vec::new();
    for field in fields {
        match &field.place {
            Place::Skip => {
                let (ident, default) = (field.ident, through(field.ty, &quote!(::core::default), "Default", "default"));
                skipped.push(quote!(#ident: #default()));
            }
            _ => pass.field(runtime, field),
        }
    }
    let Pass { fields, params, ways, slots, arms, oneofs, made, named } = pass;
    if fields.is_empty() {
        return quote! {
            fn read_fields(mut fields: #runtime::Fields<'_>) -> ::core::result::Result<Self, #runtime::WireError> {
                while fields.next()?.is_some() {}
                ::core::result::Result::Ok(Self { #(#skipped),* })
            }
        };
    }
    let rest = if oneofs.is_empty() { quote!({}) } else { quote!({ let _ = #(#oneofs)||*; }) };
    let (types, idents) = (fields.iter().map(|field| field.ty), fields.iter().map(|field| field.ident));
    let values: Vec<_> = (0..fields.len()).map(|index| format_ident!("value{index}")).collect();
    quote! {
        fn read_fields(fields: #runtime::Fields<'_>) -> ::core::result::Result<Self, #runtime::WireError> {
            fn read<#(#params: #runtime::#ways),*>(
                mut fields: #runtime::Fields<'_>,
            ) -> ::core::result::Result<(#(#params,)*), #runtime::WireError> {
                #(#slots)*
                while let ::core::option::Option::Some(field) = fields.next()? {
                    match field.number() {
                        #(#arms)*
                        _ => #rest
                    }
                }
                ::core::result::Result::Ok((#(#made,)*))
            }
            #(let _ = #named;)*
            let (#(#values,)*) = read::<#(#types),*>(fields)?;
            ::core::result::Result::Ok(Self { #(#idents: #values,)* #(#skipped),* })
        }
    }
}

impl<'a> Pass<'a> {
    fn field(&mut self, runtime: &TokenStream, field: &'a Field<'a>) {
        let index = self.fields.len();
        let (param, slot) = (format_ident!("T{index}"), format_ident!("slot{index}"));
        let (way, item) = match &field.place {
            Place::Number(numbered) => {
                let number = numbered.number.get();
                let (known, spec) =
                    (format_ident!("FIELD{index}"), spec(runtime, number, &field.name, numbered.text.as_deref()));
                self.slots.push(quote! {
                    const #known: #runtime::FieldSpec = #spec;
                    let mut #slot = #param::slot();
                });
                self.arms.push(quote!(#number => #param::take(&mut #slot, field).map_err(|error| error.at(&#known))?,));
                self.made.push(quote!(#param::make(#slot).map_err(|error| error.at(&#known))?));
                (numbered.way(), "describe")
            }
            Place::Oneof | Place::Skip => {
                let name = &field.name;
                self.slots.push(quote!(let mut #slot = #runtime::Case::default();));
                self.oneofs.push(quote!(#param::offer(&mut #slot, field)?));
                self.made.push(quote!(#param::done(#slot).map_err(|error| error.within(#name))?));
                ("OneofField", "shape")
            }
        };
        self.named.push(through(field.ty, runtime, way, item));
        self.fields.push(field);
        self.params.push(param);
        self.ways.push(format_ident!("{way}"));
    }
}
