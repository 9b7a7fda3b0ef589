//! Standard output and error: the host's stdio subscription, and the log.

use serde_json::{Map, Value};
use tonic::Streaming;

use crate::client::{Client, Two, two};
use crate::process::{Start, soon};
use crate::proto::plugin::StdioData;
use crate::proto::plugin::grpc_stdio_client::GrpcStdioClient;

async fn subscribe(client: Client) -> Streaming<StdioData> {
    soon("a subscription", GrpcStdioClient::new(client).stream_stdio(())).await.unwrap().into_inner()
}

/// Reads `count` bytes of `channel`; other channels are ignored.
async fn read(stream: &mut Streaming<StdioData>, channel: i32, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let chunk = soon("a chunk", stream.message()).await.unwrap().unwrap();
        assert!(!chunk.data.is_empty() && chunk.data.len() <= 64 * 1024);
        if chunk.channel == channel {
            bytes.extend_from_slice(&chunk.data);
        }
    }
    bytes
}

const STARTING: &[u8] = b"printed while it starts\n";

#[tokio::test]
async fn both_channels_arrive_as_they_were_printed() {
    let plugin = Start::new("").up().await;
    let client = plugin.client().await;
    client.call::<_, Two>("/probe.Probe/Print", two("hello\nworld!", "and some error\n messages!")).await.unwrap();
    let mut stream = subscribe(client).await;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while stdout.len() + stderr.len() < STARTING.len() + 37 {
        let chunk = soon("a chunk", stream.message()).await.unwrap().unwrap();
        if chunk.channel == 1 { &mut stdout } else { &mut stderr }.extend_from_slice(&chunk.data);
    }
    assert_eq!(stdout, [STARTING, b"hello\nworld!"].concat());
    assert_eq!(stderr, b"and some error\n messages!");
}

#[tokio::test]
async fn nobody_listens_and_nothing_blocks() {
    for how in ["one-thread", ""] {
        let plugin = Start::new(how).up().await;
        let client = plugin.client().await;
        for _ in 0..5 {
            let printed = client.call::<_, Two>("/probe.Probe/Print", two(vec![b'x'; 1 << 20], vec![b'e'; 1 << 20]));
            soon("the print", printed).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_listener_gets_a_burst_whole() {
    let plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let mut stream = subscribe(plugin.client().await).await;
    let sent: Vec<u8> = (0..4 << 20).map(|n: u32| (n % 251) as u8).collect();
    let printed = tokio::spawn({
        let request = two(sent.clone(), "");
        async move { client.call::<_, Two>("/probe.Probe/Print", request).await }
    });
    let seen = read(&mut stream, 1, STARTING.len() + sent.len()).await;
    assert!(seen[STARTING.len()..] == sent);
    printed.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_second_subscription_continues() {
    let plugin = Start::new("").up().await;
    let first = plugin.client().await;
    let mut stream = subscribe(first.clone()).await;
    first.call::<_, Two>("/probe.Probe/Print", two("one", "")).await.unwrap();
    assert_eq!(read(&mut stream, 1, STARTING.len() + 3).await, [STARTING, b"one"].concat());
    drop(stream);
    // Once this is answered the plugin has received the reset of the stream.
    first.call::<_, Two>("/probe.Probe/Echo", two("", "")).await.unwrap();
    first.call::<_, Two>("/probe.Probe/Print", two("two", "")).await.unwrap();
    let mut stream = subscribe(plugin.client().await).await;
    assert_eq!(read(&mut stream, 1, 3).await, b"two");
}

#[tokio::test]
async fn the_last_words_are_delivered() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    let mut stream = subscribe(client.clone()).await;
    client.call::<_, Two>("/probe.Probe/Print", two("last words", "")).await.unwrap();
    plugin.shut_down().await;
    assert_eq!(read(&mut stream, 1, STARTING.len() + 10).await, [STARTING, b"last words"].concat());
    assert!(soon("the end of the stream", stream.message()).await.unwrap().is_none());
    assert_eq!(plugin.ended().await.0, Some(0));
}

#[tokio::test]
async fn logs_are_lines_that_a_go_host_parses() {
    let mut plugin = Start::new("").up().await;
    let text = "a\nb \u{1} \"q\" ".to_owned() + &"long ".repeat(30_000);
    plugin.client().await.call::<_, Two>("/probe.Probe/Log", two(text, "")).await.unwrap();
    let stderr = plugin.stderr(|seen| seen.contains("by the crate log") && seen.ends_with('\n')).await;
    let line = stderr.lines().find(|line| line.contains("\"logger\":\"Probe\"")).unwrap();
    assert!(line.len() < 64 * 1024);
    let line: Map<String, Value> = serde_json::from_str(line).unwrap();
    assert_eq!((&line["@level"], &line["size"]), (&"warn".into(), &150_010.into()));
    assert!(line["@message"].as_str().unwrap().starts_with("a\nb \u{1} \"q\" long"));
    let others: Vec<Map<String, Value>> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_log = others.iter().find(|line| line["@message"] == "by the crate log").unwrap();
    let keys = ["@level", "@module", "module", "logger", "spans"].map(|key| of_log[key].as_str().unwrap());
    assert_eq!(keys, ["info", "dependency", "plugin_process::role", "Probe", "call{logger=Probe}"]);
}

#[tokio::test]
async fn a_host_that_reads_no_log_makes_nothing_panic() {
    let mut plugin = Start::new("").up().await;
    let client = plugin.client().await;
    plugin.close_stderr();
    for _ in 0..3 {
        client.call::<_, Two>("/probe.Probe/Log", two("nobody reads this", "")).await.unwrap();
        client.call::<_, Two>("/probe.Probe/Boom", two("nor this", "")).await.unwrap_err();
    }
    client.call::<_, Two>("/probe.Probe/Echo", two("alive", "")).await.unwrap();
    plugin.shut_down().await;
    assert_eq!(plugin.ended().await.0, Some(0));
    assert!(plugin.notes().contains(&"served".to_owned()));
}
