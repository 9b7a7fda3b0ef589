//! What becomes of plugins, and launches, when something happens to their host.

use super::*;

/// With a death signal bound to the thread that forked, a plugin launched from a thread that ends would be killed.
#[test]
fn a_plugin_survives_the_thread_and_the_runtime_that_launched_it() {
    let plugin = Scripted::new(&format!("{LINE}; read status < $DIR/report; exit $status"));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let watching = runtime();
    let _report = watching.block_on(async { plugin.report() });
    let (process, thread) = std::thread::scope(|scope| {
        let launching = scope.spawn(|| {
            let process = runtime().block_on(plugin.ok());
            (process, std::fs::read_link("/proc/thread-self").unwrap())
        });
        launching.join().unwrap()
    });
    while Path::new("/proc").join(&thread).exists() {
        std::thread::yield_now();
    }
    let exit = watching.block_on(async {
        plugin.tell("9").await;
        process.reap(PATIENCE).await.unwrap()
    });
    assert_eq!((exit.status(), exit.signal()), (Some(9), None));
}

/// Nothing of the runtime is left that could wait for the process.
#[test]
fn a_plugin_is_reaped_after_the_runtime_that_launched_it_has_ended() {
    let plugin = Scripted::new(&format!("{LINE}; exec sleep 1000"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let process = runtime.block_on(plugin.ok());
    drop(runtime);
    let pid = process.pid();
    process.kill();
    let began = std::time::Instant::now();
    while exists(pid) {
        assert!(began.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(waiting.block_on(process.exited()).signal(), Some(9));
}

/// Whatever cannot be had, a pipe, the process with its descriptor, or the reaper.
#[test]
fn a_host_without_descriptors_starts_nothing_and_recovers() {
    let status = in_another_process("as_a_host_without_descriptors").env("ROLE", "no-descriptors").status();
    assert!(status.unwrap().success());
}

#[tokio::test]
#[ignore = "started by another test"]
async fn as_a_host_without_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    if std::env::var_os("ROLE").is_none() {
        return;
    }
    let plugin = Scripted::new(&format!("{LINE}; exec sleep 1000"));
    let usual = getrlimit(Resource::Nofile);
    let mut refused = 0;
    let process = loop {
        setrlimit(Resource::Nofile, Rlimit { current: Some(refused), ..usual }).unwrap();
        let launched = plugin.launch().await;
        setrlimit(Resource::Nofile, usual).unwrap();
        match launched {
            Ok(process) => break process,
            Err(error) => assert!(matches!(error, LaunchError::Io { .. }), "{error:?}"),
        }
        assert_eq!(plugin.processes(), Vec::<String>::new());
        refused += 1;
    };
    assert!(refused >= 8, "{refused}: more than the standard streams and two pipes");
    process.kill();
    assert_eq!(process.reap(PATIENCE).await.unwrap().signal(), Some(9));
}

/// The status is lost then, but not the end.
#[test]
fn a_host_that_ignores_sigchld_sees_the_ends_of_its_plugins() {
    let status = std::process::Command::new("env")
        .arg("--ignore-signal=CHLD")
        .arg(std::env::current_exe().unwrap())
        .args(in_another_process("as_a_host_that_ignores_sigchld").get_args())
        .env("ROLE", "ignore-sigchld")
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
#[ignore = "started by another test"]
async fn as_a_host_that_ignores_sigchld() {
    if std::env::var_os("ROLE").is_none() {
        return;
    }
    // `wait` in the plugin gives the status of its child: SIGCHLD is not ignored there.
    let dir = tempfile::tempdir().unwrap();
    let go = dir.path().join("go");
    let until = format!("until [ -e {} ]; do sleep 0.01; done", go.display());
    let plugin = Scripted::new(&format!("{LINE}; sh -c 'exit 5' & wait $!; echo \"child $?\" >&2; {until}; exit 3"));
    let process = plugin.ok().await;
    std::fs::write(go, "").unwrap();
    let exit = process.reap(PATIENCE).await.unwrap();
    assert_eq!((exit.status(), exit.signal()), (None, None));
    assert_eq!(process.stderr().lines(), ["child 5"]);
    assert!(matches!(Scripted::new("exit 3").error().await, LaunchError::Exited { .. }));
}

/// Runs one of the ignored tests below as a program of its own.
fn in_another_process(test: &str) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        &format!("{}::{test}", module_path!().split_once("::").unwrap().1),
        "--ignored",
        "--nocapture",
    ]);
    command
}

#[tokio::test]
#[cfg_attr(
    any(loop_portable, not(target_os = "linux")),
    ignore = "no parent-death signal, and this program does not watch its host"
)]
async fn plugins_die_with_a_host_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let plugin = Scripted { dir, ..Scripted::new("") };
    let mut report = plugin.report();
    let mut host = in_another_process("as_a_host_that_is_killed")
        .env("REPORT", plugin.dir.path())
        .env("TMPDIR", plugin.dir.path())
        .spawn()
        .unwrap();
    let watched = Watched::new(number(&line(&mut report).await));
    host.kill().unwrap();
    host.wait().unwrap();
    watched.ended().await;
}

#[tokio::test]
#[ignore = "started by another test"]
async fn as_a_host_that_is_killed() {
    let Some(report) = std::env::var_os("REPORT") else { return };
    let mut plugin = Scripted::new("echo $$ > $REPORT/report; echo '1|1|unix|/x|grpc|'; exec sleep 1000");
    plugin.command = plugin.command.env("REPORT", report);
    plugin.ok().await.exited().await;
}

#[test]
fn kill_all_ends_everything_and_nothing_begins_after_it() {
    assert!(in_another_process("as_a_host_that_kills_all").env("ROLE", "kill-all").status().unwrap().success());
}

#[tokio::test]
#[ignore = "started by another test"]
async fn as_a_host_that_kills_all() {
    if std::env::var_os("ROLE").is_none() {
        return;
    }
    let running = Scripted::new("sleep 1000 & echo \"1|1|unix|/$!|grpc|\"; wait");
    let (one, two) = (running.ok().await, running.ok().await);
    let grandchildren = [&one, &two].map(|process| Watched::new(reported(process)));
    crate::host::kill_all();
    assert!(!exists(one.pid()) && !exists(two.pid()), "both are reaped when it returns");
    for grandchild in grandchildren {
        grandchild.ended().await;
    }
    assert!(matches!(running.error().await, LaunchError::CalledOff { .. }));
    crate::host::kill_all();
}
