//! The trait itself, as the user wrote it except for what `dyn` needs.
//!
//! Input:  `async fn latest(&self, id: &str) -> Result<Head>;`
//! Output: `fn latest(&self, id: &str) -> impl Future<Output = Result<Head>> + Send where Self: Sized;`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{FnArg, Pat, ReturnType, Signature, TraitItem, TraitItemFn, Type, TypeParamBound};

use crate::service::docs;
use crate::service::model::{Service, is_ours, is_refused};
use crate::service::types;

/// Emits the trait; `erased` is its hidden half, absent in the fallback.
pub(crate) fn contract(service: &Service<'_>, erased: Option<&Ident>) -> TokenStream {
    let item = service.item;
    let attrs = item.attrs.iter().filter(|attr| !is_ours(attr) && !is_refused(attr));
    let docs = erased.map(|_| docs::paragraph(service));
    let syn::ItemTrait { vis, unsafety, trait_token, ident, generics, .. } = item;
    let where_clause = &generics.where_clause;
    let bounds = item.supertraits.iter().map(ToTokens::to_token_stream).chain(erased.map(ToTokens::to_token_stream));
    let items = item.items.iter().map(|entry| match entry {
        TraitItem::Fn(function) => declared(function, erased.is_some()),
        other => other.to_token_stream(),
    });
    let markers = markers(&item.supertraits);
    quote! {
        #(#attrs)*
        #docs
        #vis #unsafety #trait_token #ident #generics:
            #(#bounds +)* #(#markers)+*
        #where_clause
        { #(#items)* }
    }
}

/// The markers that every service has, without those that the user wrote too.
fn markers<'b>(bounds: impl IntoIterator<Item = &'b TypeParamBound> + Clone) -> impl Iterator<Item = TokenStream> {
    let given = move |name: &str| {
        bounds.clone().into_iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == name),
            TypeParamBound::Lifetime(lifetime) => lifetime.ident == name,
            _ => false,
        })
    };
    let markers =
        [("Send", quote!(::core::marker::Send)), ("Sync", quote!(::core::marker::Sync)), ("static", quote!('static))];
    markers.into_iter().filter(move |(name, _)| !given(name)).map(|(_, marker)| marker)
}

/// Emits one method; `sound` is whether the trait is without mistakes.
fn declared(item: &TraitItemFn, sound: bool) -> TokenStream {
    let attrs = item.attrs.iter().filter(|attr| !is_ours(attr));
    let Signature { constness, safety, abi, fn_token, ident, generics, asyncness, output, .. } = &item.sig;
    let where_clause = &generics.where_clause;
    let inputs = signature(&item.sig, item.default.is_some());
    let body = item.default.as_ref();
    let Some(_) = asyncness else {
        let body = body.map_or_else(|| quote!(;), ToTokens::to_token_stream);
        // Not an accessor but a mistake: it must not break `dyn Trait` as well.
        let sized = (!is_dispatchable(&item.sig)).then(|| quote!(where Self: ::core::marker::Sized));
        let bounds = if where_clause.is_some() { where_clause.to_token_stream() } else { sized.unwrap_or_default() };
        return quote!(#(#attrs)* #constness #safety #abi #fn_token #ident #generics(#inputs) #output #bounds #body);
    };
    let result = match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
    // The block learns its type from an answer that is never given: without it, `Arc<Local>` would not become `Arc<dyn
    // Trait>`, and a body of another type would be reported at the attribute.
    let typed = quote_spanned! {Span::mixed_site()=>
        if let ::core::option::Option::Some(__answer) = ::core::option::Option::None::<#result> {
            return __answer;
        }
    };
    let body = body.map_or_else(
        || quote!(;),
        |body| {
            let statements = &body.stmts;
            quote!({ async move { #typed #(#statements)* } })
        },
    );
    let send = (sound || !may_be_local(&item.sig)).then(|| quote!(+ ::core::marker::Send));
    quote! {
        #(#attrs)*
        #constness #safety #abi #fn_token #ident #generics(#inputs)
            -> impl ::core::future::Future<Output = #result> #send
        where Self: ::core::marker::Sized, #(#predicates),*
        #body
    }
}

/// Is there an argument that may have to stay on one thread? It was reported, and would be again in every implementation.
fn may_be_local(sig: &Signature) -> bool {
    let local = |ty: &Type| match ty {
        Type::Ptr(_) | Type::ImplTrait(_) | Type::TraitObject(_) => true,
        ty => types::is_local(ty),
    };
    let typed = |input: &FnArg| match input {
        FnArg::Typed(input) => types::contains(&input.ty, local),
        FnArg::Receiver(_) => false,
    };
    sig.generics.type_params().next().is_some() || sig.inputs.iter().any(typed)
}

/// The inputs without our attributes, and without patterns, which rustc allows in functions with a body only.
pub(crate) fn signature(sig: &Signature, has_body: bool) -> TokenStream {
    let inputs = sig.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => receiver.to_token_stream(),
        FnArg::Typed(argument) => {
            let attrs = argument.attrs.iter().filter(|attr| !is_ours(attr));
            let (pat, ty) = (&argument.pat, &argument.ty);
            match **pat {
                Pat::Ident(syn::PatIdent { by_ref: None, subpat: None, .. }) => quote!(#(#attrs)* #pat: #ty),
                _ if has_body => quote!(#(#attrs)* #pat: #ty),
                _ => quote!(#(#attrs)* _: #ty),
            }
        }
    });
    quote!(#(#inputs),*)
}

fn is_dispatchable(sig: &Signature) -> bool {
    let by_reference = matches!(sig.inputs.first(), Some(FnArg::Receiver(receiver)) if matches!(receiver.kind, syn::ReceiverKind::Reference(..)));
    let opaque = matches!(&sig.output, ReturnType::Type(_, ty) if types::contains(ty, |ty| matches!(ty, Type::ImplTrait(_)) || types::names_self(ty)));
    by_reference && sig.generics.params.is_empty() && !opaque
}
