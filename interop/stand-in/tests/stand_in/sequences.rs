//! What Chainlink's tests do with the helper's process, by genuine go-plugin.

use std::time::Duration;

use loop_runtime::Code;

use crate::oracle::Oracle;
use crate::puppet::{MEDIAN, Puppet, RELAYER};
use crate::recorded::Row;
use crate::replay::STAND_IN;

/// The plugins: the command, the cookie, the call that makes the first object, and one that the object answers.
const PLUGINS: [(&str, [&str; 2], &str, &str); 2] = [
    ("-cmd=median", MEDIAN, "loop.PluginMedian/NewMedianFactory", "loop.Service/Ready"),
    ("-cmd=relayer", RELAYER, "loop.PluginRelayer/NewRelayer", "loop.Relayer/GetChainInfo"),
];

/// The row that makes the first object, and what it lends is served.
async fn constructor(oracle: &Oracle, puppet: &Puppet, command: &str, method: &str) -> Row {
    let mut rows = oracle.rows_at(command).into_iter();
    let row = rows.find(|row| row.method == method && row.reply.is_some()).unwrap();
    for (field, id) in oracle.lent(method, &row.body()) {
        let answers = match field.as_str() {
            "dataSourceID" => oracle.source(crate::oracle::observed(999)),
            "juelsPerFeeCoinDataSourceID" => oracle.source(crate::oracle::observed(1234)),
            // A feed without gas prices.
            "gasPriceSubunitsDataSourceID" => oracle.source(crate::oracle::observed(0)),
            _ => oracle.host(),
        };
        puppet.serve(id, answers).await;
    }
    row
}

pub(crate) async fn the_limit_counts_every_call_on_the_main_connection() {
    let oracle = Oracle::new();
    for (command, cookie, make, ask) in PLUGINS {
        // go-plugin's two streams, a health check, the constructor, a health check. The streams are opened in the
        // background: where the process ends with the third or fourth call, that may be one of them, after the others'
        // answers.
        for limit in 1..=5 {
            let puppet = Puppet::host().await;
            let launched = puppet.launch(STAND_IN.as_ref(), &[command, &format!("-limit={limit}")], cookie).await;
            let what = format!("{command} -limit={limit}");
            if limit >= 3 {
                launched.unwrap();
                assert!(puppet.ping().await.is_ok() || limit == 3, "{what}");
            }
            if limit >= 4 {
                let row = constructor(&oracle, &puppet, command, make).await;
                let made = puppet.call(0, &row.method, &row.body()).await;
                if limit == 4 {
                    assert!(made.is_ok() || made.is_err_and(|why| why.0 == Code::Unavailable), "{what}");
                } else {
                    let id = oracle.makes(&row).unwrap();
                    assert_eq!(made.as_deref(), Ok(&[8, id as u8][..]), "{what}");
                    puppet.dial(id).await;
                    // Calls on other connections do not count.
                    for _ in 0..10 {
                        puppet.call(id, ask, &[]).await.unwrap();
                    }
                    puppet.ping().await.unwrap_err();
                }
            }
            assert_eq!(puppet.exited().await, 3, "{what}");
        }
    }
}

pub(crate) async fn killed_and_launched_again() {
    let oracle = Oracle::new();
    for (command, cookie, make, ask) in PLUGINS {
        let puppet = Puppet::host().await;
        for kill in [true, false] {
            puppet.launch(STAND_IN.as_ref(), &[command], cookie).await.unwrap();
            puppet.ping().await.unwrap();
            let row = constructor(&oracle, &puppet, command, make).await;
            let made = oracle.play(&puppet, 0, &row).await.unwrap();
            assert!(made.is_ok(), "{command}");
            let id = oracle.makes(&row).unwrap();
            puppet.dial(id).await;
            puppet.call(id, ask, &[]).await.unwrap();
            if kill {
                puppet.crash().await;
                assert_eq!(puppet.exited().await, -1, "{command}");
                assert_eq!(puppet.call(id, ask, &[]).await.unwrap_err().0, Code::Unavailable, "{command}");
            } else {
                assert_eq!(puppet.kill().await, 0, "{command}: it had to be killed");
            }
        }
    }
    oracle.assert_asked(true);
}

/// Go's clients disconnect when they are idle, and redial; they may also connect as late as their first call.
pub(crate) async fn an_object_waits_for_its_host() {
    // Longer than an object is kept for a host of this runtime without a connection, which is 2 s, and without the
    // first, which is 5 s.
    let long = Duration::from_secs(6);
    let oracle = Oracle::new();
    let waits = PLUGINS.map(async |(command, cookie, make, ask)| {
        let puppet = Puppet::host().await;
        puppet.launch(STAND_IN.as_ref(), &[command], cookie).await.unwrap();
        let row = constructor(&oracle, &puppet, command, make).await;
        let id = oracle.makes(&row).unwrap();
        oracle.play(&puppet, 0, &row).await.unwrap().unwrap();
        puppet.dial_idle(id, Duration::from_millis(100)).await;
        tokio::time::sleep(long).await;
        puppet.call(id, ask, &[]).await.unwrap_or_else(|why| panic!("{command}, connected late: {why:?}"));
        tokio::time::sleep(long / 2).await;
        puppet.call(id, ask, &[]).await.unwrap_or_else(|why| panic!("{command}, after an idle while: {why:?}"));
        assert_eq!(puppet.kill().await, 0);
    });
    let [median, relayer] = waits;
    tokio::join!(median, relayer);
}

pub(crate) async fn every_part_logs_its_name() {
    let puppet = Puppet::host().await;
    puppet.launch(STAND_IN.as_ref(), &["-cmd=relayer"], RELAYER).await.unwrap();
    let report = puppet.call(0, "loop.Service/HealthReport", &[]).await.unwrap();
    let mut names = Vec::new();
    let mut at = &report[..];
    // Entries of a map: a key, and an empty value or none.
    while let [0x0a, length, rest @ ..] = at {
        let (entry, behind) = rest.split_at(usize::from(*length));
        names.push(String::from_utf8(entry[2..][..usize::from(entry[1])].to_vec()).unwrap());
        at = behind;
    }
    assert_eq!(names.len(), 9, "{names:?}");
    for name in &names {
        puppet.log(&format!("\"logger\":\"{name}\"")).await;
    }
    assert_eq!(puppet.kill().await, 0);
}
