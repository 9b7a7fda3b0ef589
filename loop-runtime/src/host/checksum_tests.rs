use std::collections::BTreeMap;

use super::super::spawner::{Prepared, spawn};
use super::super::{Command, Exit};
use super::*;

/// Runs a program of the system to prepare files: were they written here, a child that another test forks meanwhile would
/// hold them open for writing, and the system would refuse to execute them.
fn run(program: &str, args: &[&Path]) {
    assert!(std::process::Command::new(program).args(args).status().unwrap().success());
}

/// A copy of the shell under another name.
fn shell(dir: &Path) -> PathBuf {
    let program = dir.join("program");
    run("cp", &[Path::new("/bin/sh"), &program]);
    program
}

fn digest_of(file: &Path) -> Sha256 {
    digest(&mut File::open(file).unwrap()).unwrap().0
}

fn prepare(command: &Command, parent_death: bool) -> Result<Prepared, LaunchError> {
    Prepared::new(command, &BTreeMap::new(), parent_death)
}

async fn exit(prepared: Prepared) -> Exit {
    spawn(prepared).await.unwrap().child.exited().await
}

#[test]
fn digests_are_hexadecimal() {
    let digest = Sha256::new(std::array::from_fn(|index| u8::try_from(index * 7).unwrap()));
    let text = digest.to_string();
    assert_eq!((text.len(), &text[..8]), (64, "00070e15"));
    assert_eq!(text.parse(), Ok(digest));
    assert_eq!(text.to_uppercase().parse(), Ok(digest));
    for wrong in ["", &text[1..], &format!("{text}0"), &text.replacen('0', "g", 1), &format!(" {}", &text[1..])] {
        assert_eq!(wrong.parse::<Sha256>(), Err(ParseSha256Error(())), "{wrong}");
    }
    assert_eq!(format!("{digest:?}"), text);
}

#[test]
fn the_digest_is_that_of_everybody_else() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    // Longer than what is read at once.
    for length in [0, 1, 200_000] {
        std::fs::write(&file, vec![7; length]).unwrap();
        let output = std::process::Command::new("sha256sum").arg(&file).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(digest_of(&file), text.split(' ').next().unwrap().parse().unwrap());
    }
}

#[tokio::test]
#[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "no path of an open file can be executed")]
async fn what_was_checked_runs_whatever_takes_its_place() {
    for parent_death in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let program = shell(dir.path());
        let script = "case $0 in */program) exit 4;; *) exit 5;; esac";
        let command = Command::new(&program).args(["-c", script]).sha256(digest_of(&program));
        let prepared = prepare(&command, parent_death).unwrap();
        let other = dir.path().join("other");
        run("cp", &[Path::new("/bin/false"), &other]);
        run("mv", &[&other, &program]);
        assert_eq!(exit(prepared).await.status(), Some(4), "it runs, and knows its name");
        // From now on it is another one.
        let error = prepare(&command, parent_death).err().unwrap();
        let LaunchError::Checksum { expected, found, .. } = &error else { panic!("{error}") };
        assert_eq!((Some(*expected), *found), (command.sha256, digest_of(&program)));
        let text = error.to_string();
        assert!(text.contains(&expected.to_string()) && text.contains(&found.to_string()), "{text}");
        assert!(error.is_permanent());
    }
}

#[tokio::test]
#[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "no path of an open file can be executed")]
async fn the_open_file_is_not_inherited() {
    let dir = tempfile::tempdir().unwrap();
    let program = shell(dir.path());
    let script = "/bin/ls -l /proc/$$/fd | /bin/grep -q program && exit 9; exit 4";
    let command = Command::new(&program).args(["-c", script]).sha256(digest_of(&program));
    for parent_death in [true, false] {
        assert_eq!(exit(prepare(&command, parent_death).unwrap()).await.status(), Some(4));
    }
}

#[test]
#[cfg_attr(any(loop_portable, not(target_os = "linux")), ignore = "no path of an open file can be executed")]
fn scripts_cannot_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    std::fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
    run("chmod", &[Path::new("755"), &script]);
    let error = prepare(&Command::new(&script).sha256(digest_of(&script)), true).err().unwrap();
    assert!(matches!(error, LaunchError::CannotCheck { .. }) && error.is_permanent(), "{error}");
    assert!(error.to_string().contains("interpreter"), "{error}");
    // A wrong digest is told first.
    let error = prepare(&Command::new(&script).sha256(Sha256::new([0; 32])), true).err().unwrap();
    assert!(matches!(error, LaunchError::Checksum { .. }), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_not_found_first() {
    let error = prepare(&Command::new("/no/such/file").sha256(Sha256::new([0; 32])), true).err().unwrap();
    assert!(matches!(error, LaunchError::NotFound { .. }), "{error}");
}

#[test]
#[cfg_attr(all(target_os = "linux", not(loop_portable)), ignore = "Linux can")]
fn other_systems_refuse() {
    let error = prepare(&Command::new("/bin/sh").sha256(digest_of(Path::new("/bin/sh"))), true).err().unwrap();
    assert!(matches!(error, LaunchError::CannotCheck { .. }), "{error}");
}
