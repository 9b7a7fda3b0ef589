//! Holds the page about errors to what the errors say.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stderr_tail::Collector;
use super::{EndCause, Ended, Exit, LaunchError, StderrTail};
use crate::error::{Code, Error};
use crate::stdio::hclog::Parser;
use crate::stdio::lines::Piece;

const PAGE: &str = include_str!("../errors.md");

/// The first words of the table under a heading.
fn table(heading: &str) -> Vec<&'static str> {
    let section = PAGE.split("\n# ").find(|section| section.starts_with(heading)).expect("the section");
    let words = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect::<Vec<_>>();
    assert!(!words.is_empty());
    words
}

/// Each text begins with words of the table, and each row of it is for one of the texts.
fn hold(heading: &str, texts: &[String]) {
    let table = table(heading);
    let mut used = BTreeSet::new();
    for text in texts {
        let words = table.iter().filter(|words| text.starts_with(**words)).max_by_key(|words| words.len());
        used.insert(*words.unwrap_or_else(|| panic!("not in the table: {text}")));
        let lines = text.split('\n').count();
        assert!(lines <= 15 && text.len() < 8 * 1024, "{lines} lines, {} bytes: {text}", text.len());
        assert!(!text.contains("  |\n") && !text.contains(" :") && !text.contains(": :"), "{text}");
    }
    assert_eq!(used, table.into_iter().collect(), "rows for nothing");
}

/// As much as there can be of it.
fn worst(exit: Option<Exit>) -> StderrTail {
    let (mut parser, mut collector) = (Parser::default(), Collector::default());
    let now = Instant::now();
    let mut out = |record| collector.push(&record, now);
    let long = "é".repeat(5000);
    for _ in 0..25 {
        parser.feed(Piece::Line(long.as_bytes()), &mut out);
    }
    for line in ["panic: a", long.as_str(), long.as_str(), long.as_str(), "", "goroutine 1 [running]:", "main.main()"] {
        parser.feed(Piece::Line(line.as_bytes()), &mut out);
    }
    parser.settle(&mut out);
    collector.tail(&"kv".into(), exit, now + Duration::from_secs(90))
}

fn ended(why: EndCause, exit: Option<Exit>) -> Ended {
    let (generation, uptime, in_a_row) = (3, Duration::from_millis(35_800), 4);
    Ended { generation, cause: why, exit, stderr: worst(exit), uptime, in_a_row }
}

fn launch_errors() -> Vec<LaunchError> {
    let source = || Arc::new(io::Error::from_raw_os_error(libc::ENOENT));
    let program = || "/opt/kv".into();
    let line = || "\"hello\"".to_owned();
    let stderr = || worst(Some(Exit::new(Some(2), None)));
    let set_up = Error::unknown("no licence").followed_by(ended(EndCause::Exited, Some(Exit::new(Some(2), None))));
    vec![
        LaunchError::NotFound { program: program(), what: "there is no such file" },
        LaunchError::NotExecutable { program: program() },
        LaunchError::WrongFormat { program: program() },
        LaunchError::Directory { dir: program(), source: source() },
        LaunchError::StartTimeout { after: Duration::from_secs(10), stderr: stderr() },
        LaunchError::Exited { exit: Exit::new(Some(2), None), stderr: stderr() },
        LaunchError::Unrecognized { line: line(), why: "it is not UTF-8".to_owned(), stderr: stderr() },
        LaunchError::CoreVersion { plugin: 2, line: line(), stderr: stderr() },
        LaunchError::ApplicationVersion { plugin: 2, host: vec![1], line: line(), stderr: stderr() },
        LaunchError::Protocol { protocol: "netrpc".to_owned(), line: line(), stderr: stderr() },
        LaunchError::Network { network: "udp".to_owned(), line: line(), stderr: stderr() },
        LaunchError::Address { why: "it is empty".to_owned(), line: line(), stderr: stderr() },
        LaunchError::Certificate { line: line(), stderr: stderr() },
        LaunchError::NoCertificate { line: line(), stderr: stderr() },
        LaunchError::BadCertificate { why: "it is not DER".to_owned(), line: line(), stderr: stderr() },
        LaunchError::ProcessNotFound { pid: 7, address: "/x".to_owned(), source: source() },
        LaunchError::Reattach { why: "it names no protocol".to_owned() },
        LaunchError::SetUp { source: set_up },
        LaunchError::Connect { address: "/x".to_owned(), source: source(), stderr: stderr() },
        LaunchError::SocketDir { dir: program(), source: source() },
        LaunchError::CalledOff { stderr: stderr() },
        LaunchError::NoRuntime,
        LaunchError::ClockPaused,
        LaunchError::io("make a pipe", io::Error::from_raw_os_error(libc::EMFILE)),
        #[cfg(feature = "mux")]
        LaunchError::NotMultiplexed { why: "its line does not say".to_owned(), line: line(), stderr: stderr() },
        #[cfg(feature = "sha256")]
        LaunchError::Checksum {
            program: program(),
            expected: super::Sha256::new([0; 32]),
            found: super::Sha256::new([1; 32]),
        },
        #[cfg(feature = "sha256")]
        LaunchError::CannotCheck { program: program(), why: "it is a script" },
    ]
}

/// Does not compile when there is a kind of error that [`launch_errors`] may not have yet.
fn is_known(error: &LaunchError) -> bool {
    match error {
        #[cfg(feature = "sha256")]
        LaunchError::Checksum { .. } | LaunchError::CannotCheck { .. } => true,
        #[cfg(feature = "mux")]
        LaunchError::NotMultiplexed { .. } => true,
        LaunchError::NotFound { .. }
        | LaunchError::NotExecutable { .. }
        | LaunchError::WrongFormat { .. }
        | LaunchError::Directory { .. }
        | LaunchError::StartTimeout { .. }
        | LaunchError::Exited { .. }
        | LaunchError::Unrecognized { .. }
        | LaunchError::CoreVersion { .. }
        | LaunchError::ApplicationVersion { .. }
        | LaunchError::Protocol { .. }
        | LaunchError::Network { .. }
        | LaunchError::Address { .. }
        | LaunchError::Certificate { .. }
        | LaunchError::NoCertificate { .. }
        | LaunchError::BadCertificate { .. }
        | LaunchError::ProcessNotFound { .. }
        | LaunchError::Reattach { .. }
        | LaunchError::SetUp { .. }
        | LaunchError::Connect { .. }
        | LaunchError::SocketDir { .. }
        | LaunchError::CalledOff { .. }
        | LaunchError::NoRuntime
        | LaunchError::ClockPaused
        | LaunchError::Io { .. } => true,
    }
}

/// With all features, so that all rows are for something.
#[cfg(all(feature = "mux", feature = "sha256"))]
#[test]
fn the_page_has_every_error_of_a_launch() {
    let errors = launch_errors();
    let kinds: BTreeSet<_> = errors.iter().map(|error| format!("{:?}", std::mem::discriminant(error))).collect();
    assert_eq!(kinds.len(), errors.len());
    hold("A plugin does not start", &errors.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[test]
fn errors_of_a_launch_say_whose_file_it_is_and_are_bounded() {
    for error in launch_errors() {
        assert!(is_known(&error));
        assert!(!error.is_of_the_program() || error.is_permanent(), "{error}");
        let text = error.to_string();
        assert!(text.split('\n').count() <= 15, "{text}");
        assert_eq!(error.is_permanent(), permanent(&text), "{text}");
    }
}

/// What the page says of that.
fn permanent(text: &str) -> bool {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let row = rows.filter(|row| row[3..].split('`').next().is_some_and(|words| text.starts_with(words)));
    row.max_by_key(|row| row[3..].find('`')).expect("a row").contains("Permanent.")
}

#[test]
fn the_page_has_every_end() {
    let exit = |status, signal| Some(Exit::new(status, signal));
    let exits =
        [exit(Some(0), None), exit(Some(2), None), exit(None, Some(9)), exit(None, Some(11)), exit(None, None), None];
    let mut texts = Vec::new();
    for why in [
        EndCause::Exited,
        EndCause::ShutDown,
        EndCause::ConnectionLost,
        EndCause::BrokerLost,
        EndCause::Hung,
        EndCause::Restart,
        EndCause::Closed,
    ] {
        texts.extend(exits.map(|exit| ended(why, exit).to_string()));
    }
    hold("A plugin ends", &texts);
}

#[test]
fn the_page_has_what_calls_say() {
    let errors = [
        Error::handle_closed("kv", ""),
        Error::call_lost("kv", "/x", None),
        Error::passed_on_lost("kv", "/x", &"gone"),
        Error::disconnected("kv", false),
        Error::not_recovered("kv", "acme.Kv"),
        Error::deadline_before("kv", &"/x"),
        Error::deadline_after("/x"),
        Error::cannot_be_sent("kv", "/x", io::Error::other("`te` belongs to HTTP/2")),
        Error::unreadable_reply("kv", "/x", Error::internal("no message")),
        Error::not_made_again("kv", "acme.Reader"),
        Error::quarantined("kv", "acme.Reader"),
        Error::unsteady("kv", "acme.Reader", 2),
        Error::withdrawn("kv", "acme.Reader", false),
        Error::runtime_ended("kv", ""),
        Error::new(Code::ResourceExhausted, "grpc: received message larger than max (2 vs. 1)").answered_by("kv", "/x"),
    ];
    let table = table("A call fails");
    for words in &table {
        assert!(errors.iter().any(|error| error.message().contains(words)), "nothing says: {words}");
    }
    for error in errors {
        assert!(table.iter().any(|words| error.message().contains(words)), "the page has no: {error}");
    }
}

#[test]
fn an_end_reads_so() {
    let exit = Some(Exit::new(None, Some(9)));
    let mut ended = ended(EndCause::Exited, exit);
    (ended.in_a_row, ended.stderr) = (1, StderrTail::of("kv"));
    assert_eq!(
        ended.to_string(),
        "plugin killed by signal 9 (SIGKILL): kv, after 35.800 s\n\
         help: this host did not send it: the kernel does when memory runs out (see `dmesg`), or the limit of a container; \
         or somebody by hand"
    );
    (ended.cause, ended.in_a_row) = (EndCause::Hung, 4);
    let text = ended.to_string();
    let first = "plugin not responding to health checks, killed by this host: kv, after 35.800 s, 4 times in a row";
    assert_eq!(text.lines().next(), Some(first));
}
