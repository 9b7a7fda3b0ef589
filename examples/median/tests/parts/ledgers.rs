use crate::ledger::{Digest, Ledger, LedgerError, State, Transaction};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const DIGEST: Digest = [7; 32];

fn transaction(epoch: u32) -> Transaction {
    Transaction {
        config_digest: DIGEST,
        epoch,
        round: 1,
        answer: (-5_000_000_000_000_000_000_i64 + i64::from(epoch)).into(),
        at: 1_700_000_000 + i64::from(epoch),
        signatures: vec![(0, vec![1; 64]), (3, vec![2; 64])],
        account: "ab".repeat(32),
        signature: vec![3; 64],
    }
}

#[test]
fn a_second_run_continues() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.state(&DIGEST).unwrap(), State::default());
    assert_eq!(ledger.tail(9).unwrap(), []);
    assert_eq!(ledger.height().unwrap(), 1);
    assert_eq!(ledger.append(&transaction(1)).unwrap(), 1);
    drop(ledger);

    let ledger = Ledger::open(&path).unwrap();
    assert_eq!(ledger.append(&transaction(5)).unwrap(), 2);
    assert_eq!(ledger.height().unwrap(), 3);
    let state = ledger.state(&DIGEST).unwrap();
    assert_eq!((state.epoch, state.round, state.transactions), (5, 1, 2));
    assert_eq!(state.latest, Some((transaction(5).answer, 1_700_000_005)));
    assert_eq!(ledger.tail(9).unwrap(), [(1, transaction(1)), (2, transaction(5))]);
    assert_eq!(ledger.tail(1).unwrap(), [(2, transaction(5))]);
    assert_eq!(ledger.height().unwrap(), 3);
    assert_eq!(ledger.path(), path);
}

#[test]
fn a_report_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&dir.path().join("ledger")).unwrap();
    ledger.append(&transaction(2)).unwrap();
    for epoch in [1, 2] {
        let refused = ledger.append(&transaction(epoch)).unwrap_err();
        assert!(matches!(refused, LedgerError::NotNewer { has: (2, 1), .. }), "{refused}");
    }
    assert_eq!(
        ledger.append(&transaction(1)).unwrap_err().to_string(),
        "epoch 1, round 1 is not newer than epoch 2, round 1 on the chain"
    );
    assert_eq!(ledger.append(&Transaction { round: 2, ..transaction(2) }).unwrap(), 2);
    // Another configuration counts anew, on the same chain.
    let other = Transaction { config_digest: [8; 32], ..transaction(1) };
    assert_eq!(ledger.state(&[8; 32]).unwrap().epoch, 0);
    assert_eq!(ledger.append(&other).unwrap(), 3);
    assert_eq!(ledger.state(&DIGEST).unwrap().epoch, 2);
}

#[test]
fn what_is_no_ledger_or_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    let _open = Ledger::open(&path).unwrap();
    assert!(matches!(Ledger::open(&path), Err(LedgerError::InUse(_))));
    let text = dir.path().join("text");
    std::fs::write(&text, "this is no ledger, and long enough to be looked at ".repeat(100)).unwrap();
    assert!(matches!(Ledger::open(&text), Err(LedgerError::Disk { .. })));
    assert!(matches!(Ledger::open(&dir.path().join("no/such")), Err(LedgerError::Disk { .. })));
}

/// What a process that is being killed writes into its ledger: named by this variable.
const WRITER: &str = "MEDIAN_TEST_LEDGER";

/// Not a test by itself: [`a_killed_writer_leaves_whole_transactions`] runs it in a process of its own.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(WRITER) else { return };
    let ledger = Ledger::open(Path::new(&path)).unwrap();
    let first = ledger.state(&DIGEST).unwrap().epoch + 1;
    let mut out = std::io::stdout();
    for epoch in first.. {
        let number = ledger.append(&transaction(epoch)).unwrap();
        writeln!(out, "written {number}").unwrap();
    }
}

#[test]
fn a_killed_writer_leaves_whole_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger");
    let mut before = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledgers::writer", "--nocapture"])
            .env(WRITER, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let numbers = lines.by_ref().filter_map(|line| line.strip_prefix("written ")?.parse::<u64>().ok());
        // Killed at a different moment each time, most often in the middle of the next write.
        let seen = numbers.take(1 + round * 3).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let told = lines.filter_map(|line| line.strip_prefix("written ")?.parse().ok()).last().unwrap_or(seen);

        let ledger = Ledger::open(&path).unwrap();
        let state = ledger.state(&DIGEST).unwrap();
        // All that was told, and at most the one more that was being written.
        assert!((told..=told + 1).contains(&state.transactions), "told {told}, has {}", state.transactions);
        assert!(state.transactions > before);
        before = state.transactions;
        let all = ledger.tail(usize::MAX).unwrap();
        assert!(all.iter().map(|(number, _)| *number).eq(1..=before), "a gap");
        for (number, it) in &all {
            assert_eq!(*it, transaction(u32::try_from(*number).unwrap()));
        }
        // The state that is kept beside the transactions is that of the last one.
        assert_eq!(u64::from(state.epoch), before);
    }
}
