//! The files in `expansions/`: for each `name.rs`, what the macros make of it is `name.expanded.rs`, formatted. They are
//! for people who want to know what an attribute costs, and show what a change of the macros changes.
//!
//! `LOOP_EXPANSIONS=overwrite` writes them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/expansions");

#[test]
fn expansions_are_those_in_the_files() {
    let overwrite = std::env::var_os("LOOP_EXPANSIONS").is_some_and(|value| value == "overwrite");
    let mut differences = String::new();
    let inputs = inputs();
    assert!(inputs.len() >= 12, "{inputs:?}");
    for input in inputs {
        let (made, file) = (expansion(&input), input.with_extension("expanded.rs"));
        if overwrite {
            fs::write(&file, &made).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        let (mut kept, mut made) = (kept.lines(), made.lines());
        let mut line = 1;
        loop {
            match (kept.next(), made.next()) {
                (None, None) => break,
                (kept, made) if kept == made => line += 1,
                (kept, made) => {
                    let file = file.display();
                    writeln!(differences, "{file}:{line}\n  is       {kept:?}\n  would be {made:?}").unwrap();
                    break;
                }
            }
        }
    }
    assert!(differences.is_empty(), "{differences}LOOP_EXPANSIONS=overwrite writes the files");
}

/// No file is left of an input that is gone.
#[test]
fn every_expansion_has_an_input() {
    let inputs = inputs();
    for file in files().filter(|file| is_expansion(file)) {
        let input = file.with_extension("").with_extension("rs");
        assert!(inputs.contains(&input), "{}", file.display());
    }
}

fn inputs() -> Vec<PathBuf> {
    let mut inputs: Vec<_> = files().filter(|file| !is_expansion(file)).collect();
    inputs.sort();
    inputs
}

fn files() -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
}

fn is_expansion(file: &Path) -> bool {
    file.to_str().is_some_and(|name| name.ends_with(".expanded.rs"))
}

/// The items of the file after the macros.
fn expansion(input: &Path) -> String {
    let text = fs::read_to_string(input).unwrap();
    let items = syn::parse_file(&text).unwrap().items;
    let tokens: TokenStream = items.into_iter().map(expanded).collect();
    let file = syn::parse2(tokens.clone()).unwrap_or_else(|why| panic!("{}: {why}: {tokens}", input.display()));
    prettyplease::unparse(&file)
}

/// An item, or what the macro on it makes of it.
fn expanded(mut item: Item) -> TokenStream {
    let attrs = match &mut item {
        Item::Trait(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        _ => return item.into_token_stream(),
    };
    let ours = |attr: &Attribute| attr.path().is_ident("loop_service") || attr.path().is_ident("derive");
    let Some(at) = attrs.iter().position(ours) else { return item.into_token_stream() };
    let Meta::List(list) = attrs.remove(at).meta else { panic!("the macro takes a list") };
    match list.tokens.to_string().as_str() {
        "LoopMessage" => crate::message::expand(item.into_token_stream()),
        "LoopError" => crate::error::expand(item.into_token_stream()),
        _ => crate::service::expand(list.tokens, item.into_token_stream()),
    }
}
