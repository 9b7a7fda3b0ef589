//! The schema of services, held to committed `.proto` files: what changed, in words, and who would notice.

mod compare;
mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::compare::{Known, compare};
use self::file::File;
use crate::wire::{Conflict, Schema};

/// Checks the `.proto` files in `directory`, which has no others, against `schema`: one file for each package, under
/// the path by which others import it (`acme/relayer/v1.proto`). Peers in other languages are generated from them.
///
/// ```no_run
/// use loop_runtime::prelude::*;
/// use loop_runtime::testing::{SchemaError, lock_schema};
/// use loop_runtime::wire::Schema;
///
/// /// Greets.
/// #[loop_service(package = "acme.greeter.v1")]
/// pub trait Greeter {
///     /// Greets somebody.
///     async fn greet(&self, name: &str) -> Result<String>;
/// }
///
/// #[test]
/// fn the_schema_is_locked() -> Result<(), SchemaError> {
///     lock_schema(&Schema::of::<dyn Greeter>(), concat!(env!("CARGO_MANIFEST_DIR"), "/proto"))
/// }
/// ```
///
/// After a change of the trait the test fails, and says of each difference whether it breaks peers that know the older form:
///
/// ```text
/// the schema is not what is committed:
///   acme/greeter/v1.proto: breaking: field 1 of `GreetRequest` was `name`, is `who` (FIELD_SAME_NAME)
///   acme/greeter/v1.proto: compatible: rpc `Greeter.Leave` is new
/// LOOP_SCHEMA=overwrite accepts it and writes the files
/// ```
///
/// The names in parentheses are those of the nearest rules of `buf`. Rules about this runtime's peers have none: a new
/// message that is required, for example, is missing in what older peers send. With `LOOP_SCHEMA=overwrite` in the
/// environment the files are written; those that no trait exports any more are reported, and not removed.
///
/// # Errors
///
/// [`SchemaError`], whose `Debug` is its `Display`, because that is what a test prints.
pub fn lock_schema(schema: &Schema, directory: impl AsRef<Path>) -> Result<(), SchemaError> {
    let accept = std::env::var_os("LOOP_SCHEMA").is_some_and(|value| value == "overwrite");
    lock(schema, directory.as_ref(), accept)
}

fn lock(schema: &Schema, directory: &Path, accept: bool) -> Result<(), SchemaError> {
    let conflicts = schema.conflicts();
    if !conflicts.is_empty() {
        return Err(SchemaError::Conflicts(conflicts));
    }
    let files: BTreeMap<PathBuf, String> =
        schema.files().map(|(package, text)| (PathBuf::from(Schema::file_name(package)), text)).collect();
    let (mut changes, mut differing) = (Vec::new(), Vec::new());
    for (name, text) in &files {
        let path = directory.join(name);
        match fs::read_to_string(&path) {
            Ok(old) if old == *text => {}
            Ok(_) if accept => write(&path, text)?,
            Ok(old) => differing.push((name, old, text)),
            Err(why) if why.kind() == io::ErrorKind::NotFound && accept => write(&path, text)?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                changes.push(SchemaChange::compatible("the package is new").of(name));
            }
            Err(source) => return Err(SchemaError::Io { path, source }),
        }
    }
    let known = Known::of(schema);
    for (name, old, new) in differing {
        let (old, new) = (File::read(name, &old)?, File::read(name, new)?);
        changes.extend(compare(&old, &new, &known).into_iter().map(|change| change.of(name)));
    }
    let mut found = Vec::new();
    files_below(directory, Path::new(""), &mut found)?;
    for name in found.iter().filter(|name| !files.contains_key(*name)) {
        let what = "nothing exports the package any more: remove the file, if no peer needs it";
        changes.push(SchemaChange::breaking("PACKAGE_NO_DELETE", what).of(name));
    }
    if changes.is_empty() { Ok(()) } else { Err(SchemaError::Changed(changes)) }
}

fn write(path: &Path, text: &str) -> Result<(), SchemaError> {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(path, text))
        .map_err(|source| SchemaError::Io { path: path.to_owned(), source })
}

/// The `.proto` files below `directory`, relative to where the search began.
fn files_below(directory: &Path, name: &Path, found: &mut Vec<PathBuf>) -> Result<(), SchemaError> {
    let path = directory.join(name);
    let failed = |source| SchemaError::Io { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(why) => return Err(failed(why)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let name = name.join(entry.file_name());
        if entry.file_type().map_err(failed)?.is_dir() {
            files_below(directory, &name, found)?;
        } else if name.extension().is_some_and(|extension| extension == "proto") {
            found.push(name);
        }
    }
    found.sort_unstable();
    Ok(())
}

/// One difference between the committed schema and that of the traits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaChange {
    file: PathBuf,
    breaking: bool,
    what: String,
    rule: Option<&'static str>,
}

impl SchemaChange {
    fn breaking(rule: impl Into<Option<&'static str>>, what: impl Into<String>) -> Self {
        Self { file: PathBuf::new(), breaking: true, what: what.into(), rule: rule.into() }
    }

    fn compatible(what: impl Into<String>) -> Self {
        Self { file: PathBuf::new(), breaking: false, what: what.into(), rule: None }
    }

    fn of(self, file: &Path) -> Self {
        Self { file: file.to_owned(), ..self }
    }

    /// Whether peers that know the older schema would notice.
    pub fn is_breaking(&self) -> bool {
        self.breaking
    }

    /// The file that differs, relative to the directory.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl fmt::Display for SchemaChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.breaking { "breaking" } else { "compatible" };
        write!(f, "{}: {verdict}: {}", self.file.display(), self.what)?;
        match self.rule {
            Some(rule) => write!(f, " ({rule})"),
            None => Ok(()),
        }
    }
}

/// Why [`lock_schema`] failed.
#[non_exhaustive]
pub enum SchemaError {
    /// The files are not what the traits say.
    Changed(Vec<SchemaChange>),
    /// Protobuf refuses what the traits say, such as a name with two meanings.
    Conflicts(Vec<Conflict>),
    /// A committed file is not protobuf.
    Malformed {
        /// The file, relative to the directory.
        file: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file or directory cannot be read, or written.
    Io {
        /// Which.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(changes) => {
                f.write_str("the schema is not what is committed:\n")?;
                for change in changes {
                    writeln!(f, "  {change}")?;
                }
                f.write_str("LOOP_SCHEMA=overwrite accepts it and writes the files")
            }
            Self::Conflicts(conflicts) => {
                f.write_str("the schema contradicts itself:")?;
                conflicts.iter().try_for_each(|conflict| write!(f, "\n{conflict}"))
            }
            Self::Malformed { file, source } => {
                write!(f, "{} is not protobuf: {source}; LOOP_SCHEMA=overwrite writes it anew", file.display())
            }
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

// What `main` and tests print of an error that they return.
impl fmt::Debug for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SchemaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Changed(_) | Self::Conflicts(_) => None,
            Self::Malformed { source, .. } => Some(&**source),
            Self::Io { source, .. } => Some(source),
        }
    }
}
