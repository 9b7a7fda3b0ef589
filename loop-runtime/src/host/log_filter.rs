//! The host's `RUST_LOG`, as a plugin is to read it.
//!
//! A filter names the records of a plugin as they come in the host, `plugin::kv::feed=debug`, and the plugin makes them under
//! targets of its own, `feed`. What it does not make nobody can show, so what concerns it is put into its own words.

use crate::stdio::event::target_of;

/// `filter` for the plugin of this name: of `plugin::<name>::feed=debug` it reads `feed=debug`, of `plugin::<name>=debug` or
/// `plugin=debug` it reads `debug`, behind all else, because the last of several without a target counts. What does not
/// concern it stays as it is.
pub(super) fn for_plugin(filter: &str, name: &str) -> String {
    let own = target_of(name);
    let (mut directives, mut of_all, mut of_this) = (Vec::new(), None, None);
    for directive in directives_of(filter) {
        if let Some(level) = level_behind(directive, "plugin") {
            of_all = Some(level);
        } else if let Some(level) = level_behind(directive, &own) {
            of_this = Some(level);
        } else {
            let within = directive.strip_prefix(&own).and_then(|rest| rest.strip_prefix("::"));
            directives.push(within.unwrap_or(directive));
        }
    }
    directives.extend(of_all.into_iter().chain(of_this));
    directives.join(",")
}

/// The level of a directive that is for this target and says nothing else.
fn level_behind<'a>(directive: &'a str, target: &str) -> Option<&'a str> {
    match directive.strip_prefix(target)? {
        "" => Some("trace"),
        rest => rest.strip_prefix('='),
    }
}

/// Cut at commas, but for those between a span's fields.
fn directives_of(filter: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let directives = filter.split(move |c| {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    directives.map(str::trim).filter(|directive| !directive.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_the_plugin_is_put_into_its_words() {
        let cases = [
            ("", ""),
            ("info", "info"),
            ("my_host=debug, h2=warn", "my_host=debug,h2=warn"),
            ("plugin=debug,info", "info,debug"),
            ("plugin::kv-1=debug,plugin=warn,info", "info,warn,debug"),
            ("plugin::kv-1", "trace"),
            ("warn,plugin::kv-1::kv::feed=trace,plugin::kv-1::h2=off", "warn,kv::feed=trace,h2=off"),
            ("plugin::other=debug,plugin::kv-10=info", "plugin::other=debug,plugin::kv-10=info"),
            ("plugins=debug,plugin_x=info", "plugins=debug,plugin_x=info"),
            ("plugin::kv-1::x[span{a=1,b=\"2\"}]=debug,error", "x[span{a=1,b=\"2\"}]=debug,error"),
        ];
        for (filter, expected) in cases {
            assert_eq!(for_plugin(filter, "kv-1"), expected, "{filter}");
        }
        assert_eq!(for_plugin("plugin::a_b=debug", "a.b"), "debug", "as its target is written");
    }
}
