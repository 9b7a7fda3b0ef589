//! The tables of `interop/README.md`: what passed in this very run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Trial};

static PASSED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A trial that is remembered when it has passed.
pub(crate) fn trial(name: &str, body: impl FnOnce() + Send + 'static) -> Trial {
    let remembered = name.to_owned();
    Trial::test(name, move || {
        body();
        PASSED.lock().unwrap_or_else(PoisonError::into_inner).insert(remembered);
        Ok(())
    })
}

/// Whether trials have passed, all of them. A name that ends with `::*` stands for every trial below.
pub(crate) fn passed<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    let passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    names.into_iter().all(|name| match name.strip_suffix('*') {
        Some(prefix) => passed.iter().any(|trial| trial.starts_with(prefix)),
        None => passed.contains(name),
    })
}

/// Runs trials, and if all of them were run and passed, compares the table between the comments `name` and `end` in
/// `interop/README.md` with `table`; `LOOP_MATRIX=overwrite` writes it.
pub(crate) fn run(arguments: &Arguments, trials: Vec<Trial>, name: &str, table: impl FnOnce() -> String) -> ExitCode {
    let whole = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list && !arguments.ignored;
    let conclusion = libtest_mimic::run(arguments, trials);
    if conclusion.has_failed() || !whole {
        return conclusion.exit_code();
    }
    match hold(name, &table()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("interop/README.md: {why}");
            ExitCode::FAILURE
        }
    }
}

fn hold(name: &str, table: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/README.md");
    let text = fs::read_to_string(&path).map_err(|why| why.to_string())?;
    let (begin, end) = (format!("<!-- {name} -->\n"), "<!-- end -->");
    let missing = || format!("the comment {begin:?} is missing, or its end");
    let (before, rest) = text.split_once(&begin).ok_or_else(missing)?;
    let (found, after) = rest.split_once(end).ok_or_else(missing)?;
    if found == table {
        return Ok(());
    }
    if std::env::var_os("LOOP_MATRIX").is_some_and(|value| value == "overwrite") {
        return fs::write(&path, format!("{before}{begin}{table}{end}{after}")).map_err(|why| why.to_string());
    }
    Err(format!("the table {name:?} is not what passed; LOOP_MATRIX=overwrite writes it"))
}
