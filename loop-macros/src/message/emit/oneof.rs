//! Enums with data: a message with one oneof, or the oneof of the message around it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::super::model::{Case, Content, Field, Kind, Message, Oneof};
use super::{spec, structure, through, variant};

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
        let describe = through(&ty, runtime, "Content", "describe");
        cases.push(quote!(shape.case(#number, #name, #describe(schema), #docs);));
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
            const NUMBERS: &'static [u32] = &[#(#numbers),*];

            fn put_case(&self, out: &mut #runtime::Writer) {
                match self {
                    #(#puts)*
                    #(Self::#nothing { .. } => {})*
                }
            }

            fn read_case(
                case: &#runtime::Case<'_>,
                into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                match case.number() {
                    #(#reads)*
                    _ => #runtime::unset(into),
                }
            }

            fn unset() -> ::core::option::Option<Self> {
                #unset
            }

            fn cases(shape: &mut #runtime::OneofShape, schema: &mut #runtime::Schema) {
                #(#cases)*
            }
        }

        #[automatically_derived]
        impl #runtime::Message for #ident {
            const NAME: &'static str = #name;

            fn put_fields(&self, out: &mut #runtime::Writer) {
                <Self as #runtime::Oneof>::put_case(self, out);
            }

            fn read_fields(
                fields: #runtime::Fields<'_>,
                into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #runtime::read_oneof(fields, into)
            }

            fn schema(schema: &mut #runtime::Schema) {
                let mut shape = #runtime::MessageShape::new(Self::NAME, #docs);
                shape.oneof(<Self as #runtime::OneofField>::shape(#oneof_name, "", schema));
                #reserved
                schema.add(shape);
            }
        }
    }
}

/// What a case holds, as a type.
fn content_type(message: &Message<'_>, case: &Case<'_>) -> TokenStream {
    let runtime = &message.runtime;
    match &case.content {
        Content::Unit => quote!(#runtime::Empty),
        Content::One(ty) => quote!(#ty),
        Content::Fields(_) => {
            let body = format_ident!("{}{}", message.ident, case.ident);
            quote!(#body)
        }
    }
}

fn put(runtime: &TokenStream, case: &Case<'_>) -> TokenStream {
    let (path, number) = (variant(case.ident), case.number.get());
    match &case.content {
        Content::Unit => {
            quote!(#path => <#runtime::Empty as #runtime::Content>::write(&#runtime::Empty, #number, out),)
        }
        Content::One(ty) => {
            let write = through(ty, runtime, "Content", "write");
            quote!(#path(value) => #write(value, #number, out),)
        }
        Content::Fields(fields) => {
            let bound = fields.iter().map(|field| field.ident);
            let used = fields.iter().map(|field| field.ident);
            let puts = structure::puts(runtime, fields, |field| quote!(*#field));
            // A skipped field is bound and not used.
            quote!(#path { #(#bound),* } => #runtime::nested(#number, out, |out| { #(let _ = #used;)* #puts }),)
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
            quote!(|body| #path { #(#fields: body.#fields),* })
        }
    };
    let read = through(&ty, runtime, "Content", "read");
    quote!(#number => #read(case, const { &#spec }, #made, into),)
}

/// The message behind a variant with named fields, of which only the reading half is ever used by itself.
fn body(message: &Message<'_>, case: &Case<'_>, fields: &[Field<'_>]) -> TokenStream {
    let ident = format_ident!("{}{}", message.ident, case.ident);
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
