//! The impls.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::ErrorType;
use crate::message::emit::{oneof, through};
use crate::message::model::Kind;

/// Emits the message, and
/// ```text
/// impl LoopError for SubmitError {
///     fn into_error(self) -> Error {
///         let code = match self {
///             Self::Boundary(error) => return <Error as Transport>::into_error(error),
///             Self::UnknownAccount { .. } => Code::NotFound, ..
///         };
///         typed_error(code, &self)
///     }
///     fn from_error(error: Error) -> Self {
///         error.detail().unwrap_or_else(|| Self::Boundary(<Error as Transport>::from_error(error)))
///     }
///     fn describe(schema: &mut Schema) { .. }
/// }
/// impl From<Error> for SubmitError { .. }
/// impl From<SubmitError> for Error { .. }
/// ```
pub(super) fn emit(error: &ErrorType<'_>, lints: &TokenStream) -> TokenStream {
    let ErrorType { message, runtime, codes, transport } = error;
    let Kind::Oneof(of) = &message.kind else { return TokenStream::new() };
    let (ident, wire, lost) = (message.ident, &message.runtime, transport.ident);
    let oneof = oneof::oneof(message, of);
    let into_error = through(transport.ty, runtime, "Transport", "into_error");
    let from_error = through(transport.ty, runtime, "Transport", "from_error");
    let codes = codes.iter().map(|(variant, code)| {
        let code = code.clone().unwrap_or_else(|| Ident::new("Unknown", Span::call_site()));
        quote!(Self::#variant { .. } => #runtime::Code::#code,)
    });
    // Here rustc reports a missing `Display`.
    let typed = quote_spanned!(ident.span()=> #runtime::typed_error(__code, &self));
    // Without other variants, the transport's is irrefutable.
    let only = codes.len() == 0;
    let (bind, leave) = if only { Default::default() } else { (quote!(let __code =), quote!(return)) };
    let typed = (!only).then(|| quote!(; #typed));
    quote! {
        #lints
        const _: () = {
            #oneof

            #[automatically_derived]
            impl #runtime::LoopError for #ident {
                fn into_error(self) -> #runtime::Error {
                    #bind match self {
                        Self::#lost(__error) => #leave #into_error(__error),
                        #(#codes)*
                    }
                    #typed
                }

                fn from_error(__error: #runtime::Error) -> Self {
                    match #runtime::Error::detail(&__error) {
                        ::core::option::Option::Some(__own) => __own,
                        ::core::option::Option::None => Self::#lost(#from_error(__error)),
                    }
                }

                fn describe(__schema: &mut #wire::Schema) {
                    <Self as #wire::LoopMessage>::field_type(__schema);
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#runtime::Error> for #ident {
                fn from(__error: #runtime::Error) -> Self {
                    <Self as #runtime::LoopError>::from_error(__error)
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#ident> for #runtime::Error {
                fn from(__error: #ident) -> Self {
                    #runtime::LoopError::into_error(__error)
                }
            }
        };
    }
}
