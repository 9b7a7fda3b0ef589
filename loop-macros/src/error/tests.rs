//! The error texts are tested in `tests/ui/error`; here is what needs several mistakes or checks the expansion.

use proc_macro2::TokenStream;
use quote::quote;

use super::{expand, read};
use crate::diag::Errors;

fn texts(item: TokenStream) -> Vec<String> {
    let item = syn::parse2(item).unwrap();
    let mut errors = Errors::default();
    drop(read(&item, &mut errors));
    errors.texts()
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let texts = texts(quote! {
        #[message(text = "no")]
        enum SubmitError {
            #[wire(1, code = NotFond)]
            A,
            #[wire(1, code = "NotFound")]
            B,
            C(u64),
            #[wire(unknown)]
            D(usize),
            #[wire(3, transport, code = Internal)]
            E { why: Error },
            #[wire(transport)]
            F(Error),
        }
    });
    assert_eq!(
        texts,
        [
            "the error `SubmitError` has no package\nhelp: errors are recognised by their full name; add \
             `#[message(package = \"acme.relayer.v1\")]`",
            "gRPC has no code `NotFond`\nhelp: did you mean `NotFound`?",
            "`code` is the name of a code\nhelp: for example `code = NotFound`",
            "unknown option `unknown`\nhelp: `wire` takes `name`, `code` and `transport`",
            "`transport` is given twice",
            "the transport's variant is never written as such\nhelp: remove it",
            "the transport's variant is never written as such\nhelp: remove it",
            "the transport's variant holds an `Error` alone\nhelp: write `#[wire(transport)] E(loop_runtime::Error)`",
            "`text` belongs to a newtype\nhelp: put it on the field: `#[wire(1, text = \"..\")]`",
            "wire number 1 is used twice in `SubmitError`",
            "1 is first used here",
            "variant `C` has no wire number\nhelp: add `#[wire(2)]`, the next free number of `SubmitError`",
            "`usize` has no fixed width on the wire\nhelp: use `u32` or `u64`",
        ]
    );
}

#[test]
fn sound_types_have_no_errors() {
    for item in [
        quote!(
            #[message(package = "a.b")]
            enum Any {
                #[wire(transport)]
                Boundary(Error),
            }
        ),
        quote!(
            #[message(package = "a.b", name = "Other", oneof = "why", reserved(4), crate = ::facade::rt)]
            enum All {
                #[wire(1, name = "gone", code = NotFound)]
                A,
                #[wire(2)]
                B(#[source] Inner),
                #[wire(transport)]
                Boundary(::loop_runtime::Error),
                #[wire(3, code = Aborted)]
                C {
                    #[wire(1)]
                    at: u64,
                },
            }
        ),
    ] {
        assert_eq!(texts(item.clone()), [""; 0], "{item}");
        syn::parse2::<syn::File>(expand(item)).unwrap();
    }
}

#[test]
fn the_crate_can_be_given() {
    let expanded = expand(quote! {
        #[message(package = "a.b", crate = ::facade::rt)]
        enum Refused {
            #[wire(1, code = NotFound)]
            A,
            #[wire(transport)]
            Boundary(::facade::rt::Error),
        }
    })
    .to_string();
    assert!(expanded.contains(":: facade :: rt :: __private :: LoopError for Refused"));
    assert!(!expanded.contains("loop_runtime"));
}

#[test]
fn a_type_with_mistakes_keeps_its_impls() {
    for item in [
        quote!(
            enum Refused {
                A,
            }
        ),
        quote!(
            struct Refused {
                a: u64,
            }
        ),
        quote!(
            struct Refused<'a>(&'a str);
        ),
    ] {
        let expanded = expand(item).to_string();
        assert!(expanded.contains("compile_error"), "{expanded}");
        for kept in ["Message for Refused", "LoopError for Refused", "From < :: loop_runtime :: __private :: Error >"] {
            assert!(expanded.contains(kept), "{kept}: {expanded}");
        }
    }
}

#[test]
fn the_codes_are_the_runtimes() {
    let codes: Vec<String> = (1..=16).map(|n| loop_runtime::Code::from_i32(n).to_string()).collect();
    assert_eq!(codes, super::parse::CODES);
}
