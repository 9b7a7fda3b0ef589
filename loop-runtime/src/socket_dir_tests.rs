use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;

use super::*;

/// The id of a process that is certainly gone: a child that ran and was reaped.
fn dead() -> Owner {
    let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
    let start = start_time(child.id()).unwrap_or(1);
    child.wait().unwrap();
    Owner { pid: child.id(), start }
}

fn alive() -> Owner {
    Owner::current()
}

fn make(base: &Path, name: &str) -> PathBuf {
    let path = base.join(name);
    fs::create_dir(&path).unwrap();
    path
}

#[test]
fn is_private_and_goes_with_all_that_is_in_it() {
    let base = tempfile::tempdir().unwrap();
    let (one, two) = (PrivateDir::create_in(base.path()).unwrap(), PrivateDir::create_in(base.path()).unwrap());
    assert_ne!(one.path(), two.path());
    let meta = fs::metadata(one.path()).unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o700);
    assert!(meta.is_dir());
    let _listener = UnixListener::bind(one.path().join("plugin1234567890")).unwrap();
    fs::create_dir(one.path().join("more")).unwrap();
    fs::write(one.path().join("more/file"), "x").unwrap();
    drop(one);
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    fs::remove_dir(two.path()).unwrap();
    drop(two);
}

#[test]
#[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "to read a directory takes a descriptor")]
fn goes_without_a_descriptor_to_spare() {
    let base = tempfile::tempdir().unwrap();
    // Limits are of the whole process.
    let role = "socket_dir::tests::as_a_process_without_descriptors";
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", role, "--ignored", "--nocapture"]).env("BASE", base.path());
    assert!(process.status().unwrap().success());
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "started by another test"]
fn as_a_process_without_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let Some(base) = std::env::var_os("BASE") else { return };
    let dir = PrivateDir::create_in(Path::new(&base)).unwrap();
    // More than one reading of the directory brings.
    let listeners: Vec<_> = (0..100).map(|n| UnixListener::bind(dir.path().join(format!("plugin{n}")))).collect();
    assert!(listeners.iter().all(Result::is_ok));
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(0);
    setrlimit(Resource::Nofile, limit).unwrap();
    assert!(fs::File::open("/dev/null").is_err());
    drop(dir);
}

#[test]
fn a_sweep_spares_what_is_in_use() {
    let base = tempfile::tempdir().unwrap();
    let used = PrivateDir::create_in(base.path()).unwrap();
    sweep(base.path());
    assert!(used.path().exists());
}

#[test]
fn a_sweep_removes_what_the_dead_left_and_nothing_else() {
    let base = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "x").unwrap();
    let base = base.path();

    let left = make(base, &dead().dir_name(1));
    drop(UnixListener::bind(left.join("plugin1")).unwrap());
    symlink(outside.path(), left.join("link")).unwrap();
    let mut gone = vec![left];
    if let Owner { start: start @ 1.., pid } = alive() {
        // Our id, but another start: the id was used again.
        gone.push(make(base, &Owner { pid, start: start + 1 }.dir_name(2)));
    }

    let locked = make(base, &dead().dir_name(3));
    let _lock = {
        let dir = open_dir(&locked).unwrap();
        rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive).unwrap();
        dir
    };
    let served = make(base, &dead().dir_name(8));
    let _listener = UnixListener::bind(served.join("plugin1")).unwrap();
    let link = base.join(dead().dir_name(4));
    symlink(outside.path(), &link).unwrap();
    let file = base.join(dead().dir_name(5));
    fs::write(&file, "").unwrap();
    let mut kept = vec![
        locked,
        served,
        link,
        file,
        make(base, &alive().dir_name(6)),
        make(base, "loop-1"),
        make(base, "loop-7fffffff-1-0-0"),
        make(base, "loop-+7fffffff-1-0"),
        make(base, "loopy"),
    ];
    if rustix::process::geteuid().is_root() {
        let foreign = make(base, &dead().dir_name(7));
        std::os::unix::fs::chown(&foreign, Some(65534), None).unwrap();
        kept.push(foreign);
    }

    sweep(base);
    for path in gone {
        assert!(!path.exists(), "{}", path.display());
    }
    for path in kept {
        assert!(fs::symlink_metadata(&path).is_ok(), "{}", path.display());
    }
    assert!(outside.path().join("precious").exists());
}

#[test]
fn a_long_or_empty_tmpdir_is_not_used() {
    let base = |dir: Option<&str>| base(dir.map(PathBuf::from), alive());
    assert_eq!(base(None), Path::new("/tmp"));
    assert_eq!(base(Some("")), Path::new("/tmp"));
    assert_eq!(base(Some("/var/tmp")), Path::new("/var/tmp"));
    assert_eq!(base(Some(&format!("/{}", "t".repeat(60)))), Path::new("/tmp"));
    assert!(base(Some("relative")).is_absolute());
}

/// Every macOS user has such a `TMPDIR`; nothing there tells when a process was started, and ids have five digits.
#[test]
fn the_tmpdir_of_macos_is_used() {
    let tmpdir = Path::new("/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/");
    assert_eq!(base(Some(tmpdir.to_owned()), Owner { pid: 99_999, start: 0 }), tmpdir);
}

/// As long as it may be, a link, and with a slash at its end.
#[tokio::test]
async fn what_just_fits_is_used_and_sockets_are_bound_and_dialled_there() {
    let outside = tempfile::tempdir_in("/tmp").unwrap();
    let target = make(outside.path(), &"t".repeat(100));
    let name = alive().dir_name(u32::MAX).len();
    let room = SOCKET_PATH_MAX - (1 + name + 1 + ROOM) - (outside.path().as_os_str().len() + 1);
    for (room, fits) in [(room, true), (room + 1, false)] {
        let link = outside.path().join("l".repeat(room));
        symlink(&target, &link).unwrap();
        let mut slash = link.clone().into_os_string();
        slash.push("/");
        let base = base(Some(slash.into()), alive());
        assert_eq!(base.starts_with(&link), fits, "{}", base.display());
        if fits {
            let dir = PrivateDir::create_in(&base).unwrap();
            let listener = crate::transport::Listener::bind_in(dir.path()).unwrap();
            let _dialled = UnixStream::connect(listener.address().to_string()).unwrap();
            drop((listener, dir));
            assert_eq!(fs::read_dir(&target).unwrap().count(), 0, "and nothing is left");
        }
    }
}

#[test]
fn names_say_who_owns() {
    let owner = Owner { pid: 4711, start: 987_654_321 };
    assert_eq!(Owner::of(&owner.dir_name(3)), Some(owner));
    assert_eq!(owner.dir_name(3), "loop-1267-3ade68b1-3");
    for name in ["", "loop-", "loop-1-2", "loop-1-2-3-4", "loop-x-2-3", "loop-01-2-3", "loop-1-2-3 ", "plugin123"] {
        assert_eq!(Owner::of(name), None, "{name}");
    }
}

/// Some cleaner of temporary files did it, while a plugin was served there.
#[tokio::test]
async fn one_that_was_removed_is_named_and_the_next_one_is_as_good_as_ever() {
    let base = tempfile::tempdir().unwrap();
    let dir = PrivateDir::create_in(base.path()).unwrap();
    let path = dir.path().to_owned();
    fs::remove_dir_all(&path).unwrap();
    let error = crate::transport::Listener::bind_in(&path).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    drop(dir);
    let next = PrivateDir::create_in(base.path()).unwrap();
    crate::transport::Listener::bind_in(next.path()).unwrap();
}
