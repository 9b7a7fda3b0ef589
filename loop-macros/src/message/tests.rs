//! The error texts are tested in `tests/ui/message`; here is what needs several mistakes or checks the expansion.

use proc_macro2::TokenStream;
use quote::quote;

use super::{check, expand, parse};
use crate::diag::Errors;

fn texts(item: TokenStream) -> Vec<String> {
    let item = syn::parse2(item).unwrap();
    let mut errors = Errors::default();
    if let Some(message) = parse::message(&item, &mut errors) {
        check::check(&message, &mut errors);
    }
    errors.texts()
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let texts = texts(quote! {
        #[message(reserved(4, 7..=9), text = "no")]
        struct Head {
            #[wire(1)]
            a: u64,
            b: u64,
            #[wire(1)]
            c: Option<Option<u64>>,
            #[wire(8)]
            d: usize,
            e: u32,
            #[wire(0)]
            f: u32,
        }
    });
    assert_eq!(
        texts,
        [
            "wire number 0 is reserved\nhelp: numbers start at 1",
            "`text` belongs to a newtype\nhelp: put it on the field: `#[wire(1, text = \"..\")]`",
            "wire number 1 is used twice in `Head`",
            "1 is first used here",
            "wire number 8 of `Head` is reserved\nhelp: it belonged to something that was removed; 10 is free",
            "field `b` has no wire number\nhelp: add `#[wire(10)]`, the next free number of `Head`",
            "the two kinds of absence look the same on the wire\nhelp: use an enum",
            "`usize` has no fixed width on the wire\nhelp: use `u32` or `u64`",
            "field `e` has no wire number\nhelp: add `#[wire(11)]`, the next free number of `Head`",
        ]
    );
}

#[test]
fn the_next_free_number_keeps_clear_of_protobufs_own() {
    let texts = texts(quote! {
        struct Head {
            #[wire(18999)]
            a: u64,
            b: u64,
        }
    });
    assert_eq!(texts, ["field `b` has no wire number\nhelp: add `#[wire(20000)]`, the next free number of `Head`"]);
}

#[test]
fn a_missing_zero_is_not_told_to_whom_a_number_is_missing() {
    let texts = texts(quote! {
        enum Status {
            #[wire(1)]
            Ready,
            Failed,
        }
    });
    assert_eq!(
        texts,
        ["variant `Failed` has no wire number\nhelp: add `#[wire(2)]`, the next free number of `Status`"]
    );
}

#[test]
fn sound_types_have_no_errors() {
    for item in [
        quote!(
            struct Empty;
        ),
        quote!(
            struct Empty {}
        ),
        quote!(
            struct Raw {
                #[wire(1)]
                r#type: String,
            }
        ),
        quote!(
            struct Digest([u8; 32]);
        ),
        quote!(
            enum Status {
                #[wire(0)]
                A,
                #[wire(unknown)]
                Other(i32),
            }
        ),
        quote!(
            enum Cursor {
                #[wire(1)]
                At(u64),
                #[wire(2)]
                Nothing,
                #[wire(3)]
                Range {
                    #[wire(1)]
                    from: u64,
                    #[wire(skip)]
                    note: String,
                },
            }
        ),
    ] {
        assert_eq!(texts(item.clone()), [""; 0], "{item}");
        syn::parse2::<syn::File>(expand(item)).unwrap();
    }
}

/// Every path in the expansion is absolute, through the crate path that was given.
#[test]
fn the_crate_can_be_given() {
    let expanded = expand(quote! {
        #[message(crate = ::facade::rt)]
        struct Head {
            #[wire(1)]
            height: u64,
            #[wire(oneof)]
            cursor: Option<Cursor>,
        }
    })
    .to_string();
    assert!(expanded.contains(":: facade :: rt :: __private :: wire :: Message for Head"));
    assert!(!expanded.contains("loop_runtime"));
}

#[test]
fn a_type_with_mistakes_keeps_its_impls() {
    let expanded = expand(quote! {
        enum Cursor {
            At(u64),
        }
    })
    .to_string();
    assert!(expanded.contains("compile_error"));
    assert!(expanded.contains("Message for Cursor") && expanded.contains("Oneof for Cursor"));
}
