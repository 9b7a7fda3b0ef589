//! Health reports of nested services, merged under Go's names.

use std::collections::BTreeMap;

/// What a service reports: the name of each part, and its error; an empty text is good health.
pub type HealthReport = BTreeMap<String, String>;

/// The report of a client called `name`: its own state, and what the peer reports, each under `name.`.
///
/// `ready` is the text of the error that made the client itself unready.
///
/// ```
/// use loop_runtime::health::merge;
///
/// let far = [("Relayer".to_owned(), String::new())].into();
/// let report = merge("node.relayer", None, far);
/// assert_eq!(report.keys().collect::<Vec<_>>(), ["node.relayer", "node.relayer.Relayer"]);
/// ```
pub fn merge(name: &str, ready: Option<String>, far: HealthReport) -> HealthReport {
    let mut merged: HealthReport = far.into_iter().map(|(part, error)| (format!("{name}.{part}"), error)).collect();
    merged.insert(name.to_owned(), ready.unwrap_or_default());
    merged
}
