//! Reading a struct: every field into its slot, then the slots into values. The pass itself is in the runtime.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{spec, through, through_way};
use crate::message::model::{Field, FieldPlace, Way};

/// How many members the runtime takes in one tuple; more are taken in groups.
const TOGETHER: usize = 12;

/// The parts of the pass, one each for every encoded field.
#[derive(Default)]
struct Pass<'a> {
    fields: Vec<&'a Field<'a>>,
    /// The type parameters and their bounds.
    params: Vec<TokenStream>,
    ways: Vec<TokenStream>,
    members: Vec<TokenStream>,
    specs: Vec<TokenStream>,
    /// Any item of the trait, by the user's type.
    named: Vec<TokenStream>,
}

/// Emits `fn read_fields`:
/// ```text
/// fn __read<T0: Plain, T1: OrDefault, M>(
///     __fields: Fields<'_>,
///     __make: impl FnOnce((T0, T1,)) -> M,
///     __into: &mut dyn Sink<M>,
/// ) -> Result<(), WireError> {
///     runtime::read::<(PlainMember<T0>, OrDefaultMember<T1>,), M>(__fields, const { &(FieldSpec::new(..), ..) }, ..)
/// }
/// let _ = <String as Plain>::describe; ..
/// __read::<String, Inner, Self>(__fields, |(__value0, __value1,)| Self { name: __value0, inner: __value1 }, __into)
/// ```
///
/// The pass is generic, so that the user's types occur in one place only, its call. The statements before the call do
/// nothing: for a type that cannot cross, rustc reports there the same error as in every other item, and prints it
/// once.
pub(super) fn read(runtime: &TokenStream, fields: &[Field<'_>]) -> TokenStream {
    let mut pass = Pass::default();
    let mut skipped = Vec::new();
    for field in fields {
        match &field.place {
            FieldPlace::Skip => {
                let (ident, default) = (field.ident, through(field.ty, &quote!(::core::default), "Default", "default"));
                skipped.push(quote!(#ident: #default()));
            }
            FieldPlace::Unknown => {}
            FieldPlace::Number(_) | FieldPlace::Oneof => pass.field(runtime, field),
        }
    }
    // After all others, as it takes what none of them takes.
    for field in fields.iter().filter(|field| matches!(field.place, FieldPlace::Unknown)) {
        pass.field(runtime, field);
    }
    let Pass { fields, params, ways, members, specs, named } = pass;
    if fields.is_empty() {
        return quote! {
            fn read_fields(
                __fields: #runtime::Fields<'_>,
                __into: &mut dyn #runtime::Sink<Self>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #runtime::read_nothing(__fields)?;
                #runtime::Sink::put(__into, Self { #(#skipped),* });
                ::core::result::Result::Ok(())
            }
        };
    }
    let (types, idents) = (fields.iter().map(|field| field.ty), fields.iter().map(|field| field.ident));
    let values: Vec<_> = (0..fields.len()).map(|index| format_ident!("__value{index}")).collect();
    let pattern = grouped(values.iter().map(|value| quote!(#value)).collect());
    let (all, members, specs) = (grouped(params.clone()), members_of(runtime, &members), grouped(specs));
    quote! {
        fn read_fields(
            __fields: #runtime::Fields<'_>,
            __into: &mut dyn #runtime::Sink<Self>,
        ) -> ::core::result::Result<(), #runtime::WireError> {
            fn __read<#(#params: #runtime::#ways,)* M>(
                __fields: #runtime::Fields<'_>,
                __make: impl ::core::ops::FnOnce(#all) -> M,
                __into: &mut dyn #runtime::Sink<M>,
            ) -> ::core::result::Result<(), #runtime::WireError> {
                #runtime::read::<#members, M>(__fields, const { &#specs }, __make, __into)
            }
            #(let _ = #named;)*
            __read::<#(#types,)* Self>(__fields, |#pattern| Self { #(#idents: #values,)* #(#skipped),* }, __into)
        }
    }
}

/// A tuple, of tuples if it would be longer than the runtime supports.
fn grouped(items: Vec<TokenStream>) -> TokenStream {
    if items.len() <= TOGETHER {
        return quote!((#(#items,)*));
    }
    grouped(items.chunks(TOGETHER).map(|group| grouped(group.to_vec())).collect())
}

/// The same for the members, whose groups have a name.
fn members_of(runtime: &TokenStream, members: &[TokenStream]) -> TokenStream {
    if members.len() <= TOGETHER {
        return quote!((#(#members,)*));
    }
    let groups = members.chunks(TOGETHER).map(|group| members_of(runtime, group));
    let groups: Vec<_> = groups.map(|group| quote!(#runtime::Group<#group>)).collect();
    members_of(runtime, &groups)
}

impl<'a> Pass<'a> {
    fn field(&mut self, runtime: &TokenStream, field: &'a Field<'a>) {
        let (way, item, spec) = match (&field.place, field.way(runtime)) {
            (FieldPlace::Number(numbered), Some(way)) => {
                let spec = spec(runtime, numbered.number.get(), &field.name, numbered.text.as_deref());
                (way, "describe", spec)
            }
            (FieldPlace::Unknown, _) => (Way::plain("Unknown"), "write", quote!(())),
            _ => {
                let name = &field.name;
                (Way::plain("OneofField"), "shape", quote!(#name))
            }
        };
        let param = format_ident!("T{}", self.fields.len());
        let (name, member, form) = (format_ident!("{}", way.name), format_ident!("{}Member", way.name), &way.form);
        let more = form.as_ref().map(|form| quote!(, #form));
        self.members.push(quote!(#runtime::#member<#param #more>));
        self.specs.push(spec);
        self.named.push(through_way(field.ty, runtime, &way, item));
        self.fields.push(field);
        self.params.push(quote!(#param));
        let argument = way.argument();
        self.ways.push(quote!(#name #argument));
    }
}
