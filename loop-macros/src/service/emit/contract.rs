//! The trait itself, as the user wrote it but for what `dyn` needs.
//!
//! Input:  `async fn latest(&self, id: &str) -> Result<Head>;`
//! Output: `fn latest(&self, id: &str) -> impl Future<Output = Result<Head>> + Send where Self: Sized;`

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{FnArg, ReturnType, Signature, TraitItem, TraitItemFn};

use crate::service::docs;
use crate::service::model::{Service, is_ours};

/// Emits the trait; `erased` is its hidden half, absent in the fallback.
pub(crate) fn contract(service: &Service<'_>, erased: Option<&Ident>) -> TokenStream {
    let item = service.item;
    let attrs = item.attrs.iter().filter(|attr| !is_ours(attr));
    let docs = erased.map(|_| docs::paragraph(service));
    let syn::ItemTrait { vis, unsafety, trait_token, ident, generics, .. } = item;
    let where_clause = &generics.where_clause;
    let bounds = item.supertraits.iter().map(ToTokens::to_token_stream).chain(erased.map(ToTokens::to_token_stream));
    let items = item.items.iter().map(|entry| match entry {
        TraitItem::Fn(function) => declared(function),
        other => other.to_token_stream(),
    });
    quote! {
        #(#attrs)*
        #docs
        #vis #unsafety #trait_token #ident #generics:
            #(#bounds +)* ::core::marker::Send + ::core::marker::Sync + 'static
        #where_clause
        { #(#items)* }
    }
}

fn declared(item: &TraitItemFn) -> TokenStream {
    let attrs = item.attrs.iter().filter(|attr| !is_ours(attr));
    let Signature { constness, safety, abi, fn_token, ident, generics, asyncness, output, .. } = &item.sig;
    let where_clause = &generics.where_clause;
    let inputs = signature(&item.sig);
    let body = item.default.as_ref();
    let Some(_) = asyncness else {
        let body = body.map_or_else(|| quote!(;), ToTokens::to_token_stream);
        // Not an accessor but a mistake: it must not spoil `dyn Trait` as well.
        let sized = (!is_dispatchable(&item.sig)).then(|| quote!(where Self: ::core::marker::Sized));
        let bounds = if where_clause.is_some() { where_clause.to_token_stream() } else { sized.unwrap_or_default() };
        return quote!(#(#attrs)* #constness #safety #abi #fn_token #ident #generics(#inputs) #output #bounds #body);
    };
    let result = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
    let body = body.map_or_else(|| quote!(;), |body| quote!({ async move #body }));
    quote! {
        #(#attrs)*
        #constness #safety #abi #fn_token #ident #generics(#inputs)
            -> impl ::core::future::Future<Output = #result> + ::core::marker::Send
        where Self: ::core::marker::Sized, #(#predicates),*
        #body
    }
}

/// The inputs without our attributes.
pub(crate) fn signature(sig: &Signature) -> TokenStream {
    let inputs = sig.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => receiver.to_token_stream(),
        FnArg::Typed(argument) => {
            let attrs = argument.attrs.iter().filter(|attr| !is_ours(attr));
            let (pat, ty) = (&argument.pat, &argument.ty);
            quote!(#(#attrs)* #pat: #ty)
        }
    });
    quote!(#(#inputs),*)
}

fn is_dispatchable(sig: &Signature) -> bool {
    let by_reference = matches!(sig.inputs.first(), Some(FnArg::Receiver(receiver)) if matches!(receiver.kind, syn::ReceiverKind::Reference(..)));
    let opaque = matches!(&sig.output, ReturnType::Type(_, ty) if matches!(**ty, syn::Type::ImplTrait(_)));
    by_reference && sig.generics.params.is_empty() && !opaque
}
