//! Destinations of decoded values.
//!
//! A recursive message is read by mutually recursive functions, up to 100 levels deep, on stacks of 2 MiB or less. If
//! values were returned, each of these functions would reserve stack space for one, several times over in unoptimised
//! builds, and a message of eighty maps takes 4 KiB. So no function of the recursion holds a value: each gets a
//! destination, and the value is made and put there by a function that returns before the next level
//! begins.

/// Takes a value.
pub trait Sink<T> {
    /// Takes it; of several, the last one counts, unless all are kept.
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

/// Maps a value by `with` into another sink: into its box, its newtype, its variant of an enum.
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
