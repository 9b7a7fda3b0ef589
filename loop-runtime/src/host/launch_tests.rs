//! Scripted plugins: real processes, each doing one thing that a plugin may do.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe;

use super::*;
use crate::sys::host::exists;
use crate::sys::stranger::Stranger;
use crate::transport::Address;

#[path = "launch_tests/hosts.rs"]
mod hosts;

const HANDSHAKE: Handshake = Handshake::new("TEST_COOKIE", "crumbs").version(1);
/// Sent by a script that is in order; the address carries what the test wants to know.
const LINE: &str = "echo '1|1|unix|/x|grpc|'";

/// What an assertion waits for happens within milliseconds; this is for a machine that is very busy.
const PATIENCE: Duration = Duration::from_secs(60);

struct Scripted {
    command: Command,
    options: LaunchOptions,
    dir: TempDir,
}

impl Scripted {
    /// A plugin that is a shell script. `$DIR` is a directory of the test.
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = LaunchOptions {
            name: "scripted".into(),
            start_timeout: PATIENCE,
            socket_dir: dir.path().into(),
            pass_env: vec!["PATH".into()],
            parent_death: true,
            offer: Offer::default(),
            #[cfg(feature = "mux")]
            multiplexed: false,
            cancel: CancellationToken::new(),
        };
        let command = Command::new("/bin/sh").args(["-c", script]).env("DIR", dir.path());
        Self { command, options, dir }
    }

    async fn launch(&self) -> Result<Process, LaunchError> {
        launch(&self.command, &HANDSHAKE, &self.options).await
    }

    async fn ok(&self) -> Process {
        self.launch().await.unwrap()
    }

    /// The error of a launch, after which no process of it may be left.
    async fn error(&self) -> LaunchError {
        let error = self.launch().await.map(|process| process.line().clone()).unwrap_err();
        assert_eq!(self.processes(), Vec::<String>::new());
        error
    }

    /// Processes whose environment names the directory of this test.
    fn processes(&self) -> Vec<String> {
        let needle = format!("DIR={}", self.dir.path().display());
        let of_process = |entry: std::fs::DirEntry| {
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            let found = environment.split(|byte| *byte == 0).any(|variable| variable == needle.as_bytes());
            found.then(|| entry.file_name().to_string_lossy().into_owned())
        };
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(of_process).collect()
    }

    /// A named pipe on which the script can report: `echo .. > $DIR/report`.
    fn report(&self) -> BufReader<Receiver> {
        let path = self.dir.path().join("report");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        // Open for writing as well, so that the pipe does not end between two writers.
        let pipe = std::fs::File::options().read(true).write(true).open(path).unwrap();
        BufReader::new(Receiver::from_file(pipe).unwrap())
    }

    /// Answers a script that waits: `read answer < $DIR/report`.
    async fn tell(&self, answer: &str) {
        let mut pipe = pipe::OpenOptions::new().open_sender(self.dir.path().join("report")).unwrap();
        pipe.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    }
}

async fn line(from: &mut BufReader<Receiver>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

fn number(text: &str) -> u32 {
    text.parse().unwrap()
}

/// The number that a script put into its address.
fn reported(process: &Process) -> u32 {
    number(process.line().address.to_string().trim_start_matches('/'))
}

/// Any process, also one that is not a child.
struct Watched(Stranger);

impl Watched {
    fn new(pid: u32) -> Self {
        Self(Stranger::new(pid).unwrap())
    }

    async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.0.ended()).await.expect("it ends");
    }
}

fn stderr_of(error: &LaunchError) -> Vec<String> {
    match error {
        LaunchError::Exited { stderr, .. }
        | LaunchError::Unrecognized { stderr, .. }
        | LaunchError::StartTimeout { stderr, .. }
        | LaunchError::CalledOff { stderr }
        | LaunchError::CoreVersion { stderr, .. } => stderr.lines().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[cfg(feature = "mux")]
#[tokio::test]
async fn a_plugin_that_must_multiplex_is_told_and_refused_if_it_does_not() {
    let say = r#"echo "1|1|tcp|127.0.0.1:4711|grpc||$PLUGIN_MULTIPLEX_GRPC"; exec sleep 1000"#;
    let mut plugin = Scripted::new(say);
    plugin.options.multiplexed = true;
    plugin.ok().await.kill();
    // Not asked for, and not looked at.
    plugin.options.multiplexed = false;
    plugin.ok().await.kill();

    for line in ["1|1|tcp|127.0.0.1:4711|grpc|", "1|1|tcp|127.0.0.1:4711|grpc||false"] {
        let mut plugin = Scripted::new(&format!("echo said >&2; echo '{line}'; exec sleep 1000"));
        plugin.options.multiplexed = true;
        let refused = plugin.error().await;
        let LaunchError::NotMultiplexed { stderr, .. } = &refused else { panic!("{refused}") };
        assert_eq!(stderr.lines(), ["said"]);
        assert!(refused.is_permanent());
    }
}

#[tokio::test]
async fn a_plugin_is_launched_killed_and_reaped() {
    let plugin = Scripted::new("echo '1|1|tcp|127.0.0.1:4711|grpc|'; exec sleep 1000");
    let process = plugin.ok().await;
    let address = Address::Tcp { host: "127.0.0.1".into(), port: 4711 };
    assert_eq!((process.line().version, &process.line().address), (1, &address));
    assert!(exists(process.pid()));
    process.kill();
    process.kill();
    let exit = process.reap(PATIENCE).await.unwrap();
    assert_eq!((exit.status(), exit.signal()), (None, Some(9)));
    assert!(!exists(process.pid()));
    assert_eq!(process.exited().await, exit);
    process.kill();
}

#[tokio::test]
async fn it_leads_a_group_of_its_own_that_dies_with_it() {
    for ending in ["wait", "exit 5"] {
        let plugin =
            Scripted::new(&format!("sleep 1000 & echo \"1|1|unix|/$!|grpc|\"; read go < $DIR/report; {ending}"));
        let _report = plugin.report();
        let process = plugin.ok().await;
        let pid = Pid::from_raw(process.pid().cast_signed()).unwrap();
        assert_eq!(rustix::process::getpgid(Some(pid)).unwrap(), pid);
        let grandchild = Watched::new(reported(&process));
        plugin.tell("go").await;
        if ending == "wait" {
            process.kill();
        }
        let exit = process.reap(PATIENCE).await.unwrap();
        assert_eq!(exit.status(), (ending != "wait").then_some(5));
        grandchild.ended().await;
    }
}

#[tokio::test]
async fn dropping_the_process_ends_it() {
    let plugin = Scripted::new("sleep 1000 & echo \"1|1|unix|/$!|grpc|\"; wait");
    let process = plugin.ok().await;
    let (leader, grandchild) = (Watched::new(process.pid()), Watched::new(reported(&process)));
    drop(process);
    leader.ended().await;
    grandchild.ended().await;
}

#[tokio::test]
async fn exits_before_the_handshake_are_told_with_status_and_stderr() {
    let error = Scripted::new("echo one >&2; echo two >&2; exit 3").error().await;
    assert_eq!(
        error.to_string(),
        "plugin exited before its handshake: scripted: exit status 3\nlast lines on stderr:\n  | one\n  | two\n\
         help: it wrote no handshake line to stdout; a plugin that refuses to start says why on stderr"
    );
    assert!(!error.is_permanent());

    let error = Scripted::new("kill -ABRT $$").error().await;
    let text = error.to_string();
    assert_eq!(text.lines().next(), Some("plugin exited before its handshake: scripted: signal 6 (SIGABRT)"));

    let error = Scripted::new("exit 0").error().await;
    assert!(matches!(error, LaunchError::Exited { exit, .. } if exit.status() == Some(0)), "{error:?}");
}

#[tokio::test]
async fn a_panic_before_the_handshake_is_told() {
    let script = "echo start >&2; echo 'panic: no config' >&2; echo >&2; echo 'goroutine 1' >&2; exit 2";
    let error = Scripted::new(script).error().await;
    let LaunchError::Exited { stderr, .. } = &error else { panic!("{error:?}") };
    assert_eq!(stderr.fatal(), Some("panic: no config\n\ngoroutine 1"));
    assert!(
        error
            .to_string()
            .starts_with("plugin exited before its handshake: scripted: exit status 2\ncause: panic: no config\n")
    );
}

#[tokio::test]
async fn what_is_no_handshake_line_is_quoted() {
    let hang = "; exec sleep 1000";
    let table = [
        ("echo Hello, world", "\"Hello, world\"", "it has 1 of at least 4 fields"),
        (r"printf '\377\000|\n'", r#""\xff\x00|""#, "it is not UTF-8"),
        ("echo", "\"\"", "it has 1 of at least 4 fields"),
        ("head -c 70000 /dev/zero", "(", "it is too long"),
        ("exec >&-", "\"\"", "stdout was closed before the end of the line"),
        ("printf '1|1|unix|/'; exec >&-", "\"1|1|unix|/\"", "stdout was closed before the end of the line"),
    ];
    for (script, quoted, reason) in table {
        let error = Scripted::new(&format!("echo log >&2; {script}{hang}")).error().await;
        let LaunchError::Unrecognized { line, why, .. } = &error else { panic!("{script}: {error:?}") };
        assert!(line.contains(quoted) && line.len() < 1000, "{script}: {line}");
        assert_eq!(why, reason, "{script}");
        assert_eq!(stderr_of(&error), ["log"], "{script}");
        assert!(!error.is_permanent());
    }
}

/// Which of line and end is seen first must make no difference.
#[tokio::test]
async fn an_unreadable_line_says_more_than_the_exit_after_it() {
    for script in ["echo usage: x; exit 2", "printf usage; exit 2"] {
        let error = Scripted::new(script).error().await;
        assert!(matches!(&error, LaunchError::Unrecognized { line, .. } if line.starts_with("\"usage")), "{error:?}");
    }
    let error = Scripted::new("exec >&-; exit 4").error().await;
    assert!(matches!(error, LaunchError::Exited { exit, .. } if exit.status() == Some(4)), "{error:?}");
}

#[tokio::test]
async fn other_verdicts_end_the_process_too() {
    let error = Scripted::new("echo why >&2; echo '2|1|unix|/x|grpc|'; exec sleep 1000").error().await;
    assert!(matches!(error, LaunchError::CoreVersion { plugin: 2, .. }), "{error:?}");
    assert_eq!(stderr_of(&error), ["why"]);
    assert!(error.is_permanent());
    let error = Scripted::new("echo '1|9|unix|/x|grpc|'; exec sleep 1000").error().await;
    assert!(matches!(&error, LaunchError::ApplicationVersion { plugin: 9, host, .. } if host == &[1]), "{error:?}");
}

#[cfg(feature = "auto-mtls")]
#[tokio::test]
async fn a_plugin_that_does_not_answer_the_offer_of_tls_is_ended() {
    let seen = "test \"$(echo \"$PLUGIN_CLIENT_CERT\" | head -1)\" = '-----BEGIN CERTIFICATE-----' && echo seen >&2;";
    let mut plugin = Scripted::new(&format!("{seen} echo '1|1|unix|/x|grpc|'; exec sleep 1000"));
    plugin.options.offer = crate::transport::TlsMode::Tls.offer().unwrap();
    let error = plugin.error().await;
    let LaunchError::NoCertificate { line, stderr } = &error else { panic!("{error:?}") };
    assert_eq!((line.as_str(), stderr.lines()), ("\"1|1|unix|/x|grpc|\"", ["seen".to_owned()].as_slice()));
    assert!(error.is_permanent());

    let mut plugin = Scripted::new("echo '1|1|unix|/x|grpc|nonsense'; exec sleep 1000");
    plugin.options.offer = crate::transport::TlsMode::Tls.offer().unwrap();
    let error = plugin.error().await;
    assert!(matches!(&error, LaunchError::BadCertificate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_silent_plugin_is_given_up_after_the_start_timeout() {
    let mut plugin = Scripted::new("printf '1|1|unix'; exec sleep 1000");
    plugin.options.start_timeout = Duration::from_millis(50);
    let error = plugin.error().await;
    assert!(
        matches!(error, LaunchError::StartTimeout { after, .. } if after == plugin.options.start_timeout),
        "{error:?}"
    );
    assert!(!error.is_permanent());
}

#[tokio::test]
async fn dropping_the_launch_ends_the_process() {
    let plugin = Scripted::new("sleep 1000 & echo $$ > $DIR/report; wait");
    let mut report = plugin.report();
    let process = tokio::select! {
        launched = plugin.launch() => panic!("{launched:?}"),
        process = async { Watched::new(number(&line(&mut report).await)) } => process,
    };
    process.ended().await;
}

#[tokio::test]
async fn a_launch_that_is_called_off_has_reaped_its_process() {
    let plugin = Scripted::new("echo starting >&2; echo $$ > $DIR/report; exec sleep 1000");
    let mut report = plugin.report();
    let cancel = async {
        let pid = number(&line(&mut report).await);
        plugin.options.cancel.cancel();
        pid
    };
    let (error, pid) = tokio::join!(plugin.error(), cancel);
    assert!(matches!(error, LaunchError::CalledOff { .. }), "{error:?}");
    assert_eq!(stderr_of(&error), ["starting"]);
    assert!(!exists(pid));
}

#[tokio::test]
async fn stdout_is_drained_for_ever_whatever_is_in_it() {
    // More than any pipe holds; without the reader the script would never come to its end.
    let plugin = Scripted::new(&format!("{LINE}; head -c 5000000 /dev/zero; yes | head -n 500000; exit 7"));
    assert_eq!(plugin.ok().await.reap(PATIENCE).await.unwrap().status(), Some(7));
}

#[tokio::test]
async fn a_log_storm_is_read_and_its_end_kept() {
    let long = "head -c 200000 /dev/zero | tr '\\0' y >&2; echo >&2";
    let plugin = Scripted::new(&format!("{LINE}; seq 1 20000 >&2; {long}; seq 1 18 >&2; printf last >&2; exit 0"));
    let process = plugin.ok().await;
    assert_eq!(process.reap(PATIENCE).await.unwrap().status(), Some(0));
    let stderr = process.stderr();
    let tail = stderr.lines();
    assert_eq!(tail.len(), 20);
    assert!(tail[0].starts_with("yyy") && tail[0].len() < 2000, "{}", tail[0]);
    assert_eq!(
        tail[1..].join(" "),
        (1..=18).map(|n| n.to_string()).chain(["last".into()]).collect::<Vec<_>>().join(" ")
    );
    assert_eq!(stderr.fatal(), None);
}

#[tokio::test]
async fn a_panic_is_kept() {
    let gate = "read go < $DIR/report";
    let plugin = Scripted::new(&format!("{LINE}; {gate}; echo 'panic: boom' >&2; echo 'at main.rs' >&2; exit 101"));
    let _report = plugin.report();
    let process = plugin.ok().await;
    plugin.tell("go").await;
    assert_eq!(process.reap(PATIENCE).await.unwrap().status(), Some(101));
    assert_eq!(process.stderr().fatal(), Some("panic: boom\nat main.rs"));
}

/// It was caught, and answered; a later death has another reason, and a later line is not a part of it.
#[tokio::test]
async fn a_panic_that_the_plugin_survived_is_not_named_for_its_end() {
    let panic = "echo \"thread 'worker' (7) panicked at src/a.rs:1:2:\" >&2; echo boom >&2";
    let plugin = Scripted::new(&format!("{LINE}; {panic}; read go < $DIR/report; echo fine >&2; kill -KILL $$"));
    let _report = plugin.report();
    let process = plugin.ok().await;
    // It is put together while the process lives on and says nothing.
    let told = async {
        while process.stderr().lines().len() < 2 {
            time::sleep(Duration::from_millis(1)).await;
        }
    };
    time::timeout(PATIENCE, told).await.unwrap();
    plugin.tell("go").await;
    assert_eq!(process.reap(PATIENCE).await.unwrap().signal(), Some(9));
    let stderr = process.stderr();
    assert_eq!(stderr.fatal(), None);
    assert_eq!(stderr.lines().last().unwrap(), "fine");
}

#[tokio::test]
async fn pipes_that_a_stranger_holds_do_not_hide_the_end() {
    // In a session of its own, so that the kill of the group does not reach it.
    let plugin = Scripted::new(
        "setsid sh -c 'echo $$ > $DIR/report; exec sleep 1000' & read pid < $DIR/report; echo \"1|1|unix|/$pid|grpc|\"; exit 6",
    );
    let _report = plugin.report();
    let process = plugin.launch().await;
    // The line and the end come together, and either may be seen first.
    let (exit, stranger) = match process {
        Ok(process) => (process.reap(PATIENCE).await.unwrap(), Some(reported(&process))),
        Err(LaunchError::Exited { exit, .. }) => (exit, None),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(exit.status(), Some(6));
    let left = plugin.processes();
    assert_eq!(left.len(), 1, "the stranger lives: {left:?}");
    let left = left[0].parse().unwrap();
    assert!(stranger.is_none_or(|pid| pid == left));
    let watched = Watched::new(left);
    rustix::process::kill_process(Pid::from_raw(left.cast_signed()).unwrap(), Signal::KILL).unwrap();
    watched.ended().await;
}

#[tokio::test]
async fn a_stopped_process_can_be_killed() {
    let plugin = Scripted::new(&format!("{LINE}; exec sleep 1000"));
    let process = plugin.ok().await;
    process.signal(Signal::STOP);
    process.kill();
    assert_eq!(process.reap(PATIENCE).await.unwrap().signal(), Some(9));
}

#[tokio::test]
async fn a_process_that_lives_is_not_reaped() {
    let process = Scripted::new(&format!("{LINE}; exec sleep 1000")).ok().await;
    assert_eq!(process.reap(Duration::from_millis(1)).await, None);
}

#[tokio::test]
async fn the_environment_is_what_was_asked_for() {
    for parent_death in [true, false] {
        let mut plugin = Scripted::new(&format!(
            "env -0 > $DIR/env; readlink /proc/self/fd/0 > $DIR/stdin; pwd > $DIR/pwd; {LINE}; exec sleep 1000"
        ));
        plugin.options.parent_death = parent_death;
        plugin.options.pass_env.extend(["HOME".into(), "NO_SUCH_VARIABLE".into()]);
        plugin.command =
            plugin.command.env("COLOUR", "red\nand blue").env("PLUGIN_MULTIPLEX_GRPC", "true").current_dir("/");
        let _process = plugin.ok().await;
        let dir = plugin.dir.path();
        let dump = std::fs::read_to_string(dir.join("env")).unwrap();
        let env: BTreeMap<&str, &str> = dump
            .split_terminator('\0')
            .filter_map(|entry| entry.split_once('='))
            .filter(|(name, _)| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
            .collect();
        let passed: Vec<(&str, String)> = ["HOME", "PATH", "RUST_BACKTRACE", "RUST_LOG", "TMPDIR"]
            .into_iter()
            .filter_map(|name| Some((name, std::env::var(name).ok()?)))
            .collect();
        let mut expected = BTreeMap::from([
            ("COLOUR", "red\nand blue"),
            ("DIR", dir.to_str().unwrap()),
            ("PLUGIN_MAX_PORT", "25000"),
            ("PLUGIN_MIN_PORT", "10000"),
            ("PLUGIN_PROTOCOL_VERSIONS", "1"),
            ("PLUGIN_UNIX_SOCKET_DIR", dir.to_str().unwrap()),
            ("TEST_COOKIE", "crumbs"),
        ]);
        expected.extend(passed.iter().map(|(name, value)| (*name, value.as_str())));
        assert_eq!(env, expected);
        assert_eq!(std::fs::read_to_string(dir.join("pwd")).unwrap(), "/\n");
        let stdin = std::fs::read_to_string(dir.join("stdin")).unwrap();
        let ours = if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            Path::new("/dev/null").to_owned()
        } else {
            std::fs::read_link("/proc/self/fd/0").unwrap()
        };
        assert_eq!(Path::new(stdin.trim_end()), ours);
    }
}
