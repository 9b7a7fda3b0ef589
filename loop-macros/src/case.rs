//! Rust names to protobuf names.

use proc_macro2::Ident;

/// The name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

/// `latest_head` to `LatestHead`. Letters after the first of a word stay as they are.
pub(crate) fn pascal(snake: &str) -> String {
    snake.split('_').filter(|word| !word.is_empty()).map(capitalised).collect()
}

/// `LatestHead` to `LATEST_HEAD`, as protobuf names the values of an enum.
pub(crate) fn shouting(pascal: &str) -> String {
    let mut out = String::with_capacity(pascal.len() + 4);
    let mut after_lower = false;
    for c in pascal.chars() {
        if c.is_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        out.extend(c.to_uppercase());
    }
    out
}

/// Is this one protobuf identifier?
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Is this a protobuf package or a full name: identifiers joined by single dots?
pub(crate) fn is_dotted(text: &str) -> bool {
    text.split('.').all(is_name)
}

fn capitalised(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pascal_case() {
        for (snake, expected) in [
            ("latest_head", "LatestHead"),
            ("new_median_factory", "NewMedianFactory"),
            ("ready", "Ready"),
            ("new_ccip_provider", "NewCcipProvider"),
            ("_odd__name_", "OddName"),
            ("v2_of_it", "V2OfIt"),
        ] {
            assert_eq!(pascal(snake), expected);
        }
    }

    #[test]
    fn shouting_case() {
        for (name, expected) in
            [("Unspecified", "UNSPECIFIED"), ("NotFound", "NOT_FOUND"), ("V2Ready", "V2_READY"), ("URL", "URL")]
        {
            assert_eq!(shouting(name), expected);
        }
    }

    #[test]
    fn raw_names_lose_their_prefix() {
        assert_eq!(plain(&quote::format_ident!("r#type")), "type");
        assert_eq!(plain(&quote::format_ident!("kind")), "kind");
    }

    #[test]
    fn protobuf_names() {
        assert!(is_name("LatestHead") && is_name("a_1"));
        assert!(!is_name("") && !is_name("1a") && !is_name("get head") && !is_name("a.b"));
        assert!(is_dotted("acme.relayer.v1") && is_dotted("loop"));
        assert!(!is_dotted("acme..v1") && !is_dotted("") && !is_dotted(".acme"));
    }
}
