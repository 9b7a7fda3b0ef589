//! Rules about numbers that fields, cases and enum values share.

use proc_macro2::Literal;
use quote::ToTokens;
use syn::LitInt;

use super::model::Reserved;
use crate::attr::{Number, Options};
use crate::diag::Errors;

/// The number in `#[wire(..)]`.
pub(crate) enum FieldNumber {
    /// A sound one.
    Number(Sound),
    /// Nothing.
    Nothing,
    /// An invalid one, which was reported.
    Refused,
}

/// A number, which only in an enum may be negative, and the token that gave it.
pub(crate) struct Sound {
    value: i64,
    token: Literal,
}

impl From<Number> for Sound {
    fn from(number: Number) -> Self {
        Self { value: number.value.into(), token: number.token }
    }
}

impl FieldNumber {
    /// The number of a field or a case; `sound` is whether the attribute was valid so far.
    pub(super) fn field(options: &mut Options, sound: bool, errors: &mut Errors) -> Self {
        match options.literal() {
            Some(literal) => Number::read(literal, errors).map_or(Self::Refused, |number| Self::Number(number.into())),
            None if sound => Self::Nothing,
            None => Self::Refused,
        }
    }

    /// The number of a value of an enum, where protobuf allows all of `i32` and has no range of its own.
    pub(super) fn value(options: &mut Options, sound: bool, errors: &mut Errors) -> Self {
        let Some(token) = options.literal() else {
            return if sound { Self::Nothing } else { Self::Refused };
        };
        match number_of(&token).and_then(|number| number.base10_parse::<i32>().ok()) {
            Some(value) => Self::Number(Sound { value: value.into(), token }),
            None => {
                match number_of(&token) {
                    Some(_) => errors.help(
                        &token,
                        "values of an enum are from -2147483648 to 2147483647",
                        "choose a number in that range",
                    ),
                    None => errors.help(&token, "wire numbers are written as integers", "for example `#[wire(0)]`"),
                }
                Self::Refused
            }
        }
    }

    /// The number of a field or a case, which is there once all checks have passed.
    pub(crate) fn get(&self) -> u32 {
        u32::try_from(self.sound()).unwrap_or_default()
    }

    /// The number of a value of an enum.
    pub(crate) fn of_value(&self) -> i32 {
        i32::try_from(self.sound()).unwrap_or_default()
    }

    fn sound(&self) -> i64 {
        match self {
            Self::Number(number) => number.value,
            Self::Nothing | Self::Refused => 0,
        }
    }
}

fn number_of(token: &Literal) -> Option<LitInt> {
    syn::parse2(token.to_token_stream()).ok()
}

/// The numbers of one message or enum.
pub(super) struct Numbers<'a> {
    /// What the numbers belong to, for error texts.
    owner: &'a str,
    reserved: &'a [Reserved],
    used: Vec<&'a Sound>,
    /// The next free number after all that are used or reserved.
    free: i64,
}

impl<'a> Numbers<'a> {
    /// Collects the numbers; `from` is the smallest valid one.
    pub(super) fn new(
        owner: &'a str,
        from: i64,
        reserved: &'a [Reserved],
        given: impl Iterator<Item = &'a FieldNumber>,
    ) -> Self {
        let used: Vec<_> = given
            .filter_map(|given| match given {
                FieldNumber::Number(number) => Some(number),
                FieldNumber::Nothing | FieldNumber::Refused => None,
            })
            .collect();
        let taken = used.iter().map(|number| number.value).chain(reserved.iter().map(|range| range.last.into()));
        let free = match taken.max().map_or(from, |last| from.max(last + 1)) {
            // Protobuf's own range.
            19_000..=19_999 => 20_000,
            free => free,
        };
        Self { owner, reserved, used, free }
    }

    /// Reports numbers that are used twice or are reserved.
    pub(super) fn check(&self, errors: &mut Errors) {
        let Self { owner, free, .. } = self;
        for (index, Sound { value, token }) in self.used.iter().enumerate() {
            if let Some(first) = self.used.iter().take(index).find(|first| first.value == *value) {
                let problem = format!("wire number {value} is used twice in `{owner}`");
                errors.twice(token, problem, &first.token, value);
            }
            if self.reserved.iter().any(|range| (i64::from(range.first)..=range.last.into()).contains(value)) {
                let help = format!("it belonged to something that was removed; {free} is free");
                errors.help(token, format_args!("wire number {value} of `{owner}` is reserved"), help);
            }
        }
    }

    /// Reports that `what` has no number.
    pub(super) fn missing(&mut self, at: impl ToTokens, what: &str, errors: &mut Errors) {
        let help = format!("add `#[wire({})]`, the next free number of `{}`", self.free, self.owner);
        errors.help(at, format_args!("{what} has no wire number"), help);
        self.free += 1;
    }
}
