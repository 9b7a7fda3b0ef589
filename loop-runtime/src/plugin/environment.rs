//! The environment variables that a Chainlink node sets for its LOOP plugins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::time::Duration;

use super::duration;

/// The environment of a LOOP plugin: the variables that a Chainlink node sets, read and checked.
///
/// Nothing is required. A Go plugin refuses to start without `CL_PROMETHEUS_PORT` and two variables of Mercury; a Rust
/// plugin needs only what it uses, and [`Plugin::loop_environment`](super::Plugin::loop_environment) asks for the port
/// if the feature `metrics-endpoint` is on. Empty counts as absent. Variables without a field here are available from
/// [`variable`](Self::variable).
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LoopEnvironment {
    /// `CL_PROMETHEUS_PORT`: where `/metrics` is served; 0 is any free port.
    pub prometheus_port: Option<u16>,
    /// `CL_APP_ID`: the node's id.
    pub app_id: Option<String>,
    /// `CL_GRPC_SERVER_MAX_RECV_MSG_SIZE`: bytes of the largest message that the plugin's servers accept; `None` and 0
    /// keep the default of [`Plugin::max_request`](super::Plugin::max_request).
    pub max_receive_message_size: Option<usize>,
    /// `CL_DATABASE_URL` and what belongs to it; `None` without the URL.
    pub database: Option<Database>,
    /// `CL_FEATURE_LOG_POLLER`.
    pub feature_log_poller: bool,
    /// `CL_MERCURY_..`.
    pub mercury: Mercury,
    /// `CL_TRACING_..`; `None` unless `CL_TRACING_ENABLED` is true.
    pub tracing: Option<Tracing>,
    /// `CL_TELEMETRY_ENABLED`. The rest of `CL_TELEMETRY_..` and `CL_CHIP_INGRESS_..` is available by name.
    pub telemetry_enabled: bool,
    /// `CL_METER_RECORDS_ENABLED`. The rest of `CL_METER_..` is available by name.
    pub meter_records_enabled: bool,
    variables: BTreeMap<String, String>,
}

/// The node's database.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Database {
    /// `CL_DATABASE_URL`; holds a password, so `Debug` leaves it out.
    pub url: String,
    /// `CL_DATABASE_IDLE_IN_TX_SESSION_TIMEOUT`.
    pub idle_in_tx_session_timeout: Option<Duration>,
    /// `CL_DATABASE_LOCK_TIMEOUT`.
    pub lock_timeout: Option<Duration>,
    /// `CL_DATABASE_QUERY_TIMEOUT`.
    pub query_timeout: Option<Duration>,
    /// `CL_DATABASE_LISTNER_FALLBACK_POLL_INTERVAL` (the node spells it so).
    pub listener_fallback_poll_interval: Option<Duration>,
    /// `CL_DATABASE_LOG_SQL`.
    pub log_sql: bool,
    /// `CL_DATABASE_MAX_OPEN_CONNS`.
    pub max_open_conns: Option<u32>,
    /// `CL_DATABASE_MAX_IDLE_CONNS`.
    pub max_idle_conns: Option<u32>,
    /// `CL_DATABASE_TRACING_ENABLED`.
    pub tracing_enabled: bool,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// Settings of the Mercury transmitter.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Mercury {
    /// `CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE` (with two underscores).
    pub transmit_queue_max_size: Option<u32>,
    /// `CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY`.
    pub transmit_concurrency: Option<u32>,
    /// `CL_MERCURY_TRANSMITTER_TRANSMIT_TIMEOUT`.
    pub transmit_timeout: Option<Duration>,
    /// `CL_MERCURY_TRANSMITTER_PROTOCOL`.
    pub protocol: Option<String>,
    /// `CL_MERCURY_TRANSMITTER_REAPER_FREQUENCY`.
    pub reaper_frequency: Option<Duration>,
    /// `CL_MERCURY_TRANSMITTER_REAPER_MAX_AGE`.
    pub reaper_max_age: Option<Duration>,
    /// `CL_MERCURY_CACHE_LATEST_REPORT_DEADLINE`.
    pub cache_latest_report_deadline: Option<Duration>,
    /// `CL_MERCURY_CACHE_LATEST_REPORT_TTL`.
    pub cache_latest_report_ttl: Option<Duration>,
    /// `CL_MERCURY_CACHE_MAX_STALE_AGE`.
    pub cache_max_stale_age: Option<Duration>,
    /// `CL_MERCURY_VERBOSE_LOGGING`.
    pub verbose_logging: bool,
}

/// The export of traces.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tracing {
    /// `CL_TRACING_COLLECTOR_TARGET`.
    pub collector_target: String,
    /// `CL_TRACING_SAMPLING_RATIO`, 0 to 1; 0 if absent.
    pub sampling_ratio: f64,
    /// `CL_TRACING_TLS_CERT_PATH`.
    pub tls_cert_path: Option<String>,
    /// Every `CL_TRACING_ATTRIBUTE_<name>`, by its name.
    pub attributes: BTreeMap<String, String>,
}

/// A variable that is missing or invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// A variable that is needed is absent or empty.
    #[error("the environment variable {variable} is not set: {needed}")]
    Missing {
        /// Its name.
        variable: &'static str,
        /// What it should hold.
        needed: &'static str,
    },
    /// A value cannot be read.
    #[error("the environment variable {variable} holds {value:?}: {why}")]
    Invalid {
        /// Its name.
        variable: &'static str,
        /// What it holds.
        value: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads the environment of this process. See [`LoopEnvironment`].
///
/// # Errors
///
/// [`EnvironmentError::Invalid`], naming the first variable whose value cannot be parsed.
pub fn loop_environment() -> Result<LoopEnvironment, EnvironmentError> {
    LoopEnvironment::from_variables(std::env::vars_os())
}

impl LoopEnvironment {
    /// Reads `variables`, of which only those that begin with `CL_` count. A value that is not UTF-8 is read with
    /// replacement characters.
    ///
    /// # Errors
    ///
    /// As [`loop_environment`].
    pub fn from_variables<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Result<Self, EnvironmentError>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let read = variables.into_iter().filter_map(|(name, value)| {
            let name = name.into().into_string().ok().filter(|name| name.starts_with("CL_"))?;
            let value = value.into().to_string_lossy().into_owned();
            (!value.is_empty()).then_some((name, value))
        });
        let mut out = Self { variables: read.collect(), ..Self::default() };
        out.prometheus_port = out.get("CL_PROMETHEUS_PORT", integer)?;
        out.app_id = out.text("CL_APP_ID");
        out.max_receive_message_size = out.get("CL_GRPC_SERVER_MAX_RECV_MSG_SIZE", integer)?;
        out.database = out.read_database()?;
        out.feature_log_poller = out.flag("CL_FEATURE_LOG_POLLER")?;
        out.mercury = out.read_mercury()?;
        out.tracing = out.read_tracing()?;
        out.telemetry_enabled = out.flag("CL_TELEMETRY_ENABLED")?;
        out.meter_records_enabled = out.flag("CL_METER_RECORDS_ENABLED")?;
        Ok(out)
    }

    /// The value of any variable of the node, whose name begins with `CL_`; `None` if absent or empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// All variables whose name begins with `prefix`, by the rest of their name.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.variables.iter().filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    fn read_database(&self) -> Result<Option<Database>, EnvironmentError> {
        let Some(url) = self.text("CL_DATABASE_URL") else { return Ok(None) };
        Ok(Some(Database {
            url,
            idle_in_tx_session_timeout: self.duration("CL_DATABASE_IDLE_IN_TX_SESSION_TIMEOUT")?,
            lock_timeout: self.duration("CL_DATABASE_LOCK_TIMEOUT")?,
            query_timeout: self.duration("CL_DATABASE_QUERY_TIMEOUT")?,
            listener_fallback_poll_interval: self.duration("CL_DATABASE_LISTNER_FALLBACK_POLL_INTERVAL")?,
            log_sql: self.flag("CL_DATABASE_LOG_SQL")?,
            max_open_conns: self.get("CL_DATABASE_MAX_OPEN_CONNS", integer)?,
            max_idle_conns: self.get("CL_DATABASE_MAX_IDLE_CONNS", integer)?,
            tracing_enabled: self.flag("CL_DATABASE_TRACING_ENABLED")?,
        }))
    }

    fn read_mercury(&self) -> Result<Mercury, EnvironmentError> {
        Ok(Mercury {
            transmit_queue_max_size: self.get("CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE", integer)?,
            transmit_concurrency: self.get("CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY", integer)?,
            transmit_timeout: self.duration("CL_MERCURY_TRANSMITTER_TRANSMIT_TIMEOUT")?,
            protocol: self.text("CL_MERCURY_TRANSMITTER_PROTOCOL"),
            reaper_frequency: self.duration("CL_MERCURY_TRANSMITTER_REAPER_FREQUENCY")?,
            reaper_max_age: self.duration("CL_MERCURY_TRANSMITTER_REAPER_MAX_AGE")?,
            cache_latest_report_deadline: self.duration("CL_MERCURY_CACHE_LATEST_REPORT_DEADLINE")?,
            cache_latest_report_ttl: self.duration("CL_MERCURY_CACHE_LATEST_REPORT_TTL")?,
            cache_max_stale_age: self.duration("CL_MERCURY_CACHE_MAX_STALE_AGE")?,
            verbose_logging: self.flag("CL_MERCURY_VERBOSE_LOGGING")?,
        })
    }

    fn read_tracing(&self) -> Result<Option<Tracing>, EnvironmentError> {
        if !self.flag("CL_TRACING_ENABLED")? {
            return Ok(None);
        }
        let ratio = |text: &str| match text.parse::<f64>() {
            Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
            _ => Err("not a number from 0 to 1".to_owned()),
        };
        Ok(Some(Tracing {
            collector_target: self.text("CL_TRACING_COLLECTOR_TARGET").ok_or(EnvironmentError::Missing {
                variable: "CL_TRACING_COLLECTOR_TARGET",
                needed: "the address of the collector, as CL_TRACING_ENABLED is true",
            })?,
            sampling_ratio: self.get("CL_TRACING_SAMPLING_RATIO", ratio)?.unwrap_or_default(),
            tls_cert_path: self.text("CL_TRACING_TLS_CERT_PATH"),
            attributes: self
                .with_prefix("CL_TRACING_ATTRIBUTE_")
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }))
    }

    fn text(&self, variable: &'static str) -> Option<String> {
        self.variable(variable).map(str::to_owned)
    }

    fn flag(&self, variable: &'static str) -> Result<bool, EnvironmentError> {
        Ok(self.get(variable, boolean)?.unwrap_or_default())
    }

    fn duration(&self, variable: &'static str) -> Result<Option<Duration>, EnvironmentError> {
        self.get(variable, duration::parse)
    }

    fn get<T>(
        &self,
        variable: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, EnvironmentError> {
        let Some(value) = self.variable(variable) else { return Ok(None) };
        let invalid = |why| EnvironmentError::Invalid { variable, value: value.to_owned(), why };
        read(value).map(Some).map_err(invalid)
    }
}

fn integer<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|why: ParseIntError| why.to_string())
}

/// The spellings of booleans that Go accepts.
fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("neither true nor false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<LoopEnvironment, EnvironmentError> {
        LoopEnvironment::from_variables(variables.iter().copied())
    }

    #[test]
    fn nothing_is_required() {
        assert_eq!(read(&[]).unwrap(), LoopEnvironment::default());
        assert_eq!(read(&[("CL_PROMETHEUS_PORT", ""), ("PATH", "/bin")]).unwrap(), LoopEnvironment::default());
    }

    #[test]
    fn what_a_node_sends_is_read() {
        let env = read(&[
            ("CL_PROMETHEUS_PORT", "0"),
            ("CL_APP_ID", "node-1"),
            ("CL_GRPC_SERVER_MAX_RECV_MSG_SIZE", "8388608"),
            ("CL_DATABASE_URL", "postgres://u:secret@h/d"),
            ("CL_DATABASE_QUERY_TIMEOUT", "10s"),
            ("CL_DATABASE_LOG_SQL", "true"),
            ("CL_MERCURY_TRANSMITTER_TRANSMIT__QUEUE_MAX_SIZE", "10000"),
            ("CL_MERCURY_CACHE_MAX_STALE_AGE", "1h30m"),
            ("CL_TRACING_ENABLED", "1"),
            ("CL_TRACING_COLLECTOR_TARGET", "localhost:4317"),
            ("CL_TRACING_SAMPLING_RATIO", "0.5"),
            ("CL_TRACING_ATTRIBUTE_env", "test"),
            ("CL_TELEMETRY_ENDPOINT", "e"),
        ])
        .unwrap();
        assert_eq!((env.prometheus_port, env.app_id.as_deref()), (Some(0), Some("node-1")));
        assert_eq!(env.max_receive_message_size, Some(8_388_608));
        assert_eq!(env.mercury.transmit_queue_max_size, Some(10_000));
        assert_eq!(env.mercury.cache_max_stale_age, Some(Duration::from_secs(5400)));
        assert_eq!(env.variable("CL_TELEMETRY_ENDPOINT"), Some("e"));
        let database = env.database.unwrap();
        assert!(database.log_sql && !format!("{database:?}").contains("secret"));
        assert_eq!(database.query_timeout, Some(Duration::from_secs(10)));
        let tracing = env.tracing.unwrap();
        assert_eq!((tracing.sampling_ratio, tracing.attributes["env"].as_str()), (0.5, "test"));
    }

    #[test]
    fn errors_name_the_variable() {
        let bad = [
            ("CL_PROMETHEUS_PORT", "70000"),
            ("CL_PROMETHEUS_PORT", "x"),
            ("CL_GRPC_SERVER_MAX_RECV_MSG_SIZE", "-1"),
            ("CL_FEATURE_LOG_POLLER", "yes"),
            ("CL_MERCURY_TRANSMITTER_TRANSMIT_CONCURRENCY", "1.5"),
            ("CL_MERCURY_TRANSMITTER_TRANSMIT_TIMEOUT", "5"),
            ("CL_TRACING_ENABLED", "true"),
        ];
        for (variable, value) in bad {
            let error = read(&[(variable, value)]).unwrap_err().to_string();
            let named = if variable == "CL_TRACING_ENABLED" { "CL_TRACING_COLLECTOR_TARGET" } else { variable };
            assert!(error.contains(named), "{error}");
        }
    }
}
