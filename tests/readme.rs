//! Checks the README against the files that it shows.

use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap();
    let readme = read("README.md");
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(shown, read("examples/kv.rs"), "copy examples/kv.rs into README.md");
}

#[test]
fn the_readme_links_to_files_that_exist() {
    for page in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let links: Vec<&str> = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|link| !link.contains("://"))
            .collect();
        assert!(!links.is_empty(), "{page} has no links: is it read as it should be?");
        for link in links {
            let file = link.split('#').next().unwrap();
            assert!(root().join(file).exists(), "{page} links to {link}");
        }
    }
}
