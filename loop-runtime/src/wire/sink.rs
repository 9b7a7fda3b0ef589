//! Where values go once they are made.
//!
//! A message that nests in itself is read by functions that call each other, up to 100 levels deep, on stacks of 2 MiB or
//! less. Were a value handed back as a result, each of these functions would have room for it on the stack, several times
//! over in builds that are not optimised, and a message of eighty maps takes 4 KiB. So no function on that way holds a value:
//! each is told where it goes, and the value is made and put there by a function that has returned before the next level
//! begins.

/// Takes a value.
pub trait Sink<T> {
    /// Takes it; of several, the last counts, unless all are kept.
    fn put(&mut self, value: T);
}

impl<T> Sink<T> for Option<T> {
    #[inline]
    fn put(&mut self, value: T) {
        *self = Some(value);
    }
}

impl<T> Sink<T> for Vec<T> {
    #[inline]
    fn put(&mut self, value: T) {
        self.push(value);
    }
}

/// Puts what `with` makes of a value into another sink: the value in its box, in its newtype, as its case of an enum.
pub struct Mapped<'s, U, F> {
    into: &'s mut dyn Sink<U>,
    with: F,
}

impl<'s, U, F> Mapped<'s, U, F> {
    /// Values go through `with` into `into`.
    #[inline]
    pub fn new(into: &'s mut dyn Sink<U>, with: F) -> Self {
        Self { into, with }
    }
}

impl<T, U, F: Fn(T) -> U> Sink<T> for Mapped<'_, U, F> {
    #[inline]
    fn put(&mut self, value: T) {
        self.into.put((self.with)(value));
    }
}

/// Takes a value and drops it.
pub(super) struct Discard;

impl<T> Sink<T> for Discard {
    fn put(&mut self, _: T) {}
}
