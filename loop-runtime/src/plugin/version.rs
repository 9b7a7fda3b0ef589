//! The choice of the application protocol version.

/// The version that the plugin speaks: the highest of its own that the host offers, else its lowest, which the host
/// then rejects with its own error (and which old hosts, that offer none, expect).
///
/// `own` is sorted, highest first, and not empty. `offered` is the host's list, decimal integers separated by commas in
/// any order. Items that are not integers are handed to `junk` and ignored.
pub(crate) fn choose(own: &[u32], offered: &str, mut junk: impl FnMut(&str)) -> u32 {
    let mut host = Vec::new();
    for item in offered.split(',').filter(|_| !offered.is_empty()) {
        match item.parse::<i64>() {
            Ok(version) => host.push(version),
            Err(_) => junk(item),
        }
    }
    let common = own.iter().find(|version| host.contains(&i64::from(**version)));
    common.or(own.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_highest_common_version_wins_and_the_lowest_is_the_fallback() {
        let cases: &[(&str, u32, &[&str])] = &[
            ("3,1", 3, &[]),
            ("1,3", 3, &[]),
            ("1", 1, &[]),
            ("", 1, &[]),
            ("2", 1, &[]),
            (" 3", 1, &[" 3"]),
            ("x,3,,1.0", 3, &["x", "", "1.0"]),
            ("+3", 3, &[]),
            ("03", 3, &[]),
            ("-3", 1, &[]),
            ("99999999999999999999", 1, &["99999999999999999999"]),
        ];
        for (offered, chosen, junk) in cases {
            let mut seen = Vec::new();
            assert_eq!(choose(&[3, 1], offered, |item| seen.push(item.to_owned())), *chosen, "{offered:?}");
            assert_eq!(seen, *junk, "{offered:?}");
        }
    }

    proptest! {
        #[test]
        fn any_list_gives_one_of_the_own_versions(
            own in proptest::collection::btree_set(0u32..8, 1..5),
            host in proptest::collection::vec(0u32..8, 0..6),
            junk in "[a-z ]{1,4}",
        ) {
            let own: Vec<u32> = own.into_iter().rev().collect();
            let best = own.iter().copied().find(|version| host.contains(version));
            let mut items: Vec<String> = host.iter().map(u32::to_string).collect();
            items.push(junk.clone());
            let mut seen = Vec::new();
            let chosen = choose(&own, &items.join(","), |item| seen.push(item.to_owned()));
            prop_assert_eq!(chosen, best.unwrap_or(own[own.len() - 1]));
            prop_assert_eq!(seen, [junk]);
        }

        #[test]
        fn any_text_is_survived(offered in ".*") {
            let chosen = choose(&[3, 1], &offered, |_| ());
            prop_assert!(chosen == 3 || chosen == 1);
        }
    }
}
