//! Collected diagnostics: one error per mistake, on the token that the user wrote.

use std::collections::HashSet;
use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// All errors of one expansion.
///
/// Checks push and continue, so that a user sees all mistakes of a trait in one run. Texts are lower case, without a
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

    /// Reports something given twice: the second one, then where the first one is.
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

    /// Adds an error of syn's own parsers.
    pub(crate) fn absorb(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Removes duplicates, of equal text and span: a mistake that was read in two versions is one.
    pub(crate) fn dedup(&mut self) {
        let mut seen = HashSet::new();
        // Spans can be compared only by their `Debug` output.
        self.0.retain(|error| seen.insert((error.to_string(), format!("{:?}", error.span()))));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of errors so far; comparing it shows whether a step found any.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// One `compile_error!` per error, in source order; empty if there is none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    /// Only the texts, for unit tests.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
