//! What the syntax of a type shows. It only improves errors: whether something is data or a service
//! is decided by the type system.

use proc_macro2::{Ident, Span};
use syn::{AngleBracketedGenericArguments, GenericArgument, Lifetime, PathArguments, Type, TypeParamBound};

/// Removes one leading `&`, and the groups that macros leave around a type.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ungroup(ty) {
        Type::Reference(reference) if reference.mutability.is_none() => ungroup(&reference.elem),
        other => other,
    }
}

/// Without parentheses and invisible groups.
pub(crate) fn ungroup(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungroup(&group.elem),
        Type::Paren(paren) => ungroup(&paren.elem),
        other => other,
    }
}

/// Calls `visit` on `ty` and on every type within it; `visit` returns whether to descend.
pub(crate) fn walk<'t>(ty: &'t Type, visit: &mut impl FnMut(&'t Type) -> bool) {
    let ty = ungroup(ty);
    if !visit(ty) {
        return;
    }
    match ty {
        Type::Reference(reference) => walk(&reference.elem, visit),
        Type::Slice(slice) => walk(&slice.elem, visit),
        Type::Array(array) => walk(&array.elem, visit),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|elem| walk(elem, visit)),
        Type::Path(path) => path
            .path
            .segments
            .iter()
            .flat_map(|segment| arguments(&segment.arguments))
            .for_each(|inner| walk(inner, visit)),
        _ => {}
    }
}

fn arguments(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let list = match arguments {
        PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) => Some(args),
        _ => None,
    };
    list.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The last segment of a path type: the name, and the first type argument.
pub(crate) fn named(ty: &Type) -> Option<(&Ident, Option<&Type>)> {
    match ungroup(ty) {
        Type::Path(path) => path.path.segments.last().map(|last| (&last.ident, arguments(&last.arguments).next())),
        _ => None,
    }
}

/// The second type argument of a path type: the values of a map.
pub(crate) fn second_argument(ty: &Type) -> Option<&Type> {
    match ungroup(ty) {
        Type::Path(path) => path.path.segments.last().and_then(|last| arguments(&last.arguments).nth(1)),
        _ => None,
    }
}

/// Does the name of this path type equal `name`?
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    named(ty).is_some_and(|(ident, _)| ident == name)
}

/// The last segment of the first trait in `dyn A + B` or `impl A + B`.
pub(crate) fn first_trait<'t>(bounds: impl IntoIterator<Item = &'t TypeParamBound>) -> Option<&'t Ident> {
    bounds.into_iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().map(|last| &last.ident),
        _ => None,
    })
}

/// Is it one of the `Fn` traits?
pub(crate) fn is_fn_trait(name: &Ident) -> bool {
    ["Fn", "FnMut", "FnOnce", "AsyncFn", "AsyncFnMut", "AsyncFnOnce"].iter().any(|known| name == known)
}

/// Is it a path type with a lifetime as its argument? `Cow` is read as what it owns.
pub(crate) fn has_lifetime(ty: &Type) -> bool {
    let Type::Path(path) = ungroup(ty) else { return false };
    path.path.segments.iter().any(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if segment.ident != "Cow" => {
            arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
        }
        _ => false,
    })
}

/// Is it a trait of the standard library's, by its name?
pub(crate) fn is_of_std(name: &Ident) -> bool {
    ["Any", "AsRef", "BufRead", "Debug", "Display", "Error", "Future", "Hasher", "Iterator", "Read", "Seek", "Write"]
        .iter()
        .any(|known| name == known)
}

/// Does the standard library keep it on one thread?
pub(crate) fn is_local(ty: &Type) -> bool {
    ["Rc", "Cell", "RefCell", "UnsafeCell", "OnceCell"].iter().any(|name| is_named(ty, name))
}

/// Is it `Self`, or a type that is found through it?
pub(crate) fn names_self(ty: &Type) -> bool {
    matches!(ungroup(ty), Type::Path(path) if path.qself.is_none() && path.path.segments.first().is_some_and(|first| first.ident == "Self"))
}

/// An explicit future: `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`.
pub(crate) fn is_future(ty: &Type) -> bool {
    match ungroup(ty) {
        Type::ImplTrait(it) => first_trait(&it.bounds).is_some_and(|name| name == "Future"),
        Type::TraitObject(it) => first_trait(&it.bounds).is_some_and(|name| name == "Future"),
        other => match named(other) {
            Some((name, _)) if name == "BoxFuture" || name == "LocalBoxFuture" => true,
            Some((name, Some(inner))) if name == "Pin" || name == "Box" => is_future(inner),
            _ => false,
        },
    }
}

/// The success type of a visible `Result<T, ..>`.
pub(crate) fn success(result: &Type) -> Option<&Type> {
    named(result).filter(|(name, _)| *name == "Result").and_then(|(_, first)| first).map(ungroup)
}

/// Names every elided lifetime `'a`: input `&str`, `Cow<'_, str>`; output `&'a str`, `Cow<'a, str>`.
///
/// The erased method returns a box that borrows from all its arguments, so they have to share one lifetime.
pub(crate) fn name_lifetimes(ty: &Type) -> Type {
    let mut named = ty.clone();
    name(&mut named);
    named
}

/// Recurses into the types within `ty`; array lengths and other expressions are not types.
fn name(ty: &mut Type) {
    match ty {
        Type::Reference(reference) => {
            let lifetime = reference.lifetime.get_or_insert_with(|| erased(reference.and_token.span));
            name_elided(lifetime);
            name(&mut reference.elem);
        }
        Type::Group(group) => name(&mut group.elem),
        Type::Paren(paren) => name(&mut paren.elem),
        Type::Slice(slice) => name(&mut slice.elem),
        Type::Array(array) => name(&mut array.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(name),
        Type::Path(path) => {
            if let Some(qself) = &mut path.qself {
                name(&mut qself.ty);
            }
            path.path.segments.iter_mut().for_each(|segment| name_arguments(&mut segment.arguments));
        }
        Type::TraitObject(object) => object.bounds.iter_mut().for_each(|bound| match bound {
            TypeParamBound::Lifetime(lifetime) => name_elided(lifetime),
            TypeParamBound::Trait(bound) => {
                bound.path.segments.iter_mut().for_each(|segment| name_arguments(&mut segment.arguments));
            }
            _ => {}
        }),
        _ => {}
    }
}

fn name_arguments(arguments: &mut PathArguments) {
    // The arguments of `Fn(&T)` have lifetimes of their own.
    let PathArguments::AngleBracketed(arguments) = arguments else { return };
    for argument in &mut arguments.args {
        match argument {
            GenericArgument::Lifetime(lifetime) => name_elided(lifetime),
            GenericArgument::Type(ty) => name(ty),
            GenericArgument::AssocType(assoc) => name(&mut assoc.ty),
            _ => {}
        }
    }
}

fn name_elided(lifetime: &mut Lifetime) {
    if lifetime.ident == "_" {
        *lifetime = erased(lifetime.span());
    }
}

/// The lifetime of an erased method.
fn erased(span: Span) -> Lifetime {
    Lifetime::new("'a", span)
}

/// A trait object that is owned or borrowed instead of shared: `Box<dyn S>`, `Rc<dyn S>`, `&dyn S`; the whole type and
/// the trait's name.
pub(crate) fn unshared(ty: &Type) -> Option<(&Type, &Ident)> {
    let object = match ungroup(ty) {
        Type::Reference(reference) => ungroup(&reference.elem),
        other => match named(other) {
            Some((name, Some(inner))) if name == "Box" || name == "Rc" => ungroup(inner),
            _ => return None,
        },
    };
    match object {
        Type::TraitObject(object) => first_trait(&object.bounds).map(|name| (ty, name)),
        _ => None,
    }
}

/// Is there a trait object anywhere in it?
pub(crate) fn names_service(ty: &Type) -> bool {
    contains(ty, |inner| matches!(inner, Type::TraitObject(_)))
}

/// Does `test` hold for `ty` or for a type within it?
pub(crate) fn contains(ty: &Type, test: impl Fn(&Type) -> bool) -> bool {
    let mut found = false;
    walk(ty, &mut |inner| {
        found |= test(inner);
        !found
    });
    found
}

/// Certainly no component: a standard library type that holds data, or anything but a path.
pub(crate) fn is_plain_data(ty: &Type) -> bool {
    const DATA: &[&str] = &[
        "bool",
        "u8",
        "u16",
        "u32",
        "u64",
        "i8",
        "i16",
        "i32",
        "i64",
        "u128",
        "i128",
        "f32",
        "f64",
        "usize",
        "isize",
        "char",
        "str",
        "String",
        "Vec",
        "VecDeque",
        "HashMap",
        "BTreeMap",
        "HashSet",
        "BTreeSet",
        "Result",
        "Duration",
        "SystemTime",
        "PathBuf",
    ];
    match named(ty) {
        Some((name, Some(inner))) if name == "Option" => is_plain_data(inner),
        Some((name, _)) => DATA.iter().any(|known| name == known),
        None => unshared(ty).is_none(),
    }
}
