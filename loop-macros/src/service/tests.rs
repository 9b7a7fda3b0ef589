//! What an expansion contains, and what it never does. Its behaviour is tested across processes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::{docs, expand, types};

fn expanded(options: TokenStream, item: TokenStream) -> String {
    expand(options, item).to_string()
}

/// Every kind of method, with every option.
fn relayer() -> TokenStream {
    quote! {
        /// Access to one chain.
        pub trait Relayer: Lifecycle + Send {
            /// The head.
            #[rpc(idempotent)]
            async fn latest_head(&self, id: &str, depth: u32) -> Result<Head>;
            #[rpc(whole, name = "Details", request = "google.protobuf.Empty")]
            async fn latest_details(&self) -> Result<Details>;
            #[rpc(returns(relayerID = 2, info = 1), singleton)]
            async fn open(&self, #[wire(3, dial = "Keystore")] keys: Arc<dyn Keystore>) -> Result<(Arc<dyn Reader>, Info)>;
            #[rpc(once)]
            async fn session(&self) -> Result<Arc<dyn Reader>>;
            #[rpc(release)]
            async fn close(&self) -> Result<()>;
            #[rpc(start)]
            async fn start(&self) -> Result<()> { Ok(()) }
            #[cfg(special)]
            async fn special(&self, n: u32) -> Result<u32>;
            #[cfg(special)]
            fn codec(&self) -> Option<Arc<dyn Codec>>;
        }
    }
}

#[test]
fn nothing_but_the_runtime_is_named() {
    let text = expanded(quote!(package = "acme.v1", crate = ::facade::rt), relayer());
    assert!(!text.contains("compile_error"), "{text}");
    assert!(text.contains("use :: facade :: rt :: __private :: { self as __rt"));
    for banned in ["loop_runtime", "tonic", "hyper", "http", "tokio", "prost", "bytes"] {
        assert!(!text.to_lowercase().contains(banned), "{banned}");
    }
}

#[test]
fn names_and_numbers_of_the_contract() {
    let text = expanded(quote!(package = "acme.v1", name = "Chain"), relayer());
    for expected in [
        r#"Method :: new ("/acme.v1.Chain/LatestHead" , "LatestHead") . idempotent ()"#,
        r#"Method :: new ("/acme.v1.Chain/Details" , "Details")"#,
        r#"Method :: new ("/acme.v1.Chain/Session" , "Session") . once () . carries (__rt :: constructs ("#,
        r#"FieldSpec :: new (3u32 , "keys") . dial ("Keystore")"#,
        r#"FieldSpec :: new (2u32 , "relayerID")"#,
        r#"name : "google.protobuf.Empty""#,
        r#"name : "LatestHeadReply""#,
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains("/acme.v1.Chain/Start"), "a start method is never sent");
}

#[test]
fn conditions_reach_every_family() {
    let text = expanded(quote!(package = "acme.v1"), relayer());
    // A method: trait, erased trait, blanket, `Arc`, constant, client, `Remote`, table, dispatcher, schema.
    // An accessor: trait, `Arc`, `Remote`, carries, names, mount, schema.
    assert_eq!(text.matches("cfg (special)").count(), 10 + 7);
}

#[test]
fn options_behind_a_condition_make_two_methods() {
    let text = expanded(
        quote!(package = "acme.v1"),
        quote! {
            trait Relayer {
                #[cfg_attr(fast, rpc(idempotent), cfg_attr(old, rpc(name = "OldGet")), inline)]
                async fn get(&self, #[cfg_attr(many, wire(3))] n: u32) -> Result<u32>;
                #[cfg_attr(fast, inline)]
                async fn put(&self, n: u32) -> Result<u32>;
            }
        },
    );
    assert!(!text.contains("compile_error"), "{text}");
    for expected in [
        // Two conditions behind `fast`, one without it.
        r#"# [cfg (fast)] # [cfg (old)] # [cfg (many)] const __METHOD_"#,
        r#"# [cfg (fast)] # [cfg (not (old))] # [cfg (not (many))] const __METHOD_"#,
        r#"# [cfg (not (fast))] # [cfg (many)] const __METHOD_"#,
        r#"# [cfg (not (fast))] # [cfg (not (many))] const __METHOD_"#,
        r#"FieldSpec :: new (3u32 , "n")"#,
        r#"FieldSpec :: new (1u32 , "n")"#,
        r#"("/acme.v1.Relayer/OldGet" , "OldGet") . idempotent ()"#,
        r#"("/acme.v1.Relayer/Get" , "Get") . idempotent ()"#,
        r#"# [cfg_attr (fast , inline)]"#,
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(text.contains("# [inline] # [cfg (fast)]"), "{text}");
    assert_eq!(text.matches("cfg_attr").count(), 1, "{text}");
}

#[test]
fn docs_gain_one_paragraph() {
    let text = expanded(quote!(package = "acme.v1"), relayer());
    assert_eq!(text.matches("# Plugin service").count(), 1);
    assert!(text.contains("Repeated after a lost connection: `latest_head`"));
    assert!(text.contains("is not made anew when it is lost: `session`"));
    assert!(text.contains("Any other method that returns a service may run again"));
}

#[test]
fn all_mistakes_are_reported_and_the_trait_stays() {
    let text = expanded(
        quote!(pacakge = "acme.v1"),
        quote! {
            unsafe trait Relayer {
                type Config;
                async fn submit(&mut self, n: usize, (a, b): (u32, u32)) -> Result<&str>;
                fn reset(&self);
            }
        },
    );
    for expected in [
        "unknown option `pacakge`",
        "cannot be `unsafe`",
        "cannot have an associated type",
        "takes `&mut self`",
        "`usize` has no fixed width",
        "needs a name",
        "returns a reference",
        "`reset` must be `async`",
    ] {
        assert_eq!(text.matches(expected).count(), 1, "{expected} in {text}");
    }
    assert_eq!(text.matches("compile_error").count(), 8);
    assert!(text.contains("trait Relayer") && text.contains("fn reset (& self)"));
}

#[test]
fn anything_but_a_trait_is_left_alone() {
    let text = expanded(
        quote!(package = "acme.v1"),
        quote!(
            struct Evm {
                height: u64,
            }
        ),
    );
    assert!(text.contains("compile_error") && text.contains("struct Evm { height : u64"), "{text}");
}

#[test]
fn elided_lifetimes_get_one_name() {
    let cases: [(syn::Type, &str); 8] = [
        (syn::parse_quote!(&str), "& 'a str"),
        (syn::parse_quote!(&[&u8]), "& 'a [& 'a u8]"),
        (syn::parse_quote!(Cow<'_, str>), "Cow < 'a , str >"),
        (syn::parse_quote!(&'b str), "& 'b str"),
        (syn::parse_quote!(Vec<u8>), "Vec < u8 >"),
        (syn::parse_quote!(&[u8; MASK & 32]), "& 'a [u8 ; MASK & 32]"),
        (syn::parse_quote!(Sized<{ MASK & 32 }, &'_ str>), "Sized < { MASK & 32 } , & 'a str >"),
        (syn::parse_quote!((&str, Box<dyn Trait + '_>)), "(& 'a str , Box < dyn Trait + 'a >)"),
    ];
    for (input, output) in cases {
        assert_eq!(types::name_lifetimes(&input).into_token_stream().to_string(), output);
    }
}

#[test]
fn doc_comments_become_text() {
    let item: syn::ItemTrait = syn::parse_quote! {
        /// First line,
        ///   indented.
        ///
        /// Second paragraph.
        #[doc(hidden)]
        trait T {}
    };
    assert_eq!(docs::docs(&item.attrs), "First line,\n  indented.\n\nSecond paragraph.");
}
