//! Every kind of method, argument and reply, across processes and in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::ExitCode;
use std::sync::Arc;

use loop_runtime::plugin::Plugin;
use loop_runtime::{Result, loop_service};

#[path = "../support/mod.rs"]
mod support;

support::roles! { "echo" => echo }

/// Says the same.
#[loop_service(package = "shapes")]
pub trait Echo {
    /// Says the same.
    #[rpc(idempotent)]
    async fn say(&self, what: &str) -> Result<String>;
}

struct Parrot;

impl Echo for Parrot {
    async fn say(&self, what: &str) -> Result<String> {
        Ok(what.to_owned())
    }
}

async fn echo(plugin: Plugin) -> ExitCode {
    plugin.serve::<dyn Echo>(Arc::new(Parrot)).await
}

#[test]
fn a_plugin_answers() {
    support::test(async |lab| {
        let plugin = lab.launch("echo").await;
        let echo: Arc<dyn Echo> = plugin.dispense().await.unwrap();
        assert_eq!(echo.say("hello").await.unwrap(), "hello");
    });
}

#[test]
#[should_panic(expected = "left behind: [\"file\"]")]
fn a_file_that_is_left_fails_the_test() {
    support::test(async |lab| std::fs::write(lab.dir().join("file"), "").unwrap());
}
