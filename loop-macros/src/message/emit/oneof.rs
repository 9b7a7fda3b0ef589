//! Enums with data: a message with one oneof, or the oneof of the message around it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::super::model::{Case, Content, Field, Kind, Message, Oneof};
use super::{spec, structure, through_way, variant};

/// Emits `Oneof`, `Message` over it, and a message for each variant with named fields.
pub(crate) fn oneof(message: &Message<'_>, of: &Oneof<'_>) -> TokenStream {
    let (ident, runtime, name) = (message.ident, &message.runtime, &message.name);
    let (docs, oneof_name, reserved) = (&message.docs, &of.name, super::reserved(message));
    let numbers = of.cases.iter().map(|case| case.number.get());
    let (mut puts, mut reads, mut cases, mut bodies) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for case in &of.cases {
        puts.push(put(runtime, case));
        reads.push(read(message, case));
        let (number, name, docs) = (case.number.get(), &case.name, &case.docs);
        let ty = content_type(message, case);
        let describe = through_way(&ty, runtime, &case.way(runtime), "describe");
        cases.push(quote!(#runtime::OneofShape::case(__shape, #number, #name, #describe(__schema), #docs);));
        bodies.push(case.made(runtime));
        if let Content::Fields(fields) = &case.content {
            bodies.push(body(message, case, fields));
        }
    }
    let nothing = of.unknown.iter().chain(&of.unwritten);
    let unset = match of.unknown {
        Some(unknown) => quote!(::core::option::Option::Some(Self::#unknown)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #(#bodies)*

        #[automatically_derived]
        impl #runtime::Oneof for #ident {
            const NUMBERS: &'static [::core::primitive::u32] = &[#(#numbers),*];

            fn put_case(&self, __out: &mut #runtime::Writer) {
                match self {
                    #(#puts)*
                    #(Self::#nothing { .. } => {})*
                }
            }

            fn read_case(
                __case: &#runtime::Case<'_>,
                __into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                match #runtime::Case::number(__case) {
                    #(#reads)*
                    _ => #runtime::unset(__into),
                }
            }

            fn unset() -> ::core::option::Option<Self> {
                #unset
            }

            fn cases(__shape: &mut #runtime::OneofShape, __schema: &mut #runtime::Schema) {
                #(#cases)*
            }
        }

        #[automatically_derived]
        impl #runtime::Message for #ident {
            const NAME: &'static ::core::primitive::str = #name;

            fn put_fields(&self, __out: &mut #runtime::Writer) {
                <Self as #runtime::Oneof>::put_case(self, __out);
            }

            fn read_fields(
                __fields: #runtime::Fields<'_>,
                __into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #runtime::read_oneof(__fields, __into)
            }

            fn schema(__schema: &mut #runtime::Schema) {
                let mut __shape = #runtime::MessageShape::new(<Self as #runtime::Message>::NAME, #docs);
                let __oneof = <Self as #runtime::OneofField>::shape(#oneof_name, "", __schema);
                #runtime::MessageShape::oneof(&mut __shape, __oneof);
                #reserved
                #runtime::Schema::add(__schema, __shape);
            }
        }
    }
}

/// The type of a case's content.
fn content_type(message: &Message<'_>, case: &Case<'_>) -> TokenStream {
    let runtime = &message.runtime;
    match &case.content {
        Content::Unit => quote!(#runtime::Empty),
        Content::One(ty) => quote!(#ty),
        Content::Fields(_) => {
            let body = body_name(message, case);
            quote!(#body)
        }
    }
}

fn put(runtime: &TokenStream, case: &Case<'_>) -> TokenStream {
    let (path, number) = (variant(case.ident), case.number.get());
    match &case.content {
        Content::Unit => {
            quote!(#path => <#runtime::Empty as #runtime::Content>::write(&#runtime::Empty, #number, __out),)
        }
        Content::One(ty) => {
            let write = through_way(ty, runtime, &case.way(runtime), "write");
            quote!(#path(__value) => #write(__value, #number, __out),)
        }
        Content::Fields(fields) => {
            let idents = fields.iter().map(|field| field.ident);
            let values: Vec<_> = (0..fields.len()).map(|index| format_ident!("__value{index}")).collect();
            let puts = structure::puts(runtime, fields, |index, _| {
                let value = &values[index];
                quote!(*#value)
            });
            // A skipped field is bound and not used.
            quote! {
                #path { #(#idents: #values),* } => {
                    #runtime::nested(#number, __out, |__out| { #(let _ = #values;)* #puts })
                }
            }
        }
    }
}

fn read(message: &Message<'_>, case: &Case<'_>) -> TokenStream {
    let (path, number, runtime) = (variant(case.ident), case.number.get(), &message.runtime);
    let spec = spec(runtime, number, &case.name, case.text.as_deref());
    let ty = content_type(message, case);
    let made = match &case.content {
        Content::Unit => quote!(|_| #path),
        Content::One(_) => quote!(#path),
        Content::Fields(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| field.ident).collect();
            quote!(|__body| #path { #(#fields: __body.#fields),* })
        }
    };
    let read = through_way(&ty, runtime, &case.way(runtime), "read");
    quote!(#number => #read(__case, const { &#spec }, #made, __into),)
}

/// A name that no user's message has, such as the one that this variant holds.
fn body_name(message: &Message<'_>, case: &Case<'_>) -> Ident {
    format_ident!("__{}{}", message.ident, case.ident, span = Span::mixed_site())
}

/// The message of a variant with named fields, of which only the reading half is used by itself.
fn body(message: &Message<'_>, case: &Case<'_>, fields: &[Field<'_>]) -> TokenStream {
    let ident = body_name(message, case);
    let declared = fields.iter().map(|field| (field.ident, field.ty)).map(|(ident, ty)| quote!(#ident: #ty));
    let body = Message {
        ident: &ident,
        runtime: message.runtime.clone(),
        name: format!("{}{}", message.name, case.ident),
        docs: case.docs.clone(),
        reserved: Vec::new(),
        kind: Kind::Struct(Vec::new()),
    };
    let impls = structure::structure(&body, fields);
    quote! {
        struct #ident { #(#declared),* }
        #impls
    }
}
