//! `cargo run --example median`, as a user runs it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

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

    /// No socket is left, and no process that had its sockets here.
    fn is_clean(&self) {
        let left: Vec<_> = std::fs::read_dir(self.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let mark = [OsString::from("TMPDIR"), self.path("tmp").into()].join("=".as_ref());
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            let ours = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_encoded_bytes());
            assert!(!ours, "a process is left: {:?}", process.path());
        }
    }

    /// Starts a run without end, and reads what it tells up to `part`.
    fn start(&self, part: &str) -> (Child, BufReader<ChildStdout>) {
        let mut child = self.command(&["--rounds", "1000000"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            assert_ne!(told.read_line(&mut line).unwrap(), 0, "the run ended before `{part}`");
        }
        (child, told)
    }
}

/// Interrupts a run; it must end by itself, with its own message.
fn interrupt(mut child: Child, mut told: BufReader<ChildStdout>) {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    in_order(&rest, &["stopped  by Ctrl-C", "ledger  "]);
}

const ONE: &str = "[[price]]\nname = \"one\"\nfile = \"prices.csv\"\ncolumn = \"one\"\n";
const PRICES: &str = "time,one\n1,100\n2,200\n3,300\n4,400\n5,500\n";

/// A price that `server` knows.
fn web(server: &TcpListener, timeout: &str) -> String {
    let address = server.local_addr().unwrap();
    format!("[[price]]\nname = \"web\"\nurl = \"http://{address}/\"\npath = \"price\"\ntimeout = \"{timeout}\"\n")
}

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
            "launched  relayer plugin, process",
            "launched  median plugin, process",
            "relayer  block 1 is the newest of its chain",
            "contract  ETH / USD, under configuration 0001",
            "oracles  4 reporting plugins, of which 1 may fail",
            "SIGKILL  median plugin",
            "in the middle of an observation of oracle",
            "caller  saw nothing but the time",
            "ms until the next good call",
            "round 1  read one 100.00 (oracles 0, 1, 2, 3)",
            "round 1  100.00 by 4 of 4 oracles, on the chain through oracle",
            "SIGKILL  relayer plugin",
            "about to write a transaction to the ledger",
            "caller  saw: call lost: relayer: /loop.ContractTransmitter/Transmit may have run",
            "round 2  oracle 0 may have transmitted: before anybody sends again, the contract is asked",
            "ms until the next good call",
            "round 2  200.00 by 4 of 4 oracles, on the chain through oracle 1",
            "round 3  300.00 by 4 of 4 oracles, on the chain through oracle",
            "ledger  3 transactions",
            "#1  epoch 1, round 1: 100.00, signed by oracles 0, 1",
            "#2  epoch 1, round 2: 200.00",
            "#3  epoch 1, round 3: 300.00",
        ],
    );
    assert_eq!(told.matches("SIGKILL  ").count(), 2, "{told}");
    place.is_clean();

    let (output, told) = place.run(&["--rounds", "1", "--no-faults", "--quiet"]);
    assert!(output.status.success(), "{told}");
    in_order(&told, &["ledger  4 transactions", "#3  epoch 1, round 3: 300.00", "#4  epoch 2, round 1: 500.00"]);
    assert_eq!(told.lines().count(), 5, "only the ledger is told: {told}");
    place.is_clean();
}

#[test]
fn a_malformed_price_costs_one_observation() {
    let two = "[[price]]\nname = \"two\"\nfile = \"prices.csv\"\ncolumn = \"two\"\n";
    let place = Place::new("time,one,two\n1,100,101\n2,n/a,203\n3,300,301\n", &(ONE.to_owned() + &two.repeat(3)));
    let (output, told) = place.run(&["--rounds", "3", "--no-faults"]);
    assert!(output.status.success(), "{told}");
    in_order(
        &told,
        &[
            "error log  oracle 0: error in Observation: DataSource.Observe returned an error",
            "prices.csv:3 holds \"n/a\"",
            "round 2  read one nothing (oracle 0), two 203.00 (oracles 1, 2, 3)",
            "round 2  oracle 0 sits it out",
            "round 2  203.00 by 3 of 4 oracles, on the chain",
            "round 3  301.00 by 4 of 4",
        ],
    );
    assert!(!told.contains("SIGKILL"), "{told}");
    place.is_clean();
}

#[test]
fn prices_come_from_an_address_and_a_dead_one_is_no_crash() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new(PRICES, &(ONE.to_owned() + &web(&server, "5s")));
    // One round makes two requests (two of four oracles); then the server is gone.
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
        &[
            "round 1  read one 100.00 (oracles 0, 2), web 150.00 (oracles 1, 3)",
            "round 1  150.00 by 4 of 4 oracles",
            "error log",
            "web: ",
            "round 2  read one 200.00 (oracles 0, 2), web nothing (oracles 1, 3)",
            "round 2  oracle 1 sits it out",
            "round 2  no report: 2 oracles observed, 3 are needed",
            "ledger  1 transaction in ",
        ],
    );
    place.is_clean();
}

#[test]
fn a_bad_job_file_is_told_with_file_line_and_help() {
    let place = Place::new(PRICES, ONE);
    let job = std::fs::read_to_string(place.path("job.toml")).unwrap();
    std::fs::write(place.path("job.toml"), job.replace("\"0.5%\"", "\"half\"")).unwrap();
    let (output, told) = place.run(&[]);
    assert_eq!((output.status.code(), told.as_str()), (Some(1), ""));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    in_order(&told, &["job.toml:3: ", "half", "\n  help: "]);
}

#[test]
fn a_run_without_any_report_fails_and_says_why() {
    let place = Place::new("time,one\n1,n/a\n", ONE);
    let (output, told) = place.run(&["--rounds", "2", "--no-faults"]);
    assert_eq!(output.status.code(), Some(1), "{told}");
    in_order(&told, &["round 1  no report: 0 oracles observed, 3 are needed", "ledger  0 transactions in "]);
    let why = String::from_utf8_lossy(&output.stderr);
    let text = "no report in this run: 2 rounds came to nothing, the last because 0 oracles observed, 3 are needed\n";
    assert_eq!(why, text);
    place.is_clean();
}

#[test]
fn a_run_without_need_of_a_report_is_good() {
    let place = Place::new("time,one\n1,100\n", ONE);
    for (round, transactions) in [("on the chain", "1 transaction in "), ("nothing to report", "1 transaction in ")] {
        let (output, told) = place.run(&["--rounds", "1", "--no-faults"]);
        assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
        in_order(&told, &["round 1  100.00 by 4 of 4 oracles, ", round, transactions]);
    }
    place.is_clean();
}

#[test]
fn a_ledger_that_cannot_be_kept_is_told_before_anything_is_launched() {
    let place = Place::new(PRICES, ONE);
    let job = std::fs::read_to_string(place.path("job.toml")).unwrap();
    std::fs::write(place.path("job.toml"), job.replace("ledger = \"feed.redb\"\n", "")).unwrap();
    // Beside the program, as it is by default; and no file can be written where a directory is, whoever asks.
    let program = place.path("median");
    std::fs::copy(example().get_program(), &program).unwrap();
    std::fs::create_dir(place.path("median-eth-usd.redb")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg("--job").arg(place.path("job.toml")).args(arguments).env("TMPDIR", place.path("tmp"));
        command.output().unwrap()
    };
    let output = run(&["--rounds", "1"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    in_order(&why, &["median-eth-usd.redb: ", "\n  help: --ledger FILE"]);

    let other = place.path("other.redb");
    let output = run(&["--rounds", "1", "--no-faults", "--ledger", other.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && told.contains(&format!("1 transaction in {}", other.display())), "{told}");
    place.is_clean();
}

#[test]
fn help_is_given() {
    let output = example().arg("--help").output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("--no-faults"));
}

#[test]
fn ctrl_c_leaves_nothing_behind_and_a_ledger_has_one_writer() {
    let place = Place::new(PRICES, ONE);
    let (child, told) = place.start("round 1 ");
    let (second, nothing) = place.run(&["--rounds", "1"]);
    assert_eq!((second.status.code(), nothing.as_str()), (Some(1), ""), "it launched something first");
    let why = String::from_utf8_lossy(&second.stderr);
    in_order(&why, &["feed.redb is in use by another process", "\n  help: --ledger FILE"]);
    interrupt(child, told);
    place.is_clean();
}

#[test]
fn ctrl_c_does_not_wait_for_an_address() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new(PRICES, &web(&server, "1h"));
    let (child, told) = place.start("oracles  ");
    let question = server.accept().unwrap();
    interrupt(child, told);
    drop(question);
    place.is_clean();
}
