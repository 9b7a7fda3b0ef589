//! The life of a plugin's process, step by step.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use super::error::StartError;
use super::listen_mode::ListenMode;
use super::serving::{Serving, ServingOptions};
use super::socket::{SocketDir, SocketOptions};
use super::stop::{Reason, Stop};
use super::{Plugin, Starting, cookie, environment, logging, panics, version, watch};
use crate::broker::{BrokerTransport, Hosts};
use crate::service::RootService;
use crate::stdio::capture::Capture;
use crate::stdio::writer::write_stderr;
use crate::transport::{self, Listener, Security};

/// How long the flush of the captured output may take.
const FLUSH: Duration = Duration::from_millis(100);

/// Cleanup hooks have this much even if calls in flight used up their time.
const CLEANUP: Duration = Duration::from_millis(200);

pub(super) async fn run<F, Fut>(plugin: Plugin, make: F) -> ExitCode
where
    F: FnOnce(Starting) -> Fut,
    Fut: Future<Output = Result<RootService, String>>,
{
    if let Err(why) = cookie::check(&plugin.handshake, |key| std::env::var_os(key)) {
        write_stderr(format!("{why}\n").as_bytes());
        return ExitCode::FAILURE;
    }
    match start_and_serve(plugin, make).await {
        Ok(Reason::Failed) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(why) => {
            // In Go's notation, so that a host in Go logs it as an error; one line, whatever the cause says.
            let why = why.to_string().replace('\n', " ");
            write_stderr(format!("[ERROR] plugin: cannot start: {why}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

async fn start_and_serve<F, Fut>(mut plugin: Plugin, make: F) -> Result<Reason, StartError>
where
    F: FnOnce(Starting) -> Fut,
    Fut: Future<Output = Result<RootService, String>>,
{
    if plugin.panic_hook {
        panics::install();
    }
    logging::install(plugin.log_filter.as_deref());
    let offered = std::env::var("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
    let version = version::choose(&plugin.handshake.all_versions(), &offered, |item| {
        tracing::warn!(item, "the host offers what is no version");
    });
    tokio::runtime::Handle::try_current().map_err(|_| StartError::NoRuntime)?;
    let environment = plugin.loop_environment.then(environment::loop_environment).transpose()?;
    if let Some(bytes) = environment.as_ref().and_then(|env| env.max_receive_message_size).filter(|bytes| *bytes > 0)
        && !plugin.limits_are_set
    {
        plugin.limits.max_receive = bytes;
    }
    let client_certificate = std::env::var_os("PLUGIN_CLIENT_CERT");
    let (security, certificate) = transport::answer(client_certificate.as_deref())?;
    let stop = Stop::of_process();
    #[cfg(feature = "metrics-endpoint")]
    if let Some(environment) = &environment {
        let extra = std::mem::take(&mut plugin.metrics);
        plugin.on_call.push(super::metrics::serve(environment, extra, &stop).await?);
    }

    let (capture, printed) = Capture::start().map_err(StartError::Stdout)?;
    let dir = SocketDir::open(&SocketOptions::from_env(|name| std::env::var_os(name)))?;
    if let Some(own) = dir.own() {
        stop.remove_at_last(own);
    }
    watch::start(&stop, plugin.outlives_host, printed).map_err(StartError::Signals)?;

    let root = tokio::select! {
        made = make(Starting { version, environment }) => made.map_err(StartError::Service)?,
        reason = stop.requested() => return Ok(reason),
    };
    let listen_mode = ListenMode::from_env(&dir);
    let serving = serving(&plugin, &root, (listen_mode.route(), &security), &capture, &stop)?;
    drop(root);
    let listener = dir.listen()?;
    capture.write_real(line(version, &listener, &certificate, &listen_mode).as_bytes()).map_err(StartError::Line)?;

    let accept = listen_mode.accept(&serving, listener, security);
    let reason = serve(&serving, accept, &stop, plugin.outlives_host).await;
    serving.wind_down(capture.finish(FLUSH)).await;
    dir.remove();
    clean_up(plugin, &stop).await;
    Ok(reason)
}

fn serving(
    plugin: &Plugin,
    root: &RootService,
    (route, security): (BrokerTransport, &Security),
    capture: &Capture,
    stop: &Stop,
) -> Result<Serving, StartError> {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_name());
    let name = name.map_or_else(|| "plugin".to_owned(), |name| format!("plugin {}", name.to_string_lossy()));
    let options = ServingOptions {
        name,
        route,
        security: security.clone(),
        hosts: if plugin.outlives_host { Hosts::Several } else { Hosts::One },
        limits: plugin.limits.clone(),
        dial_timeout: plugin.dial_timeout,
        on_call: plugin.on_call.clone(),
        stdio: capture.ring().clone(),
        stop: stop.clone(),
    };
    Serving::new(root, options).map_err(|why| StartError::Service(why.to_string()))
}

/// Six fields, the last for a certificate; the listen mode adds the seventh.
fn line(version: u32, listener: &Listener, certificate: &str, listen_mode: &ListenMode) -> String {
    let address = listener.address();
    format!("1|{version}|{}|{address}|grpc|{certificate}{}\n", address.network(), listen_mode.field())
}

async fn serve(serving: &Serving, accept: impl Future<Output = ()>, stop: &Stop, outlives_host: bool) -> Reason {
    let absence = async {
        if !outlives_host {
            serving.watch_absence().await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = accept => {}
        () = absence => {}
    }
    stop.requested().await
}

pub(super) async fn clean_up(plugin: Plugin, stop: &Stop) {
    let hooks = async {
        for hook in plugin.cleanup {
            hook().await;
        }
    };
    if tokio::time::timeout(stop.left().max(CLEANUP), hooks).await.is_err() {
        tracing::warn!("a cleanup hook takes too long; the plugin ends without it");
    }
}
