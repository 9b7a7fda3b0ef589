//! A host process: one command per line, one answer per line.

use std::os::fd::AsFd;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;

use super::{Load, Outcome, alloc};

/// The commands of a host. Every time is without preparation and clean-up.
pub(crate) trait Stack {
    /// The processes of its plugins.
    fn plugins(&self) -> Vec<u32>;
    /// Calls the plugin.
    async fn unary(&mut self, load: Load) -> Outcome<Duration>;
    /// Has a second plugin call the first one through the host.
    async fn proxy(&mut self, load: Load) -> Outcome<Duration>;
    /// Has `calls` calls in flight at once.
    async fn flood(&mut self, calls: usize) -> Outcome<Duration>;
    /// Starts one more plugin, until its first reply.
    async fn start(&mut self) -> Outcome<Duration>;
    /// Kills the plugin, until the host has noticed.
    async fn notice(&mut self) -> Outcome<Duration>;
    /// Kills the plugin, until a call is answered again.
    async fn recover(&mut self) -> Outcome<Duration>;
    /// Replaces the plugin by another process while callers call, and returns the longest wait of one of them.
    async fn replace(&mut self) -> Outcome<Duration>;
    /// Has the plugin make an object on a connection of its own, calls it, and drops it; `times` times.
    async fn broker(&mut self, times: usize) -> Outcome<Duration>;
}

/// Runs commands until stdin is closed.
pub(crate) async fn obey(stack: &mut impl Stack) -> Outcome<()> {
    let stdin = pipe::Receiver::from_owned_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
    let mut lines = BufReader::new(stdin).lines();
    answer(Duration::ZERO, 0, stack);
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        let numbers = words[1..].iter().map(|word| word.parse()).collect::<Result<Vec<usize>, _>>()?;
        let load = || match numbers[..] {
            [bytes, in_flight, calls] => Ok(Load { bytes, in_flight, calls }),
            _ => Err("a load is three numbers"),
        };
        let times = || numbers.first().copied().ok_or("how many?");
        let mut allocations = 0;
        let took = match words[0] {
            "unary" => stack.unary(load()?).await?,
            "count" => {
                alloc::count(true);
                let took = stack.unary(load()?).await?;
                allocations = alloc::count(false);
                took
            }
            "proxy" => stack.proxy(load()?).await?,
            "flood" => stack.flood(times()?).await?,
            "start" => stack.start().await?,
            "notice" => stack.notice().await?,
            "recover" => stack.recover().await?,
            "replace" => stack.replace().await?,
            "broker" => stack.broker(times()?).await?,
            other => return Err(format!("no such command: {other}").into()),
        };
        answer(took, allocations, stack);
    }
    Ok(())
}

fn answer(took: Duration, allocations: u64, stack: &impl Stack) {
    let plugins: Vec<String> = stack.plugins().iter().map(u32::to_string).collect();
    println!("{} {allocations} {}", took.as_nanos(), plugins.join(","));
}
