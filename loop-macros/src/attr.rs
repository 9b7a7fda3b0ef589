//! The common grammar of all attributes: `key`, `key = value`, `key(list)` and one bare literal.
//!
//!A malformed option is reported and skipped, the others are still read. Every key may be given once: a reader removes
//!it from the list, and a second one is reported separately.

mod spelling;

use proc_macro2::{Delimiter, Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, LitInt, LitStr, Meta};

use self::spelling::listing;
pub(crate) use self::spelling::nearest;
use crate::diag::Errors;

/// The attribute that takes a bare literal: the number on the wire.
const NUMBERED: &str = "wire";

/// What other derives call the number.
const NUMBER_WORDS: &[&str] = &["tag", "number", "id", "index", "field", "n"];

/// What the numbers of fields take beside them, and those of arguments and variants do not, or not all.
const OF_FIELDS: &[&str] =
    &["nanos", "default", "skip", "oneof", "sint", "fixed", "wrapped", "unpacked", "key", "with"];

/// The largest field number of protobuf.
const MAX_NUMBER: u32 = (1 << 29) - 1;

/// The options of one item, from all its attributes of one name.
pub(crate) struct Options {
    attribute: &'static str,
    entries: Vec<Entry>,
}

struct Entry {
    /// The key, or the bare literal.
    head: TokenTree,
    value: Value,
}

enum Value {
    None,
    Assigned(TokenStream),
    List(TokenStream),
}

impl Options {
    /// Reads `tokens`, the content of `#[attribute(..)]`, and reports keys that are not in `known` or occur twice.
    pub(crate) fn parse(attribute: &'static str, known: &[&str], tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self { attribute, entries: Vec::new() };
        options.read(known, tokens, errors);
        options
    }

    /// Reads all attributes called `attribute` among `attrs`; others are ignored.
    pub(crate) fn gather(attribute: &'static str, known: &[&str], attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self { attribute, entries: Vec::new() };
        for attr in attrs.iter().filter(|attr| attr.path().is_ident(attribute)) {
            match &attr.meta {
                Meta::List(list) => options.read(known, list.tokens.clone(), errors),
                Meta::Path(_) => {}
                Meta::NameValue(_) => {
                    errors.help(attr, format_args!("`{attribute}` takes a list of options"), listing(attribute, known))
                }
            }
        }
        options
    }

    fn read(&mut self, known: &[&str], tokens: TokenStream, errors: &mut Errors) {
        for option in split_commas(tokens) {
            let Some(entry) = entry(&option) else {
                let at: TokenStream = option.into_iter().collect();
                errors.help(at, "this is not an option", listing(self.attribute, known));
                continue;
            };
            if let TokenTree::Ident(key) = &entry.head {
                let name = key.to_string();
                if !known.contains(&name.as_str()) && self.attribute == NUMBERED && OF_FIELDS.contains(&name.as_str()) {
                    let problem = format!("`{name}` belongs to a field of a message");
                    errors.help(key, problem, "declare a message with such a field");
                    continue;
                }
                if !known.contains(&name.as_str())
                    && NUMBER_WORDS.contains(&name.as_str())
                    && self.attribute == NUMBERED
                    && let Some(number) = entry.assigned_number()
                {
                    let help = format!("write the number alone: `#[wire({number})]`");
                    errors.help(key, format_args!("unknown option `{name}`"), help);
                    continue;
                }
                if !known.contains(&name.as_str()) {
                    let help = nearest(&name, known)
                        .map_or_else(|| listing(self.attribute, known), |near| format!("did you mean `{near}`?"));
                    errors.help(key, format_args!("unknown option `{name}`"), help);
                    continue;
                }
                if self.entries.iter().any(|earlier| earlier.is(&name)) {
                    errors.push(key, format_args!("`{name}` is given twice"));
                    continue;
                }
            } else if self.attribute != NUMBERED {
                errors.help(&entry.head, "this is not an option", listing(self.attribute, known));
                continue;
            } else if self.entries.iter().any(|earlier| matches!(earlier.head, TokenTree::Literal(_))) {
                errors.push(&entry.head, "the number is given twice");
                continue;
            }
            self.entries.push(entry);
        }
    }

    fn take(&mut self, key: &str) -> Option<(Ident, Value)> {
        let index = self.entries.iter().position(|entry| entry.is(key))?;
        match self.entries.swap_remove(index) {
            Entry { head: TokenTree::Ident(key), value } => Some((key, value)),
            _ => None,
        }
    }

    /// A bare word, such as `idempotent`; returns the word itself, for its span.
    pub(crate) fn flag(&mut self, key: &str, errors: &mut Errors) -> Option<Ident> {
        let (key, value) = self.take(key)?;
        if let Value::Assigned(tokens) | Value::List(tokens) = value {
            errors.help(
                at(&key, tokens),
                format_args!("`{key}` takes no value"),
                format_args!("write `#[{}({key})]`", self.attribute),
            );
        }
        Some(key)
    }

    /// `key = ".."`.
    pub(crate) fn string(&mut self, key: &str, example: &str, errors: &mut Errors) -> Option<LitStr> {
        let (key, value) = self.take(key)?;
        let tokens = match value {
            Value::Assigned(tokens) | Value::List(tokens) => tokens,
            Value::None => TokenStream::new(),
        };
        syn::parse2(tokens.clone()).map_or_else(
            |_| {
                errors.help(
                    at(&key, tokens),
                    format_args!("`{key}` is a string"),
                    format_args!("for example `{key} = \"{example}\"`"),
                );
                None
            },
            Some,
        )
    }

    /// `key = <tokens>`, for the caller to parse.
    pub(crate) fn assigned(&mut self, key: &str, example: &str, errors: &mut Errors) -> Option<(Ident, TokenStream)> {
        match self.take(key)? {
            (key, Value::Assigned(tokens)) => Some((key, tokens)),
            (key, _) => {
                errors.help(
                    &key,
                    format_args!("`{key}` needs a value"),
                    format_args!("for example `{key} = {example}`"),
                );
                None
            }
        }
    }

    /// `key(<tokens>)`, for the caller to parse.
    pub(crate) fn list(&mut self, key: &str, example: &str, errors: &mut Errors) -> Option<(Ident, TokenStream)> {
        match self.take(key)? {
            (key, Value::List(tokens)) => Some((key, tokens)),
            (key, _) => {
                errors.help(&key, format_args!("`{key}` takes a list"), format_args!("for example `{key}({example})`"));
                None
            }
        }
    }

    /// The bare literal as a checked field number.
    pub(crate) fn number(&mut self, errors: &mut Errors) -> Option<Number> {
        Number::read(self.literal()?, errors)
    }

    /// The bare literal, for the caller to parse.
    pub(crate) fn literal(&mut self) -> Option<Literal> {
        let index = self.entries.iter().position(|entry| matches!(entry.head, TokenTree::Literal(_)))?;
        match self.entries.swap_remove(index).head {
            TokenTree::Literal(literal) => Some(literal),
            _ => None,
        }
    }
}

impl Entry {
    /// The number in `tag = 1`.
    fn assigned_number(&self) -> Option<LitInt> {
        match &self.value {
            Value::Assigned(tokens) => syn::parse2(tokens.clone()).ok(),
            Value::None | Value::List(_) => None,
        }
    }

    fn is(&self, key: &str) -> bool {
        matches!(&self.head, TokenTree::Ident(ident) if ident == key)
    }
}

/// A valid protobuf field number, and its token.
#[derive(Clone)]
pub(crate) struct Number {
    pub(crate) value: u32,
    pub(crate) token: Literal,
}

impl Number {
    /// Checks protobuf's range for users: 1 to 2^29 - 1 without 19000 to 19999.
    pub(crate) fn read(token: Literal, errors: &mut Errors) -> Option<Self> {
        let Ok(integer) = syn::parse2::<LitInt>(token.to_token_stream()) else {
            errors.help(&token, "wire numbers are written as integers", "for example `1`");
            return None;
        };
        if integer.base10_digits().starts_with('-') {
            errors.help(&token, "wire numbers of fields are positive", "numbers start at 1");
            return None;
        }
        match integer.base10_parse::<u32>() {
            Ok(0) => errors.help(&token, "wire number 0 is reserved", "numbers start at 1"),
            Ok(19_000..=19_999) => errors.push(&token, "wire numbers 19000 to 19999 belong to protobuf itself"),
            Ok(value @ 1..=MAX_NUMBER) => return Some(Self { value, token }),
            _ => errors.push(&token, format_args!("the largest wire number is {MAX_NUMBER}")),
        }
        None
    }
}

/// What to underline: the value, or the key when there is none.
fn at(key: &Ident, tokens: TokenStream) -> TokenStream {
    if tokens.is_empty() { key.to_token_stream() } else { tokens }
}

fn entry(option: &[TokenTree]) -> Option<Entry> {
    let (head, rest) = option.split_first()?;
    let (head, value) = match (head, rest) {
        (TokenTree::Literal(_), []) => (head, Value::None),
        (TokenTree::Group(group), []) if group.delimiter() == Delimiter::None => {
            // A literal that came through a `macro_rules!` fragment.
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            return entry(&inner);
        }
        (TokenTree::Punct(minus), [TokenTree::Literal(number)]) if minus.as_char() == '-' => {
            let mut negative: Literal = format!("-{number}").parse().ok()?;
            negative.set_span(number.span());
            return Some(Entry { head: negative.into(), value: Value::None });
        }
        (TokenTree::Ident(_), []) => (head, Value::None),
        (TokenTree::Ident(_), [TokenTree::Group(list)]) if list.delimiter() == Delimiter::Parenthesis => {
            (head, Value::List(list.stream()))
        }
        (TokenTree::Ident(_), [TokenTree::Punct(equals), value @ ..]) if equals.as_char() == '=' => {
            (head, Value::Assigned(value.iter().cloned().collect()))
        }
        _ => return None,
    };
    Some(Entry { head: head.clone(), value })
}

/// The comma separated parts, without empty ones.
pub(crate) fn split_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(comma), _) if comma.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(part)) => part.push(token),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    const KNOWN: &[&str] = &["package", "name", "crate", "whole", "returns"];

    fn parse(tokens: TokenStream) -> (Options, Errors) {
        let mut errors = Errors::default();
        let options = Options::parse(NUMBERED, KNOWN, tokens, &mut errors);
        (options, errors)
    }

    #[test]
    fn reads_every_form() {
        let (mut options, mut errors) = parse(quote!(7, package = "a.b", whole, returns(x = 1), crate = ::a::b,));
        assert_eq!(options.number(&mut errors).map(|n| n.value), Some(7));
        assert_eq!(options.string("package", "", &mut errors).map(|s| s.value()).as_deref(), Some("a.b"));
        assert!(options.flag("whole", &mut errors).is_some());
        assert_eq!(
            options.list("returns", "", &mut errors).map(|(_, list)| list.to_string()).as_deref(),
            Some("x = 1")
        );
        assert_eq!(
            options.assigned("crate", "", &mut errors).map(|(_, path)| path.to_string()).as_deref(),
            Some(":: a :: b")
        );
        assert!(errors.is_empty(), "{:?}", errors.texts());
    }

    #[test]
    fn reports_all_mistakes_and_keeps_the_rest() {
        let (mut options, mut errors) = parse(quote!(pacakge = "x", retries = 3, name = 3, name = "b", +1, whole = 1));
        assert!(options.string("name", "Relayer", &mut errors).is_none());
        assert!(options.flag("whole", &mut errors).is_some());
        assert_eq!(
            errors.texts(),
            [
                "unknown option `pacakge`\nhelp: did you mean `package`?",
                "unknown option `retries`\nhelp: `wire` takes `package`, `name`, `crate`, `whole` and `returns`",
                "`name` is given twice",
                "this is not an option\nhelp: `wire` takes `package`, `name`, `crate`, `whole` and `returns`",
                "`name` is a string\nhelp: for example `name = \"Relayer\"`",
                "`whole` takes no value\nhelp: write `#[wire(whole)]`",
            ]
        );
    }

    #[test]
    fn only_what_has_a_number_takes_a_literal() {
        let mut errors = Errors::default();
        let mut options = Options::parse("rpc", KNOWN, quote!(7, "Get", whole), &mut errors);
        assert!(options.literal().is_none() && options.flag("whole", &mut errors).is_some());
        let told = "this is not an option\nhelp: `rpc` takes `package`, `name`, `crate`, `whole` and `returns`";
        assert_eq!(errors.texts(), [told, told]);
    }

    #[test]
    fn number_ranges() {
        for (literal, good) in [
            ("1", true),
            ("18999", true),
            ("20000", true),
            ("536870911", true),
            ("0", false),
            ("19000", false),
            ("19999", false),
            ("536870912", false),
            ("1.5", false),
            ("\"1\"", false),
            ("-1", false),
        ] {
            let (mut options, mut errors) = parse(literal.parse().unwrap_or_default());
            assert_eq!(options.number(&mut errors).is_some(), good, "{literal}");
            assert_eq!(errors.is_empty(), good, "{literal}");
        }
    }
}
