//! What a host's subscriber is told of a plugin's log.

use std::fmt::Debug;
use std::sync::Arc;

use loop_runtime::host::{Command, Host};
use tokio::sync::watch;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

use crate::process::soon;
use crate::role::{HANDSHAKE, Probe};

/// Of each event its level and target, and then its fields.
type Seen = Vec<String>;

#[derive(Clone, Default)]
struct Keep(Arc<watch::Sender<Vec<Seen>>>);

impl<S: Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut seen = vec![format!("{} {}", event.metadata().level(), event.metadata().target())];
        event.record(&mut Fields(&mut seen));
        self.0.send_modify(|all| all.push(seen));
    }
}

struct Fields<'a>(&'a mut Seen);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push(format!("{}: {value:?}", field.name()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push(format!("{}: i64 {value}", field.name()));
    }
}

impl Keep {
    /// The events that begin like this, once there is one.
    async fn some(&self, head: &str) -> Vec<Seen> {
        let is = |seen: &Seen| seen[0] == head;
        let mut all = self.0.subscribe();
        let all = soon(head, all.wait_for(|all| all.iter().any(is))).await.unwrap();
        all.iter().filter(|seen| is(seen)).cloned().collect()
    }
}

fn launched_as(how: &str) -> Command {
    // The plugin's stdout is descriptor 3: the harness around it prints too.
    let script = "exec 3>&1 >/dev/null; exec \"$0\" \"$@\"";
    let this = std::env::current_exe().unwrap();
    Command::new("/bin/sh")
        .args(["-c", script])
        .arg(this)
        .args(["--exact", "the_plugin_itself", "--nocapture"])
        .env("PROBE", format!("yes,{how}"))
        .env("RUST_LOG", "info")
}

#[tokio::test]
async fn a_host_sees_levels_targets_fields_and_spans() {
    let keep = Keep::default();
    let filter: Targets = "plugin::probe=debug,plugin::probe::noisy=off,plugin::probe::stderr=warn".parse().unwrap();
    let subscriber = tracing_subscriber::registry().with(keep.clone().with_filter(filter));
    // The tasks of the host run on this thread too.
    let _guard = tracing::subscriber::set_default(subscriber);
    let plugin = Host::new(HANDSHAKE).name("probe").launch(launched_as("")).await.unwrap();
    let probe: Arc<dyn Probe> = plugin.dispense().await.unwrap();
    probe.log("hello").await.unwrap();
    probe.print(b"to stdout\n", b"to stderr\n[WARN] x\n").await.unwrap();

    let own = keep.some("WARN plugin::probe::plugin_process::role").await;
    let expected = ["message: hello", "plugin: \"probe\"", "logger: \"Probe\"", "size: i64 5"];
    for field in expected {
        assert!(own[0].contains(&field.to_owned()), "{field} in {own:?}");
    }
    // The runtime has a span around it, which shows if the plugin's filter lets it pass.
    assert!(
        own[0].iter().any(|field| field.starts_with("spans: ") && field.ends_with("call{logger=Probe}\"")),
        "{own:?}"
    );
    let of_a_dependency = keep.some("INFO plugin::probe::dependency").await;
    assert!(of_a_dependency[0].contains(&"message: by the crate log".to_owned()), "{of_a_dependency:?}");
    let printed = keep.some("INFO plugin::probe::stdout").await;
    assert_eq!(printed[0][1..], ["message: printed while it starts", "plugin: \"probe\""]);
    soon("the close", plugin.close()).await;
    let all = keep.0.borrow().clone();
    let unwanted = ["plugin::probe::noisy", "INFO plugin::probe::stderr"];
    assert!(!all.iter().any(|seen| unwanted.iter().any(|unwanted| seen[0].contains(unwanted))), "{all:?}");
}
