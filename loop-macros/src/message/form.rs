//! `sint`, `fixed`, `wrapped`, `unpacked`, `key = ..` and `with = ..`: a value in another form than that of its type.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Path, Type};

use super::emit::respanned;
use crate::attr::Options;
use crate::diag::Errors;
use crate::service::types;

/// The form of a field, or of what a variant holds.
pub(crate) struct Form {
    key: Option<Integers>,
    value: Option<Single>,
    unpacked: bool,
}

/// A form of integers.
#[derive(Clone, Copy)]
enum Integers {
    Sint,
    Fixed,
}

/// A form of a single value.
enum Single {
    Integers(Integers),
    Wrapped,
    /// By the functions of a module.
    With(Path),
}

/// What the options say, and the first word of it.
#[derive(Default)]
pub(crate) struct FormOptions {
    key: Option<(Ident, Integers)>,
    value: Option<(Ident, Single)>,
    unpacked: Option<Ident>,
}

/// Reads the options of a field.
pub(super) fn field(options: &mut Options, errors: &mut Errors) -> FormOptions {
    let value = single(options, errors);
    let unpacked = options.flag("unpacked", errors);
    let key = options.assigned("key", "sint", errors).and_then(|(word, tokens)| match tokens.to_string().as_str() {
        "sint" => Some((word, Integers::Sint)),
        "fixed" => Some((word, Integers::Fixed)),
        _ => {
            errors.help(tokens, "this is not a form of keys", "write `key = sint` or `key = fixed`");
            None
        }
    });
    if let Some(unpacked) = &unpacked {
        let other = match (&key, &value) {
            (Some((word, _)), _) => Some(word),
            (_, Some((word, Single::Wrapped))) => Some(word),
            _ => None,
        };
        if let Some(other) = other {
            let problem = format!("`{other}` and `unpacked` say nothing of the same field");
            errors.help(unpacked, problem, "`unpacked` is for lists of numbers: remove one");
        }
    }
    FormOptions { key, value, unpacked }
}

/// Reads the options of a variant.
pub(super) fn variant(options: &mut Options, errors: &mut Errors) -> FormOptions {
    FormOptions { value: single(options, errors), ..FormOptions::default() }
}

/// The form of a single value, of which there is one at most.
fn single(options: &mut Options, errors: &mut Errors) -> Option<(Ident, Single)> {
    let words = [("sint", Integers::Sint), ("fixed", Integers::Fixed)]
        .map(|(word, integers)| Some((options.flag(word, errors)?, Single::Integers(integers))));
    let wrapped = options.flag("wrapped", errors).map(|word| (word, Single::Wrapped));
    let with = options.assigned("with", "my_module", errors).and_then(|(word, tokens)| {
        let path = syn::parse::Parser::parse2(Path::parse_mod_style, tokens.clone());
        match path {
            Ok(path) => Some((word, Single::With(path))),
            Err(_) => {
                let at = if tokens.is_empty() { word.into_token_stream() } else { tokens };
                errors.help(at, "`with` is the path of a module", "for example `with = crate::as_text`");
                None
            }
        }
    });
    let mut given = words.into_iter().flatten().chain(wrapped).chain(with);
    let first = given.next()?;
    for (word, _) in given {
        let problem = format!("`{}` and `{word}` are two forms of one value", first.0);
        errors.help(word, problem, "remove one");
    }
    Some(first)
}

impl FormOptions {
    /// The words that were given.
    pub(super) fn words(&self) -> impl Iterator<Item = &Ident> {
        let (key, value) = (self.key.as_ref().map(|(word, _)| word), self.value.as_ref().map(|(word, _)| word));
        value.into_iter().chain(key).chain(&self.unpacked)
    }

    /// The form, if there is one.
    pub(super) fn form(self) -> Option<Form> {
        let given = self.words().next().is_some();
        given.then(|| Form {
            key: self.key.map(|(_, key)| key),
            value: self.value.map(|(_, value)| value),
            unpacked: self.unpacked.is_some(),
        })
    }
}

impl Form {
    /// Whether the type itself need not be one that the wire knows.
    pub(super) fn converts(&self) -> bool {
        matches!(self.value, Some(Single::With(_)))
    }

    /// The form of a field of the type `ty`, as a type; `marker` is the name of the form that `with` makes.
    pub(super) fn of_field(&self, ty: &Type, marker: &Ident, runtime: &TokenStream) -> TokenStream {
        let own = || quote!(#runtime::Own);
        let value = self.value.as_ref().map(|value| value.tokens(marker, runtime));
        if let Some(key) = self.key {
            let (key, value) = (key.tokens(runtime), value.unwrap_or_else(own));
            return quote!(#runtime::Keyed<#key, #value>);
        }
        match value {
            value if self.unpacked => {
                let value = value.unwrap_or_else(own);
                quote!(#runtime::Unpacked<#value>)
            }
            Some(value) if self.converts() && element(ty).is_none() => quote!(#runtime::Whole<#value>),
            Some(value) => value,
            None => own(),
        }
    }

    /// The form of what a variant holds, as a type.
    pub(super) fn of_case(&self, marker: &Ident, runtime: &TokenStream) -> TokenStream {
        self.value.as_ref().map_or_else(|| quote!(#runtime::Own), |value| value.tokens(marker, runtime))
    }

    /// The form that `with` makes for a field of the type `ty`: for what is in it, if it is a container to the eye.
    pub(super) fn made_for_field(&self, ty: &Type, marker: &Ident, runtime: &TokenStream) -> TokenStream {
        self.made_for(element(ty).unwrap_or(ty), marker, runtime)
    }

    /// The form that `with` makes for values of the type `ty`:
    /// ```text
    /// struct __with_1;
    /// impl Form for __with_1 {}
    /// impl Element<__with_1> for Uuid {
    ///     type Wire = as_bytes::Wire;
    ///     fn to_wire(&self) -> as_bytes::Wire { as_bytes::to_wire(self) }
    ///     fn from_wire(__wire: as_bytes::Wire) -> Result<Self, WireError> { converted(as_bytes::from_wire(__wire)) }
    /// }
    /// ```
    pub(super) fn made_for(&self, ty: &Type, marker: &Ident, runtime: &TokenStream) -> TokenStream {
        let Some(Single::With(path)) = &self.value else { return TokenStream::new() };
        // All of it at the place of the path: what does not fit is told there.
        let at = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
        let runtime = respanned(runtime, at);
        quote_spanned! {at=>
            #[allow(non_camel_case_types)]
            struct #marker;

            impl #runtime::Form for #marker {}

            #[automatically_derived]
            impl #runtime::Element<#marker> for #ty {
                type Wire = #path::Wire;

                fn to_wire(&self) -> #path::Wire {
                    #path::to_wire(self)
                }

                fn from_wire(__wire: #path::Wire) -> ::core::result::Result<Self, #runtime::WireError> {
                    #runtime::converted(#path::from_wire(__wire))
                }
            }
        }
    }
}

impl Integers {
    fn tokens(self, runtime: &TokenStream) -> TokenStream {
        match self {
            Self::Sint => quote!(#runtime::Sint),
            Self::Fixed => quote!(#runtime::Fixed),
        }
    }
}

impl Single {
    fn tokens(&self, marker: &Ident, runtime: &TokenStream) -> TokenStream {
        match self {
            Self::Integers(integers) => integers.tokens(runtime),
            Self::Wrapped => quote!(#runtime::Wrapped),
            Self::With(_) => marker.to_token_stream(),
        }
    }
}

/// What is in a list, a set, a map (its values) or an `Option`, as far as the syntax shows it. That is what `with` is about;
/// behind the name of an alias, it is about the whole.
fn element(ty: &Type) -> Option<&Type> {
    let (outer, first) = types::named(ty)?;
    match outer.to_string().as_str() {
        "Option" | "Vec" | "VecDeque" | "BTreeSet" | "HashSet" => first,
        "HashMap" | "BTreeMap" => types::second_argument(ty),
        "Box" => match first.map(types::ungroup) {
            Some(Type::Slice(slice)) => Some(&slice.elem),
            _ => None,
        },
        _ => None,
    }
}
