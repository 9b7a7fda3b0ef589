//! Two processes for a moment: handles change from one to the other without a gap.

use loop_runtime::host::{Command, EndCause, EventKind};

use crate::cases::{Case, Lines, launch_command, policy, until, workshop};
use crate::graceful::{Load, NOTES, naps, this};
use crate::services::{Bench, REFUSING, Workshop};

pub(crate) fn all() -> Vec<(&'static str, Case)> {
    vec![
        ("an_upgrade_under_load_loses_nothing", || Box::pin(an_upgrade_under_load_loses_nothing())),
        ("an_upgrade_that_cannot_be_leaves_all_as_it_is", || Box::pin(an_upgrade_that_cannot_be_leaves_all_as_it_is())),
    ]
}

/// Every call is answered, and ran once; the objects exist in the new process.
async fn an_upgrade_under_load_loses_nothing() {
    const UPGRADES: usize = 5;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("notes");
    let plugin = launch_command(policy(), Command::new(this()).env(NOTES, &path)).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let bench = shop.new_bench("oak", lines.journal()).await.expect("a bench");
    let load = Load::new(&shop);
    let mut events = plugin.events();
    for _ in 0..UPGRADES {
        let before = plugin.pid();
        plugin.upgrade(Command::new(this()).env(NOTES, &path)).await.expect("upgraded");
        assert_ne!(plugin.pid(), before);
        assert_eq!(Some(bench.work().await.expect("made there before").0), plugin.pid());
        let ended = until(&mut events, |what| match what {
            EventKind::Ended(ended) => Some(ended),
            _ => None,
        });
        assert_eq!(ended.await.cause, EndCause::Upgrade);
    }
    let answered = load.answered().await;
    plugin.close().await;
    assert_eq!(naps(&path, UPGRADES + 1), answered);
    assert_eq!(lines.all().iter().filter(|line| *line == "made oak").count(), UPGRADES + 1, "once in each process");
}

async fn an_upgrade_that_cannot_be_leaves_all_as_it_is() {
    let plugin = launch_command(policy(), Command::new(this())).await;
    let shop = workshop(&plugin).await;
    let lines = Lines::new();
    let bench = shop.new_bench("oak", lines.journal()).await.expect("a bench");
    let before = shop.pid().await.expect("a pid");
    let mut events = plugin.events();
    // It does not start.
    let error = plugin.upgrade(Command::new("/no/such/program")).await.expect_err("no program");
    assert!(error.message().contains("workshop") && error.message().contains("/no/such/program"), "{error}");
    // It starts, and cannot make the bench.
    let refusing = Command::new(this()).env(REFUSING, "yes");
    let error = plugin.upgrade(refusing).await.expect_err("refused");
    assert!(error.message().contains("out of oak"), "{error}");
    let other = until(&mut events, |what| match what {
        EventKind::UpgradeAborted { generation, error } => Some((generation, error)),
        EventKind::Ended(_) | EventKind::Started { .. } => panic!("{what:?}"),
        _ => None,
    });
    assert_eq!(other.await.0, 1);
    assert_eq!(bench.work().await.expect("as before"), (before, 1));
    assert_eq!((shop.pid().await.expect("as before"), plugin.pid()), (before, Some(before)));
    plugin.close().await;
}
