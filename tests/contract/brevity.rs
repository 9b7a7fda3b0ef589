//! A service is declared once, and in no more lines than its interface in Go.

use syn::{Item, TraitItem};

/// The lines of Go's interfaces for the same services, the contract writer apart; their adapters have 2,420 more.
const GO: usize = 153;

#[test]
fn the_declarations_are_no_longer_than_gos_interfaces() {
    let mut lines = 0;
    let mut traits = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../src")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for item in syn::parse_file(&text).unwrap().items {
            let Item::Trait(item) = item else { continue };
            assert!(item.attrs.iter().any(|attr| attr.path().is_ident("loop_service")), "{}", item.ident);
            if item.ident != "ContractWriter" {
                // Its first and its last line, and one for each function.
                lines += 2 + item.items.iter().filter(|item| matches!(item, TraitItem::Fn(_))).count();
            }
            traits.push(item.ident.to_string());
        }
    }
    assert!(traits.len() >= 23, "{traits:?}");
    assert!(lines <= GO, "{lines} lines");
}
