//! The unary call of this crate beside hand-written tonic + prost, over Unix sockets, server and client in separate
//! processes. `cargo bench --bench unary` prints one table; each row is a ratio of medians taken in the same run.
//!
//! Rounds of the two are interleaved in alternating order, and the ratio is that of each round, so that what else the
//! machine does touches both alike. `--rounds N` sets how many (default 9).

mod peer;

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loop_runtime::host::{Command, Host};
use loop_runtime::plugin::Plugin;
use loop_runtime::{Handshake, Result, loop_service};

const HANDSHAKE: Handshake = Handshake::new("BENCH_PLUGIN", "unary").version(1);
const FLAVOUR: &str = "BENCH_FLAVOUR";
const KIB: usize = 1024;

/// What both sides offer.
#[loop_service(package = "bench.v1")]
pub(crate) trait Echo {
    /// Gives `data` back.
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>>;
}

struct Mirror;

impl Echo for Mirror {
    async fn echo(&self, data: &[u8]) -> Result<Vec<u8>> {
        Ok(data.to_vec())
    }
}

/// One row of the table.
struct Row {
    bytes: usize,
    in_flight: usize,
    calls: usize,
}

const ROWS: [Row; 6] = [
    Row { bytes: 64, in_flight: 1, calls: 1500 },
    Row { bytes: 64, in_flight: 64, calls: 12_000 },
    Row { bytes: 4 * KIB, in_flight: 1, calls: 1200 },
    Row { bytes: 4 * KIB, in_flight: 64, calls: 8000 },
    Row { bytes: KIB * KIB, in_flight: 1, calls: 60 },
    Row { bytes: KIB * KIB, in_flight: 16, calls: 160 },
];

#[derive(Clone, Copy)]
enum Flavour {
    CurrentThread,
    MultiThread,
}

impl Flavour {
    fn name(self) -> &'static str {
        match self {
            Self::CurrentThread => "current_thread",
            Self::MultiThread => "multi_thread",
        }
    }

    fn runtime(self) -> std::io::Result<tokio::runtime::Runtime> {
        match self {
            Self::CurrentThread => tokio::runtime::Builder::new_current_thread().enable_all().build(),
            Self::MultiThread => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
        }
    }

    fn of_environment() -> Self {
        match std::env::var(FLAVOUR).as_deref() {
            Ok("multi_thread") => Self::MultiThread,
            _ => Self::CurrentThread,
        }
    }
}

fn main() -> ExitCode {
    let outcome = if std::env::var_os("BENCH_PLUGIN").is_some() {
        return match Flavour::of_environment().runtime() {
            Ok(runtime) => runtime.block_on(Plugin::new(HANDSHAKE).serve::<dyn Echo>(Arc::new(Mirror))),
            Err(_) => ExitCode::FAILURE,
        };
    } else if let Some(socket) = std::env::var_os(peer::SOCKET) {
        Flavour::of_environment()
            .runtime()
            .map_err(Into::into)
            .and_then(|runtime| runtime.block_on(peer::serve(socket)))
    } else {
        compare()
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> peer::Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds = arguments.iter().position(|argument| argument == "--rounds");
    let rounds = rounds.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(9_usize).max(1);
    println!("| runtime | message | in flight | tonic, per call | loop-runtime, per call | ratio |");
    println!("|---|---|---|---|---|---|");
    for flavour in [Flavour::CurrentThread, Flavour::MultiThread] {
        flavour.runtime()?.block_on(table(flavour, rounds))?;
    }
    Ok(())
}

async fn table(flavour: Flavour, rounds: usize) -> peer::Outcome<()> {
    let program = std::env::current_exe()?;
    let server = peer::Server::start(&program, FLAVOUR, flavour.name()).await?;
    let plain = server.client().await?;
    let plugin = Host::new(HANDSHAKE).launch(Command::new(&program).env(FLAVOUR, flavour.name())).await?;
    let ours: Arc<dyn Echo> = plugin.dispense().await?;
    for Row { bytes, in_flight, calls } in ROWS {
        let data: Arc<[u8]> = vec![7; bytes].into();
        let plain_round = || {
            let (plain, data) = (plain.clone(), data.clone());
            round(in_flight, calls, move || {
                let (mut plain, data) = (plain.clone(), data.clone());
                async move { plain.echo(data.to_vec()).await.map(drop) }
            })
        };
        let our_round = || {
            let (ours, data) = (ours.clone(), data.clone());
            round(in_flight, calls, move || {
                let (ours, data) = (ours.clone(), data.clone());
                async move { ours.echo(&data).await.map(drop) }
            })
        };
        plain_round().await?;
        our_round().await?;
        let (mut theirs, mut mine, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..rounds {
            let (a, b) = if n % 2 == 0 {
                let a = plain_round().await?;
                (a, our_round().await?)
            } else {
                let b = our_round().await?;
                (plain_round().await?, b)
            };
            theirs.push(a.as_secs_f64() / calls as f64);
            mine.push(b.as_secs_f64() / calls as f64);
            ratios.push(b.as_secs_f64() / a.as_secs_f64());
        }
        let size = if bytes < KIB { format!("{bytes} B") } else { format!("{} KiB", bytes / KIB) };
        println!(
            "| {} | {size} | {in_flight} | {:.1} us | {:.1} us | {:.2} |",
            flavour.name(),
            1e6 * median(&mut theirs),
            1e6 * median(&mut mine),
            median(&mut ratios)
        );
    }
    plugin.close().await;
    Ok(())
}

/// Makes `calls` calls, `in_flight` at a time, and gives the time that all of them took.
async fn round<F, Fut, E>(in_flight: usize, calls: usize, call: F) -> peer::Outcome<Duration>
where
    F: Fn() -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<(), E>> + Send,
    E: std::error::Error + Send + Sync + 'static,
{
    let began = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let call = call.clone();
        callers.spawn(async move {
            for _ in 0..calls / in_flight {
                call().await?;
            }
            Ok::<_, E>(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
