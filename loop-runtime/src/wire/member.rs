//! Reads a message: one pass over its bytes, every field into its slot, then the slots into values.
//!
//! The pass is written here, once for each number of fields, and not by the derive: emitted for each message it was
//! half of the code that the compiler had to check.

use std::marker::PhantomData;

use super::form::{Formed, FormedOrDefault};
use super::message::Value;
use super::oneof::{Case, OneofField};
use super::read::{Field, Fields};
use super::sink::Sink;
use super::unknown::Unknown;
use super::{FieldSpec, InNanos, OrDefault, Plain, WireError};

/// A field of a message, of one kind of declaration; or a tuple of them.
pub trait Member {
    /// The decoded value.
    type Value;
    /// Its state during the pass.
    type Slot<'a>;
    /// Its constant description.
    type Spec: 'static;

    /// An empty slot.
    fn slot<'a>() -> Self::Slot<'a>;

    /// Whether the field `number` is this one.
    fn has(number: u32, spec: &Self::Spec) -> bool;

    /// Takes an occurrence of this field.
    fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, spec: &Self::Spec) -> Result<(), WireError>;

    /// Reads nested messages.
    fn settle(slot: &mut Self::Slot<'_>, spec: &Self::Spec) -> Result<(), WireError>;

    /// Makes the value; no nesting is left here.
    fn make(slot: Self::Slot<'_>, spec: &Self::Spec) -> Result<Self::Value, WireError>;
}

/// Reads all members, skips unknown fields, and puts the result of `make` into `into`.
///
/// For a recursive message, this function recurses once per level, so its frame must not grow with the number of
/// fields: large slots are boxed. Small ones cost less on the stack.
#[inline]
pub fn read<M: Member, T>(
    fields: Fields<'_>,
    spec: &'static M::Spec,
    make: impl FnOnce(M::Value) -> T,
    into: &mut dyn Sink<T>,
) -> Result<(), WireError> {
    if size_of::<M::Slot<'_>>().max(size_of::<T>()) > ON_STACK {
        read_large::<M, T>(fields, spec, make, into)
    } else {
        read_small::<M, T>(fields, spec, make, into)
    }
}

/// The largest size in bytes of a message, and of its slots, to be on the stack.
const ON_STACK: usize = 512;

#[inline]
fn read_small<M: Member, T>(
    fields: Fields<'_>,
    spec: &'static M::Spec,
    make: impl FnOnce(M::Value) -> T,
    into: &mut dyn Sink<T>,
) -> Result<(), WireError> {
    let mut slot = M::slot();
    collect::<M>(fields, &mut slot, spec)?;
    into.put(make(M::make(slot, spec)?));
    Ok(())
}

fn read_large<M: Member, T>(
    fields: Fields<'_>,
    spec: &'static M::Spec,
    make: impl FnOnce(M::Value) -> T,
    into: &mut dyn Sink<T>,
) -> Result<(), WireError> {
    let mut slot = boxed_slot::<M>();
    collect::<M>(fields, &mut slot, spec)?;
    put_large::<M, T>(slot, spec, make, into)
}

// These two hold slots and values, and return before the next level begins: neither may be inlined into `read_large`.
#[inline(never)]
fn boxed_slot<'a, M: Member>() -> Box<M::Slot<'a>> {
    Box::new(M::slot())
}

#[inline(never)]
#[allow(clippy::boxed_local, reason = "the value of the box is what must not be on the caller's stack")]
fn put_large<M: Member, T>(
    slot: Box<M::Slot<'_>>,
    spec: &'static M::Spec,
    make: impl FnOnce(M::Value) -> T,
    into: &mut dyn Sink<T>,
) -> Result<(), WireError> {
    into.put(make(M::make(*slot, spec)?));
    Ok(())
}

/// The pass.
#[inline]
fn collect<'a, M: Member>(
    mut fields: Fields<'a>,
    slot: &mut M::Slot<'a>,
    spec: &'static M::Spec,
) -> Result<(), WireError> {
    while let Some(field) = fields.next()? {
        M::take(slot, &field, spec)?;
    }
    M::settle(slot, spec)
}

macro_rules! numbered {
    ($($member:ident $way:ident $slot:ty;)*) => {$(
        #[doc = concat!("A field that is [`", stringify!($way), "`].")]
        pub struct $member<T>(PhantomData<T>);

        impl<T: $way> Member for $member<T> {
            type Value = T;
            type Slot<'a> = $slot;
            type Spec = FieldSpec;

            #[inline]
            fn slot<'a>() -> Self::Slot<'a> {
                T::slot()
            }

            #[inline(always)]
            fn has(number: u32, spec: &FieldSpec) -> bool {
                number == spec.number
            }

            #[inline]
            fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, spec: &FieldSpec) -> Result<(), WireError> {
                T::take(slot, *field).map_err(|error| error.at(spec))
            }

            #[inline]
            fn settle(slot: &mut Self::Slot<'_>, spec: &FieldSpec) -> Result<(), WireError> {
                T::settle(slot).map_err(|error| error.at(spec))
            }

            #[inline]
            fn make(slot: Self::Slot<'_>, spec: &FieldSpec) -> Result<T, WireError> {
                T::make(slot).map_err(|error| error.at(spec))
            }
        }
    )*};
}

numbered! {
    PlainMember Plain T::Slot<'a>;
    OrDefaultMember OrDefault T::Slot<'a>;
    InNanosMember InNanos Option<i64>;
}

/// A field that is [`Formed`].
pub struct FormedMember<T, F>(PhantomData<(T, F)>);

impl<F, T: Formed<F>> Member for FormedMember<T, F> {
    type Value = T;
    type Slot<'a> = <T::Wire as Value>::Slot<'a>;
    type Spec = FieldSpec;

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        Self::Slot::default()
    }

    #[inline(always)]
    fn has(number: u32, spec: &FieldSpec) -> bool {
        number == spec.number
    }

    #[inline]
    fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, spec: &FieldSpec) -> Result<(), WireError> {
        T::Wire::add(slot, *field).map_err(|error| error.at(spec))
    }

    #[inline]
    fn settle(slot: &mut Self::Slot<'_>, spec: &FieldSpec) -> Result<(), WireError> {
        <T::Wire as Value>::settle(slot).map_err(|error| error.at(spec))
    }

    #[inline]
    fn make(slot: Self::Slot<'_>, spec: &FieldSpec) -> Result<T, WireError> {
        T::Wire::done(slot).and_then(T::from_wire).map_err(|error| error.at(spec))
    }
}

/// A field that is [`FormedOrDefault`].
pub struct FormedOrDefaultMember<T, F>(PhantomData<(T, F)>);

impl<F, T: FormedOrDefault<F>> Member for FormedOrDefaultMember<T, F> {
    type Value = T;
    type Slot<'a> = Option<<T::Wire as Value>::Slot<'a>>;
    type Spec = FieldSpec;

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        None
    }

    #[inline(always)]
    fn has(number: u32, spec: &FieldSpec) -> bool {
        number == spec.number
    }

    #[inline]
    fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, spec: &FieldSpec) -> Result<(), WireError> {
        FormedMember::<T, F>::take(slot.get_or_insert_default(), field, spec)
    }

    #[inline]
    fn settle(slot: &mut Self::Slot<'_>, spec: &FieldSpec) -> Result<(), WireError> {
        slot.as_mut().map_or(Ok(()), |slot| FormedMember::<T, F>::settle(slot, spec))
    }

    #[inline]
    fn make(slot: Self::Slot<'_>, spec: &FieldSpec) -> Result<T, WireError> {
        slot.map_or_else(|| Ok(T::default()), |slot| FormedMember::<T, F>::make(slot, spec))
    }
}

/// A field that is a [`OneofField`]; its name is all that is fixed here, the numbers are those of the cases.
pub struct OneofFieldMember<T>(PhantomData<T>);

impl<T: OneofField> Member for OneofFieldMember<T> {
    type Value = T;
    type Slot<'a> = (Case<'a>, Option<T>);
    type Spec = &'static str;

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        (Case::default(), None)
    }

    #[inline(always)]
    fn has(number: u32, _: &&'static str) -> bool {
        T::CASES.contains(&number)
    }

    #[inline]
    fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, name: &&'static str) -> Result<(), WireError> {
        T::add(&mut slot.0, *field).map_err(|error| error.within(name))
    }

    #[inline]
    fn settle((case, value): &mut Self::Slot<'_>, name: &&'static str) -> Result<(), WireError> {
        T::read(case, value).map_err(|error| error.within(name))
    }

    #[inline]
    fn make((_, value): Self::Slot<'_>, name: &&'static str) -> Result<T, WireError> {
        value.ok_or_else(|| WireError::missing().within(name))
    }
}

/// A field that is [`Unknown`]: the last member, which takes what is none of the others.
pub struct UnknownMember<T>(PhantomData<T>);

impl<T: Unknown> Member for UnknownMember<T> {
    type Value = T;
    type Slot<'a> = T;
    type Spec = ();

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        T::default()
    }

    #[inline(always)]
    fn has(_: u32, (): &()) -> bool {
        true
    }

    fn take<'a>(slot: &mut T, field: &Field<'a>, (): &()) -> Result<(), WireError> {
        slot.take(field)
    }

    #[inline]
    fn settle(_: &mut T, (): &()) -> Result<(), WireError> {
        Ok(())
    }

    #[inline]
    fn make(slot: T, (): &()) -> Result<T, WireError> {
        Ok(slot)
    }
}

/// Members that are taken together: a longer message is a tuple of these, so that no function is about all of its fields.
pub struct Group<M>(PhantomData<M>);

impl<M: Member> Member for Group<M> {
    type Value = M::Value;
    type Slot<'a> = M::Slot<'a>;
    type Spec = M::Spec;

    #[inline]
    fn slot<'a>() -> Self::Slot<'a> {
        M::slot()
    }

    #[inline(always)]
    fn has(number: u32, spec: &Self::Spec) -> bool {
        M::has(number, spec)
    }

    #[inline]
    fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, spec: &Self::Spec) -> Result<(), WireError> {
        M::take(slot, field, spec)
    }

    #[inline]
    fn settle(slot: &mut Self::Slot<'_>, spec: &Self::Spec) -> Result<(), WireError> {
        M::settle(slot, spec)
    }

    #[inline]
    fn make(slot: Self::Slot<'_>, spec: &Self::Spec) -> Result<Self::Value, WireError> {
        M::make(slot, spec)
    }
}

macro_rules! tuples {
    ($($member:ident $at:tt,)*) => { tuples!(@ [] $($member $at,)*); };
    (@ [$($done:ident $done_at:tt,)*]) => {};
    (@ [$($done:ident $done_at:tt,)*] $member:ident $at:tt, $($rest:tt)*) => {
        tuples!(impl $($done $done_at,)* $member $at,);
        tuples!(@ [$($done $done_at,)* $member $at,] $($rest)*);
    };
    (impl $($member:ident $at:tt,)+) => {
        impl<$($member: Member),+> Member for ($($member,)+) {
            type Value = ($($member::Value,)+);
            type Slot<'a> = ($($member::Slot<'a>,)+);
            type Spec = ($($member::Spec,)+);

            #[inline]
            fn slot<'a>() -> Self::Slot<'a> {
                ($($member::slot(),)+)
            }

            #[inline(always)]
            fn has(number: u32, spec: &Self::Spec) -> bool {
                false $(|| $member::has(number, &spec.$at))+
            }

            // Inlined whatever the size (at most twelve fields): the numbers are constants there, and compared by a table.
            #[inline(always)]
            fn take<'a>(slot: &mut Self::Slot<'a>, field: &Field<'a>, spec: &Self::Spec) -> Result<(), WireError> {
                $(if $member::has(field.number(), &spec.$at) {
                    return $member::take(&mut slot.$at, field, &spec.$at);
                })+
                Ok(())
            }

            #[inline]
            fn settle(slot: &mut Self::Slot<'_>, spec: &Self::Spec) -> Result<(), WireError> {
                $($member::settle(&mut slot.$at, &spec.$at)?;)+
                Ok(())
            }

            #[inline]
            fn make(slot: Self::Slot<'_>, spec: &Self::Spec) -> Result<Self::Value, WireError> {
                Ok(($($member::make(slot.$at, &spec.$at)?,)+))
            }
        }
    };
}

tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11,);
