//! The process as such: its arguments, its cookie, its first line.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::puppet::{MEDIAN, RELAYER};
use crate::replay::STAND_IN;

pub(crate) async fn the_handshake_line_is_exact() {
    for (command, [key, value]) in [("-cmd=median", MEDIAN), ("-cmd=relayer", RELAYER)] {
        let place = tempfile::tempdir().unwrap();
        // The cookie alone is enough.
        let mut child = Command::new(STAND_IN)
            .arg(command)
            .env_clear()
            .env(key, value)
            .env("TMPDIR", place.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("1|0|unix|").and_then(|rest| rest.strip_suffix("|grpc|\n"));
        let address = address.unwrap_or_else(|| panic!("{line:?}"));
        assert!(Path::new(address).starts_with(place.path()), "{line:?}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

pub(crate) async fn without_its_cookie_it_is_no_plugin() {
    for (command, [key, value]) in [("-cmd=median", RELAYER), ("-cmd=relayer", MEDIAN)] {
        let output = Command::new(STAND_IN).arg(command).env(key, value).stdin(Stdio::null()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()), "{command}");
    }
}

pub(crate) async fn without_a_command_it_ends_with_2() {
    let [key, value] = MEDIAN;
    for args in [&[][..], &["-limit=1"], &["-cmd=mercury"], &["-cmd=median", "-throw-error-type=1"]] {
        let output = Command::new(STAND_IN).args(args).env(key, value).stdin(Stdio::null()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), b"".as_slice()), "{args:?}");
        assert_eq!(output.stderr.iter().filter(|byte| **byte == b'\n').count(), 1, "{args:?}: one line of stderr");
    }
}
