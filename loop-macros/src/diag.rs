//! Collected diagnostics: one error for one mistake, on the token that the user wrote.

use std::collections::HashSet;
use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// Everything found wrong in one expansion.
///
/// Checks push and carry on, so that a user sees all mistakes of a trait in one run. Texts are lower case, without a
/// full stop, and name the item. Stable compilers give a macro one text for one span, so the remedy is the second
/// line of that text; rustc prints it as an indented continuation.
#[derive(Default)]
#[must_use = "dropping the errors would hide them from the user"]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Reports a problem that needs no advice.
    pub(crate) fn push(&mut self, at: impl ToTokens, problem: impl Display) {
        self.0.push(syn::Error::new_spanned(at, problem));
    }

    /// Reports a problem and what to do about it; `help` is an imperative that compiles.
    pub(crate) fn help(&mut self, at: impl ToTokens, problem: impl Display, help: impl Display) {
        self.push(at, format_args!("{problem}\nhelp: {help}"));
    }

    /// Reports something given twice: the offence, then where it was first.
    pub(crate) fn twice(
        &mut self,
        second: impl ToTokens,
        problem: impl Display,
        first: impl ToTokens,
        what: impl Display,
    ) {
        self.push(second, problem);
        self.push(first, format_args!("{what} is first used here"));
    }

    /// Takes over an error of syn's own parsers.
    pub(crate) fn absorb(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Leaves one of several that say the same of the same place: what was read in two versions is one mistake.
    pub(crate) fn dedup(&mut self) {
        let mut seen = HashSet::new();
        // Of a place there is no more to compare than how it is printed.
        self.0.retain(|error| seen.insert((error.to_string(), format!("{:?}", error.span()))));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many so far; two readings tell whether a step found something.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// One `compile_error!` for each problem, in the order of the source; nothing if there was none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    /// The texts alone, for unit tests.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
