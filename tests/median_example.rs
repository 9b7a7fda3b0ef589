//! `cargo run --example median`, as a user runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The example, which `cargo test` has built beside this test.
fn example() -> Command {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples/median");
    assert!(program.exists(), "build it first: cargo build --example median");
    Command::new(program)
}

/// A directory with a job of its own, whose ledger and sockets are in it too.
struct Place(tempfile::TempDir);

impl Place {
    fn new(prices: &str, source: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let job = format!(
            "name = \"ETH / USD\"\ndecimals = 8\ndeviation = \"0.5%\"\nheartbeat = \"1h\"\nmin = \"1\"\nmax = \"1000000\"\n\
             ledger = \"feed.redb\"\n{source}\n\
             [juels_per_fee_coin]\nfixed = \"137\"\ndecimals = 18\n[gas_price]\nfixed = \"12\"\ndecimals = 0\n"
        );
        std::fs::write(place.path("job.toml"), job).unwrap();
        std::fs::write(place.path("prices.csv"), prices).unwrap();
        std::fs::create_dir(place.path("tmp")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = example();
        command.args(["--job".as_ref(), self.path("job.toml").as_os_str()]).args(arguments);
        command.env("TMPDIR", self.path("tmp")).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> (Output, String) {
        let output = self.command(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        (output, told)
    }

    /// No socket is left.
    fn is_clean(&self) {
        let left: Vec<_> = std::fs::read_dir(self.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

const ONE: &str = "[[price]]\nname = \"one\"\nfile = \"prices.csv\"\ncolumn = \"one\"\n";
const PRICES: &str = "time,one\n1,100\n2,200\n3,300\n4,400\n";

/// The lines hold these parts, in this order.
#[track_caller]
fn in_order(told: &str, parts: &[&str]) {
    let mut rest = told;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("no `{part}` (any more) in:\n{told}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn the_run_survives_the_death_of_both_plugins_and_a_second_run_continues_the_ledger() {
    let place = Place::new(PRICES, ONE);
    let (output, told) = place.run(&["--rounds", "3"]);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    in_order(
        &told,
        &[
            "launched  relayer",
            "launched  median",
            "SIGKILL  relayer",
            "ms until the next good call",
            "round 1  ETH / USD of 100",
            "SIGKILL  median",
            "ms until the next good call",
            "round 2  ETH / USD of 200",
            "round 3  ETH / USD of 300",
            "#1  epoch 1, round 1: 100",
            "#3  epoch 1, round 3: 300",
        ],
    );
    place.is_clean();
    let (output, told) = place.run(&["--rounds", "1", "--no-faults"]);
    assert!(output.status.success(), "{told}");
    assert!(!told.contains("SIGKILL"), "{told}");
    in_order(&told, &["#3  epoch 1, round 3: 300", "#4  epoch 2, round 1: 100"]);
    place.is_clean();
}

#[test]
fn a_malformed_price_costs_one_observation() {
    let prices = "time,one,two\n1,100,101\n2,n/a,203\n3,300,301\n";
    let two = ONE.to_owned() + "[[price]]\nname = \"two\"\nfile = \"prices.csv\"\ncolumn = \"two\"\n";
    let place = Place::new(prices, &two);
    let (output, told) = place.run(&["--rounds", "3", "--no-faults"]);
    assert!(output.status.success(), "{told}");
    in_order(&told, &["error log", "prices.csv:3", "round 2  oracle 0 sits it out", "round 3  ETH / USD"]);
}

#[test]
fn prices_come_from_an_address_and_a_dead_one_is_no_crash() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let source =
        format!("[[price]]\nname = \"web\"\nurl = \"http://{address}/\"\npath = \"price\"\ntimeout = \"5s\"\n");
    let place = Place::new(PRICES, &(ONE.to_owned() + &source));
    // One round asks twice (two of four oracles); then nobody is there any more.
    let answers = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = server.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            let body = "{\"price\": 150}";
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
                .unwrap();
        }
    });
    let (output, told) = place.run(&["--rounds", "2", "--no-faults"]);
    answers.join().unwrap();
    assert!(output.status.success(), "{told}");
    in_order(
        &told,
        &["round 1  ETH / USD of 150.00 by 4 oracles", "error log", "web: ", "round 2  oracle 1 sits it out"],
    );
}

#[test]
fn a_bad_job_file_is_told_with_file_and_line() {
    let place = Place::new(PRICES, ONE);
    std::fs::write(place.path("job.toml"), "name = \"x\"\ndecimals = \"many\"\n").unwrap();
    let (output, _) = place.run(&[]);
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("job.toml") && told.contains('2'), "{told}");
}

#[test]
fn help_is_given() {
    let output = example().arg("--help").output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("--no-faults"));
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let place = Place::new(PRICES, ONE);
    let mut child = place.command(&["--rounds", "1000000"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap());
    let mut plugins = Vec::new();
    let mut line = String::new();
    while !line.contains("round 1 ") {
        line.clear();
        told.read_line(&mut line).unwrap();
        if let Some((_, pid)) = line.split_once("process ").filter(|_| line.contains("launched")) {
            plugins.push(pid.trim().to_owned());
        }
    }
    assert_eq!(plugins.len(), 2);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("Ctrl-C"), "{rest}");
    for pid in plugins {
        assert!(!Path::new("/proc").join(&pid).exists(), "process {pid} is left");
    }
    place.is_clean();
}
