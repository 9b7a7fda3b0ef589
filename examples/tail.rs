//! A plugin follows a file and streams its lines. The host prints them, kills the plugin on the way, and the stream goes on.
//!
//! `cargo run --example tail` follows a file that it writes itself; `cargo run --example tail -- FILE` follows yours, until
//! Ctrl-C.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use loop_runtime::prelude::*;
use loop_runtime::streaming::Sender;

const HANDSHAKE: Handshake = Handshake::new("TAIL_PLUGIN", "hello").version(1);

/// Reads files.
#[loop_service(package = "example.tail.v1")]
pub trait Tail {
    /// The lines that are appended to a file from now on. In a plugin that was started again, it begins anew.
    #[rpc(resubscribe)]
    async fn follow(&self, path: &str) -> Result<Streaming<String>>;
    /// The sum of all bytes of what is sent in parts.
    async fn checksum(&self, parts: Streaming<Vec<u8>>) -> Result<u64>;
}

struct Follower;

impl Tail for Follower {
    async fn follow(&self, path: &str) -> Result<Streaming<String>> {
        let mut file = BufReader::new(File::open(path).map_err(Error::other)?);
        file.seek(SeekFrom::End(0)).map_err(Error::other)?;
        let (lines, stream) = Streaming::channel(16);
        tokio::spawn(async move {
            tokio::select! {
                () = lines.closed() => {}
                ended = feed(file, &lines) => if let Err(error) = ended {
                    lines.fail(Error::other(error)).await;
                },
            }
        });
        Ok(stream)
    }

    async fn checksum(&self, mut parts: Streaming<Vec<u8>>) -> Result<u64> {
        let mut sum = 0;
        while let Some(part) = parts.next().await {
            sum += part?.into_iter().map(u64::from).sum::<u64>();
        }
        Ok(sum)
    }
}

/// Sends line after line; a line that has no end yet is waited for.
async fn feed(mut file: impl BufRead, lines: &Sender<String>) -> std::io::Result<()> {
    let mut line = String::new();
    loop {
        if file.read_line(&mut line)? == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        } else if line.ends_with('\n') && lines.send(std::mem::take(&mut line)).await.is_err() {
            return Ok(());
        }
    }
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    if std::env::var_os("TAIL_PLUGIN").is_some() {
        return Ok(Plugin::new(HANDSHAKE).serve::<dyn Tail>(Arc::new(Follower)).await);
    }
    let given = std::env::args().nth(1);
    let own = std::env::temp_dir().join(format!("tail-{}.log", std::process::id()));
    let path = given.clone().unwrap_or_else(|| own.display().to_string());
    let writer = match given {
        Some(_) => None,
        None => Some(tokio::spawn(write(File::create(&own)?))),
    };

    let plugin = Host::new(HANDSHAKE).launch(Command::new(std::env::current_exe()?)).await?;
    let tail: Arc<dyn Tail> = plugin.dispense().await?;
    let mut lines = tail.follow(&path).await?;
    for read in 1.. {
        let line = tokio::select! {
            line = lines.next() => line.transpose()?,
            _ = tokio::signal::ctrl_c() => break,
        };
        let Some(line) = line else { break };
        println!(
            "process {:?}, subscribed again {} times: {}",
            plugin.pid(),
            lines.times_resubscribed(),
            line.trim_end()
        );
        match (read, plugin.pid()) {
            (3, Some(pid)) => drop(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status()?),
            (8, _) if writer.is_some() => break,
            _ => {}
        }
    }
    drop(lines);

    // The other way: an argument in parts.
    let parts = Streaming::iter((0..4).map(|part| vec![part; 1024]));
    println!("the sum of all bytes is {}", tail.checksum(parts).await?);
    plugin.close().await;
    if let Some(writer) = writer {
        writer.abort();
        std::fs::remove_file::<&Path>(&own)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a line now and then.
async fn write(mut file: File) -> std::io::Result<()> {
    for number in 1.. {
        writeln!(file, "line {number}")?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}
