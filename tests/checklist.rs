//! Checks `interop/CHECKLIST.md` against the sources: every row exists, and every test that it names.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The rows of a checklist are numbered.
const ROWS: [(&str, u32); 2] = [("P", 42), ("H", 38)];
/// In front of the reason why a row cannot be a test.
const NONE: &str = "none: ";

struct Row {
    number: String,
    tests: Vec<String>,
    /// Instead of tests.
    reason: String,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("interop/CHECKLIST.md")).unwrap();
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    cells
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells[0] != "row")
        .map(|cells| {
            let [number, asked, tests, peer] = cells[..] else { panic!("{} has {} cells", cells[0], cells.len()) };
            assert!(!asked.is_empty(), "{number} asks for nothing");
            let reason = tests.strip_prefix(NONE).unwrap_or_default();
            assert!(peer.is_empty() != reason.is_empty(), "{number} needs a kind of peer, or a reason");
            let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Row { number: number.to_owned(), tests, reason: reason.to_owned() }
        })
        .collect()
}

/// The names of all tests: functions with a test's attribute, and what the tables of custom harnesses list.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for dir in ["loop-runtime/src", "loop-runtime/tests", "examples/median/tests", "tests"] {
        visit(&root().join(dir), &mut |source| {
            let (mut is_test, mut in_table) = (false, false);
            for line in source.lines().map(str::trim) {
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    is_test = true;
                } else if let Some((_, function)) = line.split_once("fn ") {
                    if std::mem::take(&mut is_test) {
                        names.extend(function.split('(').next().map(str::to_owned));
                    }
                } else if line == "trials![" || line == "cases![" || line.starts_with("const CASES:") {
                    in_table = true;
                } else if line.starts_with(']') {
                    in_table = false;
                } else if in_table {
                    names.extend(line.split(',').map(|name| name.trim().trim_matches('"').to_owned()));
                }
            }
        });
    }
    names
}

fn visit(dir: &Path, read: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, read);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            read(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_row_is_there_once_and_in_order() {
    let expected: Vec<String> =
        ROWS.iter().flat_map(|(kind, last)| (1..=*last).map(move |number| format!("{kind}{number}"))).collect();
    let found: Vec<String> = rows().into_iter().map(|row| row.number).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_row_names_tests_that_exist_or_a_reason() {
    let known = tests();
    for row in rows() {
        assert!(row.tests.is_empty() != row.reason.is_empty(), "{} needs tests or a reason, not both", row.number);
        for test in row.tests {
            let name = test.rsplit("::").next().unwrap_or_default();
            assert!(known.contains(name), "{} names `{test}`, which is nowhere", row.number);
        }
    }
}
