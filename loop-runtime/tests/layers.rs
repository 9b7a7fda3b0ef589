//! What CONTRIBUTING promises of the layout: arrows between the rooms of this crate go down only, as do those between
//! the layers inside `service`. An arrow is a path `crate::room` in code; comments and tests do not count.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the crate, from the top down; rooms of one row do not use each other.
const ROOMS: &[&[&str]] = &[
    &["model"],
    &["parsers"],
    &["testing"],
    &["host", "plugin"],
    &["service"],
    &["broker", "context", "stdio"],
    &["transport"],
    &["proto"],
    &["streaming"],
    &["error"],
    &["wire"],
    &["handshake", "socket_dir"],
    &["lived", "sync", "sys"],
];

/// Data that both ends of a plugin read and write, outside of the rows.
const SHARED: &[&str] = &["reattach"];

/// The crate's root exports, which code inside it may use from there.
const EXPORTED: &[(&str, &str)] = &[
    ("Code", "error"),
    ("Error", "error"),
    ("ErrorKind", "error"),
    ("Handshake", "handshake"),
    ("Limits", "transport"),
    ("LoopError", "error"),
    ("Loss", "error"),
    ("Result", "error"),
    ("Streaming", "streaming"),
];

/// The layers inside `service`, from the top down.
const LAYERS: &[&[&str]] = &[&["typed"], &["serve"], &["handle"], &["session"], &["base"]];

#[test]
fn arrows_between_the_rooms_of_the_crate_go_down() {
    check(Path::new("src"), "crate::", ROOMS, SHARED);
}

#[test]
fn arrows_between_the_layers_of_the_service_room_go_down() {
    check(Path::new("src/service"), "crate::service::", LAYERS, &[]);
}

fn check(root: &Path, prefix: &str, rows: &[&[&str]], shared: &[&str]) {
    let row = |name: &str| rows.iter().position(|row| row.contains(&name));
    let mut wrong = BTreeSet::new();
    let mut arrows = 0;
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if ["lib", "mod", "prelude"].contains(&name.as_str()) || path.extension().is_some_and(|it| it != "rs") {
            continue;
        }
        if name.ends_with("_tests") {
            continue;
        }
        let Some(from) = row(&name) else {
            assert!(shared.contains(&name.as_str()), "{} stands in no row of this test", path.display());
            continue;
        };
        for file in files(&path) {
            for to in paths(&code(&fs::read_to_string(&file).unwrap()), prefix) {
                let exported = EXPORTED.iter().find(|(name, _)| *name == to);
                let to = exported.map_or(to, |(_, room)| (*room).to_owned());
                let Some(to_row) = row(&to) else { continue };
                arrows += usize::from(to != name);
                if to != name && to_row <= from {
                    wrong.insert(format!("{}: `{name}` uses `{to}`", file.display()));
                }
            }
        }
    }
    assert!(arrows > 10, "nothing was read");
    assert!(wrong.is_empty(), "arrows that do not go down:\n{wrong:#?}");
}

/// The source files of a room, without its tests.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut all = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if name != "tests" && !name.ends_with("_tests") {
            all.extend(files(&path));
        }
    }
    all
}

/// `text` without comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = match text.find("#[cfg(test)]\nmod tests {") {
        Some(at) => &text[..at],
        None => text,
    };
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The first segments after `prefix`, those of grouped imports too.
fn paths(code: &str, prefix: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut all = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut start = true;
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && is_name(c) => {
                        start = false;
                        all.insert(group[i..].chars().take_while(|c| is_name(*c)).collect());
                    }
                    _ => {}
                }
            }
        } else {
            all.insert(rest.chars().take_while(|c| is_name(*c)).collect());
        }
    }
    all
}

#[test]
fn an_arrow_is_found_however_it_is_written() {
    let code = code(
        "use crate::{host::A, b::{C, d}};\n// crate::no\nfn f() { crate::plugin::g() }\n#[cfg(test)]\nmod tests {\nuse crate::x;",
    );
    assert_eq!(paths(&code, "crate::"), ["b", "host", "plugin"].map(str::to_owned).into());
}
