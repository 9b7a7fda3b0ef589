//! Checksums of programs.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{FileType, Mode, OFlags};
use sha2::Digest as _;

use super::LaunchError;
use crate::sys::os;

/// Descriptors below this one are replaced in the child before it becomes the program.
const ABOVE_STDIO: i32 = 3;

/// A SHA-256 digest, for [`Command::sha256`](super::Command::sha256).
///
/// It is written as 64 hexadecimal digits, which is how `sha256sum` prints it:
///
/// ```
/// use loop_runtime::host::Sha256;
///
/// let digest: Sha256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855".parse()?;
/// assert!(digest.to_string().starts_with("e3b0c442"));
/// # Ok::<(), loop_runtime::host::ParseSha256Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The digest that is these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Why a text is not a digest: it does not consist of 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest is 64 hexadecimal digits")]
pub struct ParseSha256Error(());

impl FromStr for Sha256 {
    type Err = ParseSha256Error;

    fn from_str(text: &str) -> Result<Self, ParseSha256Error> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let bytes: Vec<u8> = digits
            .filter(|digits| digits.len() == 64)
            .ok_or(ParseSha256Error(()))?
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        bytes.try_into().map(Self).map_err(|_| ParseSha256Error(()))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An open program whose content has been checked. This file is executed, whatever its path leads to by then.
#[derive(Debug)]
pub(super) struct Checked {
    path: PathBuf,
    _file: OwnedFd,
}

impl Checked {
    /// Opens the program and hashes it, which takes some milliseconds for each 10 MB, and blocks.
    pub(super) fn open(program: &Path, expected: Sha256) -> Result<Self, LaunchError> {
        let refused = |why| LaunchError::CannotCheck { program: program.to_owned(), why };
        let failed = |error: io::Error| LaunchError::io("read the program to check it", error);
        let open = || -> io::Result<(File, bool)> {
            // A path that has become a pipe meanwhile must not block.
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let file = rustix::fs::open(program, flags, Mode::empty())?;
            let file = rustix::io::fcntl_dupfd_cloexec(&file, ABOVE_STDIO)?;
            let is_file = FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode).is_file();
            Ok((file.into(), is_file))
        };
        let (mut file, is_file) = open().map_err(failed)?;
        if !is_file {
            return Err(LaunchError::NotExecutable { program: program.to_owned() });
        }
        let (found, start) = digest(&mut file).map_err(failed)?;
        if found != expected {
            return Err(LaunchError::Checksum { program: program.to_owned(), expected, found });
        }
        if start == *b"#!" {
            return Err(refused("it is a script, and what would run is an interpreter, which was not checked"));
        }
        let file = OwnedFd::from(file);
        let path = os::path_of_open(&file).map_err(refused)?;
        Ok(Self { path, _file: file })
    }

    /// The path by which this process, and a child of it, executes the open file.
    pub(super) fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

/// The digest of a file, and its first two bytes.
fn digest(file: &mut File) -> io::Result<(Sha256, [u8; 2])> {
    let (mut hash, mut start) = (sha2::Sha256::new(), None);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => &chunk[..read],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        start = start.or_else(|| read.first_chunk().copied());
        hash.update(read);
    }
    Ok((Sha256(hash.finalize().into()), start.unwrap_or_default()))
}

#[cfg(test)]
#[path = "checksum_tests.rs"]
mod tests;
