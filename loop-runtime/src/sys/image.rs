//! A program as the system takes it.

use std::ffi::{CString, OsStr, OsString, c_char};
use std::io;
use std::os::unix::ffi::OsStrExt as _;

/// A program image as `execve` takes it: everything that needs memory is made before the child is.
pub(crate) struct Image {
    program: CString,
    arguments: CStrings,
    environment: CStrings,
}

impl Image {
    /// The file `program`, which is told that its name is `name`. Fails with [`io::ErrorKind::InvalidInput`] on a zero byte.
    pub(crate) fn new<'a>(
        program: &OsStr,
        name: &OsStr,
        arguments: &[OsString],
        environment: impl IntoIterator<Item = (&'a OsString, &'a OsString)>,
    ) -> io::Result<Self> {
        let entry = |(name, value): (&OsString, &OsString)| {
            let mut entry = name.clone();
            entry.push("=");
            entry.push(value);
            entry
        };
        let environment: Vec<OsString> = environment.into_iter().map(entry).collect();
        let arguments = std::iter::once(name).chain(arguments.iter().map(OsString::as_os_str));
        Ok(Self {
            program: CString::new(program.as_bytes())?,
            arguments: CStrings::new(arguments)?,
            environment: CStrings::new(environment.iter().map(OsString::as_os_str))?,
        })
    }

    /// Becomes the program; comes back only when that fails. May be called between fork and exec. Unlike `execvp`, it has no
    /// shell try a file that the system cannot execute.
    pub(crate) fn exec(&self) -> io::Error {
        // SAFETY: the path is a C string, both lists are null-terminated arrays of pointers to C strings, and all
        // of them are owned by `self`, which outlives the call.
        unsafe {
            libc::execve(self.program.as_ptr(), self.arguments.pointers.as_ptr(), self.environment.pointers.as_ptr());
        }
        io::Error::last_os_error()
    }
}

/// A null-terminated array of C strings.
struct CStrings {
    pointers: Vec<*const c_char>,
    _owned: Vec<CString>,
}

// SAFETY: the pointers lead into the heap buffers of `_owned`, which moves and ends together with them; nobody
// writes to those buffers.
unsafe impl Send for CStrings {}
// SAFETY: as above; a shared reference only reads.
unsafe impl Sync for CStrings {}

impl CStrings {
    fn new<'a>(strings: impl IntoIterator<Item = &'a OsStr>) -> io::Result<Self> {
        let owned = strings.into_iter().map(|string| CString::new(string.as_bytes())).collect::<Result<Vec<_>, _>>()?;
        let pointers = owned.iter().map(|string| string.as_ptr()).chain(std::iter::once(std::ptr::null())).collect();
        Ok(Self { pointers, _owned: owned })
    }
}
