//! Processes that are left behind.

use std::fs;

/// The command lines of the processes whose environment holds `variable`.
pub(crate) fn processes_with(variable: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|process| {
        let environment = fs::read(process.path().join("environ")).ok()?;
        environment.split(|byte| *byte == 0).find(|entry| *entry == variable.as_bytes())?;
        let line = fs::read(process.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    })
    .collect()
}
