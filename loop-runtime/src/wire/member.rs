//! Reading a message: one pass over what came, every field into its slot, then the slots into values.
//!
//! The pass is written here, once for each number of fields, and not by the derive: emitted for each message it was
//! half of what the compiler had to check of one.

use std::marker::PhantomData;

use super::oneof::{Case, OneofField};
use super::read::{Field, Fields};
use super::{FieldSpec, InNanos, OrDefault, Plain, WireError};

/// A field of a message in one of the ways to declare it, or several of them: a tuple.
pub trait Member {
    /// What is read.
    type Value;
    /// What is known of it during the pass.
    type Slot<'a>;
    /// What is fixed about it.
    type Spec: 'static;

    /// An empty slot.
    fn slot<'a>() -> Self::Slot<'a>;

    /// Takes `field` if it is this one; gives whether it was.
    fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>, spec: &Self::Spec) -> Result<bool, WireError>;

    /// Makes the value.
    fn make(slot: Self::Slot<'_>, spec: &Self::Spec) -> Result<Self::Value, WireError>;
}

/// Reads all members, and skips what is none.
#[inline]
pub fn read<M: Member>(mut fields: Fields<'_>, spec: &'static M::Spec) -> Result<M::Value, WireError> {
    let mut slot = M::slot();
    while let Some(field) = fields.next()? {
        M::take(&mut slot, field, spec)?;
    }
    M::make(slot, spec)
}

macro_rules! numbered {
    ($($member:ident $way:ident $slot:ty;)*) => {$(
        #[doc = concat!("A field that is [`", stringify!($way), "`].")]
        pub struct $member<T>(PhantomData<T>);

        impl<T: $way> Member for $member<T> {
            type Value = T;
            type Slot<'a> = $slot;
            type Spec = FieldSpec;

            #[inline(always)]
            fn slot<'a>() -> Self::Slot<'a> {
                T::slot()
            }

            #[inline(always)]
            fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>, spec: &FieldSpec) -> Result<bool, WireError> {
                let ours = field.number() == spec.number;
                if ours {
                    T::take(slot, field).map_err(|error| error.at(spec))?;
                }
                Ok(ours)
            }

            #[inline(always)]
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

/// A field that is a [`OneofField`]; its name is all that is fixed here, the numbers are those of the cases.
pub struct OneofFieldMember<T>(PhantomData<T>);

impl<T: OneofField> Member for OneofFieldMember<T> {
    type Value = T;
    type Slot<'a> = Case<'a>;
    type Spec = &'static str;

    #[inline(always)]
    fn slot<'a>() -> Case<'a> {
        Case::default()
    }

    #[inline(always)]
    fn take<'a>(slot: &mut Case<'a>, field: Field<'a>, _: &&'static str) -> Result<bool, WireError> {
        T::offer(slot, field)
    }

    #[inline(always)]
    fn make(slot: Case<'_>, name: &&'static str) -> Result<T, WireError> {
        T::done(slot).map_err(|error| error.within(name))
    }
}

// A longer message is a tuple of tuples.
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

            #[inline(always)]
            fn slot<'a>() -> Self::Slot<'a> {
                ($($member::slot(),)+)
            }

            // Inlined whatever the size: the numbers are constants there, and their comparisons one table.
            #[inline(always)]
            fn take<'a>(slot: &mut Self::Slot<'a>, field: Field<'a>, spec: &Self::Spec) -> Result<bool, WireError> {
                Ok(false $(|| $member::take(&mut slot.$at, field, &spec.$at)?)+)
            }

            #[inline(always)]
            fn make(slot: Self::Slot<'_>, spec: &Self::Spec) -> Result<Self::Value, WireError> {
                Ok(($($member::make(slot.$at, &spec.$at)?,)+))
            }
        }
    };
}

tuples!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11,);
