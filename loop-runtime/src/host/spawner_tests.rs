use std::collections::BTreeMap;
use std::process::Command as StdCommand;

use super::*;

/// A script in a directory of the test, written by a process of its own: were it written here, a child that another
/// test forks meanwhile would hold it open for writing, and the system would refuse to execute it.
fn file(dir: &Path, name: &str, content: &str, mode: &str) -> PathBuf {
    let path = dir.join(name);
    let status = StdCommand::new("/bin/sh")
        .args(["-c", "printf %b \"$1\" > \"$2\" && chmod \"$3\" \"$2\"", "sh", content])
        .arg(&path)
        .arg(mode)
        .status()
        .unwrap();
    assert!(status.success());
    path
}

fn start(command: &Command, parent_death: bool) -> Result<Spawned, LaunchError> {
    Prepared::new(command, &BTreeMap::new(), parent_death)?.spawn()
}

/// The error of both ways to start a process.
fn refusal(command: &Command) -> LaunchError {
    let refused = |parent_death| match start(command, parent_death) {
        Ok(_) => panic!("{command:?} was started"),
        Err(error) => error,
    };
    let (plain, forked) = (refused(false), refused(true));
    assert_eq!(plain.to_string(), forked.to_string());
    plain
}

#[test]
fn what_is_not_there_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    for program in ["/no/such/file", "./no-such-file", "no-such-program-in-path", "", "/etc/passwd/x"] {
        let error = refusal(&Command::new(program));
        assert!(matches!(&error, LaunchError::NotFound { .. }), "{program}: {error:?}");
        assert!(error.is_permanent() && error.is_of_the_program());
    }
    let script = file(dir.path(), "script", "#!/no/such/interpreter\\n", "755");
    let error = refusal(&Command::new(&script));
    assert_eq!(
        error.to_string(),
        format!("plugin program not found: `{}`: the interpreter that it names does not exist", script.display())
    );
}

#[test]
fn what_may_not_be_executed_is_not_executable() {
    let dir = tempfile::tempdir().unwrap();
    let plain = file(dir.path(), "plain", "#!/bin/sh\\n", "644");
    for program in [plain.as_path(), dir.path()] {
        let error = refusal(&Command::new(program));
        assert!(matches!(&error, LaunchError::NotExecutable { .. }), "{}: {error:?}", program.display());
        assert!(error.is_permanent() && error.is_of_the_program());
    }
}

#[test]
fn no_shell_guesses_at_unknown_formats() {
    let dir = tempfile::tempdir().unwrap();
    let marker = dir.path().join("ran");
    let files = [
        file(dir.path(), "empty", "", "755"),
        file(dir.path(), "text", &format!("echo > {}\\n", marker.display()), "755"),
        // A program for a processor of 1970 (machine 3 in class 1 would run on x86-64; 1 is a WE 32100).
        file(
            dir.path(),
            "elf",
            "\\0177ELF\\001\\001\\001\\000\\000\\000\\000\\000\\000\\000\\000\\000\\002\\000\\001\\000",
            "755",
        ),
    ];
    for program in files {
        let error = refusal(&Command::new(&program));
        assert!(matches!(&error, LaunchError::WrongFormat { .. }), "{}: {error:?}", program.display());
        assert!(error.is_permanent() && error.is_of_the_program());
    }
    assert!(!marker.exists());
}

#[test]
fn the_directory_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    let plain = file(dir.path(), "plain", "", "644");
    for dir in [dir.path().join("none"), plain] {
        let error = refusal(&Command::new("/bin/sh").current_dir(&dir));
        assert!(matches!(&error, LaunchError::Directory { .. }) && !error.is_of_the_program(), "{error:?}");
    }
}

#[test]
fn zero_bytes_are_refused() {
    let error = refusal_of_either(&Command::new("/bin/sh").arg("a\0b"));
    assert!(matches!(error, LaunchError::Io { .. }), "{error:?}");
    assert!(!error.is_permanent());
}

fn refusal_of_either(command: &Command) -> LaunchError {
    assert!(start(command, false).is_err());
    start(command, true).err().unwrap()
}

#[test]
fn a_name_is_looked_up_in_path_and_a_path_is_made_absolute() {
    let sh = locate(Path::new("sh")).unwrap();
    assert!(sh.is_absolute() && sh.ends_with("sh"), "{}", sh.display());
    let relative = Path::new("../".repeat(40).as_str()).join("bin/sh");
    assert!(locate(&relative).unwrap().is_absolute());
}

#[tokio::test]
async fn a_replaced_program_is_picked_up() {
    let dir = tempfile::tempdir().unwrap();
    let program = file(dir.path(), "program", "#!/bin/sh\\nexit 4\\n", "755");
    let command = Command::new(&program);
    assert_eq!(start(&command, true).unwrap().child.exited().await.status(), Some(4));
    file(dir.path(), "program", "#!/bin/sh\\nexit 5\\n", "755");
    assert_eq!(start(&command, true).unwrap().child.exited().await.status(), Some(5));
}
