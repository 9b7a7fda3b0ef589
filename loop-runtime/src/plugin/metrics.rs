//! `/metrics` of a LOOP plugin, in Prometheus' text format, on the loopback interface: a node fetches it there and
//! offers it under its own address.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

use super::environment::{EnvironmentError, LoopEnvironment};
use super::error::StartError;
use super::serving::OnCall;
use super::stop::Stop;
use crate::sync::locked;
use crate::sys::os;

/// Paths counted by name. A host that calls more names than that calls them at random.
const MOST_PATHS: usize = 512;

/// How long a client may take to send its request.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait when the process can accept no connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Appends further metrics to the text.
pub(crate) type Extra = Arc<dyn Fn(&mut String) + Send + Sync>;

/// The counters, and what is computed for each request.
struct Metrics {
    began: SystemTime,
    calls: Mutex<BTreeMap<String, u64>>,
    extra: Vec<Extra>,
}

/// Serves the metrics until shutdown is requested. The returned function counts a call.
///
/// # Errors
///
/// `CL_PROMETHEUS_PORT` is missing, or taken.
pub(super) async fn serve(environment: &LoopEnvironment, extra: Vec<Extra>, stop: &Stop) -> Result<OnCall, StartError> {
    let port = environment.prometheus_port.ok_or(EnvironmentError::Missing {
        variable: "CL_PROMETHEUS_PORT",
        needed: "the port on which this plugin serves /metrics, or 0 for any",
    })?;
    let failed = |source| StartError::Metrics { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    tracing::info!(%address, "serving /metrics");
    let metrics = Arc::new(Metrics { began: SystemTime::now(), calls: Mutex::default(), extra });
    let counted = metrics.clone();
    tokio::spawn(stop.token().clone().run_until_cancelled_owned(accept(listener, metrics)));
    Ok(Arc::new(move |path: &str| counted.count(path)))
}

async fn accept(listener: TcpListener, metrics: Arc<Metrics>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer(stream, metrics.clone()))),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for /metrics now");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let response = match (request.method(), request.uri().path()) {
            (&Method::GET, "/metrics") => {
                let mut response = Response::new(Full::new(Bytes::from(metrics.text())));
                let text = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                response.headers_mut().insert(header::CONTENT_TYPE, text);
                response
            }
            _ => {
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        };
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection for /metrics ended badly");
    }
}

impl Metrics {
    fn count(&self, path: &str) {
        let mut calls = locked(&self.calls);
        if let Some(count) = calls.get_mut(path) {
            *count += 1;
        } else {
            let known = calls.len() < MOST_PATHS;
            *calls.entry(if known { path.to_owned() } else { "other".to_owned() }).or_default() += 1;
        }
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let began = self.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        gauge(&mut out, "process_start_time_seconds", "Start time of the process since the Unix epoch.", began);
        if let Ok(process) = os::usage() {
            gauge(&mut out, "process_resident_memory_bytes", "Resident memory.", process.resident);
            gauge(&mut out, "process_open_fds", "Open file descriptors.", process.descriptors);
            head(&mut out, "process_cpu_seconds_total", "counter", "User and system CPU time spent.");
            let _ = writeln!(out, "process_cpu_seconds_total {}", process.cpu);
        }
        head(&mut out, "loop_plugin_calls_total", "counter", "Calls that arrived on the main connections.");
        for (path, count) in &*locked(&self.calls) {
            let _ = writeln!(out, "loop_plugin_calls_total{{method=\"{}\"}} {count}", escaped(path));
        }
        for extra in &self.extra {
            extra(&mut out);
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn gauge(out: &mut String, name: &str, help: &str, value: f64) {
    head(out, name, "gauge", help);
    let _ = writeln!(out, "{name} {value}");
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn get(address: std::net::SocketAddr, what: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("GET {what} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn the_port_is_needed_and_must_be_free() {
        let stop = Stop::in_process();
        let error = serve(&LoopEnvironment::default(), Vec::new(), &stop).await.err().unwrap();
        assert!(error.to_string().contains("CL_PROMETHEUS_PORT"), "{error}");
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let environment = LoopEnvironment::from_variables([("CL_PROMETHEUS_PORT", &port)]).unwrap();
        let error = serve(&environment, Vec::new(), &stop).await.err().unwrap();
        assert!(error.to_string().contains(&port), "{error}");
    }

    #[tokio::test]
    async fn a_node_reads_what_was_counted() {
        let extra: Extra = Arc::new(|out| out.push_str("mine 1\n"));
        let metrics = Metrics { began: SystemTime::now(), calls: Mutex::default(), extra: vec![extra] };
        for path in ["/loop.Relayer/NewRelayer", "/loop.Relayer/NewRelayer", "/odd\"\\"] {
            metrics.count(path);
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = tokio::spawn(accept(listener, Arc::new(metrics)));
        let text = get(address, "/metrics").await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(text.contains("loop_plugin_calls_total{method=\"/loop.Relayer/NewRelayer\"} 2\n"), "{text}");
        assert!(text.contains("{method=\"/odd\\\"\\\\\"} 1\n"), "{text}");
        assert!(text.contains("\nprocess_start_time_seconds ") && text.ends_with("mine 1\n"), "{text}");
        assert_eq!(text.contains("\nprocess_resident_memory_bytes "), os::usage().is_ok(), "{text}");
        assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));
        served.abort();
    }

    #[test]
    fn names_that_nobody_knows_are_bounded() {
        let metrics = Metrics { began: SystemTime::now(), calls: Mutex::default(), extra: Vec::new() };
        for n in 0..2 * MOST_PATHS {
            metrics.count(&format!("/{n}"));
        }
        let calls = locked(&metrics.calls);
        assert_eq!((calls.len(), calls["other"]), (MOST_PATHS + 1, MOST_PATHS as u64));
    }
}
