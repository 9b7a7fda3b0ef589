//! Keys and values for people: `key=value key="two words"`.

use std::fmt;

use serde_json::Value;

/// Shows `entries`, with a blank between two. Whatever they say, the text is one line.
pub(crate) fn write_pairs<'a>(
    f: &mut impl fmt::Write,
    entries: impl IntoIterator<Item = (&'a str, &'a Value)>,
) -> fmt::Result {
    for (n, (key, value)) in entries.into_iter().enumerate() {
        if n > 0 {
            f.write_char(' ')?;
        }
        text(f, key)?;
        f.write_char('=')?;
        match value {
            Value::String(value) => text(f, value)?,
            other => write!(f, "{other}")?,
        }
    }
    Ok(())
}

fn text(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    if is_word(text) { f.write_str(text) } else { write!(f, "{text:?}") }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "-_./:+@%".contains(c))
}
