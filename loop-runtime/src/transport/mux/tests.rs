//! Sessions between two ends of this runtime, and with scripted peers that write frames by hand.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::session::MOST_STREAMS;
use super::*;
use crate::transport::ticks::{STANDSTILL, TICK};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

const DATA: u8 = 0;
const WINDOW: u8 = 1;
const PING: u8 = 2;
const GO_AWAY: u8 = 3;
const SYN: u8 = 1;
const ACK: u8 = 2;
const FIN: u8 = 4;
const RST: u8 = 8;

struct End {
    session: MuxSession,
    incoming: mpsc::UnboundedReceiver<MuxStream>,
    driver: JoinHandle<()>,
}

fn end(io: DuplexStream, client: bool) -> End {
    let (send, incoming) = mpsc::unbounded_channel();
    let take_in = move |mut stream: MuxStream| {
        stream.announce();
        let _ = send.send(stream);
    };
    let (session, driver): (_, std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) = match client {
        true => {
            let (session, driver) = MuxSession::client(io, take_in);
            (session, Box::pin(driver))
        }
        false => {
            let (session, driver) = MuxSession::server(io, take_in);
            (session, Box::pin(driver))
        }
    };
    End { session, incoming, driver: tokio::spawn(driver) }
}

/// The next stream that the peer opens; it must come.
async fn next(incoming: &mut mpsc::UnboundedReceiver<MuxStream>) -> MuxStream {
    tokio::time::timeout(LONG, incoming.recv()).await.expect("no stream comes").expect("a session")
}

fn pair() -> (End, End) {
    let (one, other) = duplex(64 * 1024);
    (end(one, true), end(other, false))
}

/// A scripted peer: frames by hand.
struct Scripted(DuplexStream);

impl Scripted {
    /// It dials, or accepts.
    fn new(client: bool) -> (Self, End) {
        let (one, other) = duplex(1 << 20);
        (Self(one), end(other, !client))
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, length: u32, body: &[u8]) {
        let header = [&[0, kind, 0, flags], &stream.to_be_bytes()[..], &length.to_be_bytes()[..]].concat();
        self.0.write_all(&header).await.unwrap();
        self.0.write_all(body).await.unwrap();
    }

    /// The next frame that is no ping: type, flags, stream, body.
    async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        loop {
            let mut header = [0; 12];
            self.0.read_exact(&mut header).await.ok()?;
            let [_, kind, _, flags, ids @ ..] = header;
            let number = |at: usize| u32::from_be_bytes(ids[at..at + 4].try_into().unwrap());
            let mut body = vec![0; if kind == DATA { number(4) as usize } else { 0 }];
            self.0.read_exact(&mut body).await.ok()?;
            if kind != PING {
                return Some((kind, flags, number(0), body));
            }
        }
    }
}

#[tokio::test]
async fn both_ends_open_streams_which_are_told_at_once() {
    let (mut client, mut server) = pair();
    for round in 0..3_u8 {
        // Nothing is written, and still the peer sees it.
        let mut there = client.session.open().await.unwrap();
        let mut here = next(&mut server.incoming).await;
        there.write_all(&[round; 100_000]).await.unwrap();
        let mut came = vec![0; 100_000];
        here.read_exact(&mut came).await.unwrap();
        assert!(came.iter().all(|byte| *byte == round));
        here.shutdown().await.unwrap();
        assert_eq!(there.read(&mut came).await.unwrap(), 0, "a shutdown is the end of what can be read");

        let _back = server.session.open().await.unwrap();
        next(&mut client.incoming).await;
    }
}

#[tokio::test]
async fn go_reads_the_frames() {
    let (mut peer, mut end) = Scripted::new(false);
    // Opened: announced at once, without data.
    let stream = end.session.open().await.unwrap();
    assert_eq!(peer.next().await, Some((DATA, SYN, 1, vec![])));
    // Go's ACK, then its own stream, which is acked at once too.
    peer.send(WINDOW, ACK, 1, 0, &[]).await;
    peer.send(WINDOW, SYN, 2, 0, &[]).await;
    let theirs = next(&mut end.incoming).await;
    assert_eq!(peer.next().await, Some((DATA, ACK, 2, vec![])));
    drop(stream);
    assert_eq!(peer.next().await, Some((DATA, RST, 1, vec![])));
    peer.send(WINDOW, FIN, 2, 0, &[]).await;
    let mut theirs = theirs;
    assert_eq!(theirs.read(&mut [0; 4]).await.unwrap(), 0);
    drop(theirs);
    assert_eq!(peer.next().await, Some((DATA, FIN, 2, vec![])));
}

#[tokio::test]
async fn a_slow_reader_of_one_stream_does_not_stop_the_others() {
    let (client, mut server) = pair();
    let mut stuck = client.session.open().await.unwrap();
    let _unread = next(&mut server.incoming).await;
    let writing = tokio::spawn(async move { stuck.write_all(&vec![0; 8 << 20]).await });

    let mut quick = client.session.open().await.unwrap();
    let mut here = next(&mut server.incoming).await;
    let sent = tokio::spawn(async move {
        quick.write_all(&vec![7; 8 << 20]).await.unwrap();
        quick
    });
    let mut came = vec![0; 8 << 20];
    tokio::time::timeout(LONG, here.read_exact(&mut came)).await.expect("it goes on").unwrap();
    assert!(came.iter().all(|byte| *byte == 7));
    sent.await.unwrap();
    assert!(!writing.is_finished(), "the window of the other is full");
    writing.abort();
}

#[tokio::test]
async fn thousands_of_streams_leave_nothing_behind() {
    let (client, mut server) = pair();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for round in 0..100 {
        let mut all = Vec::new();
        for _ in 0..50 {
            let mut there = client.session.open().await.unwrap();
            there.write_all(b"ping").await.unwrap();
            let mut here = next(&mut server.incoming).await;
            here.read_exact(&mut [0; 4]).await.unwrap();
            all.push((there, here));
        }
        assert_eq!((client.session.live(), server.session.live()), (50, 50));
        for (n, (mut there, here)) in all.into_iter().enumerate() {
            // In every order of the ends.
            match (round + n) % 3 {
                0 => there.shutdown().await.unwrap(),
                1 => drop(there),
                _ => drop(here),
            }
        }
        assert_eq!((client.session.live(), server.session.live()), (0, 0));
    }
    assert_eq!(tasks(), before);
    // The crate has forgotten them too, or it would end the session by now.
    let _one_more = client.session.open().await.unwrap();
    next(&mut server.incoming).await;
}

#[tokio::test]
async fn one_stream_too_many_is_refused_and_the_others_live() {
    let (client, mut server) = pair();
    let mut all = Vec::new();
    for _ in 0..MOST_STREAMS {
        all.push((client.session.open().await.unwrap(), next(&mut server.incoming).await));
    }
    let refused = client.session.open().await.unwrap_err();
    assert!(refused.to_string().contains("4096 streams are open"), "{refused}");
    let refused = server.session.open().await.unwrap_err();
    assert!(refused.to_string().contains("4096 streams are open"), "{refused}");
    drop(all.pop());
    all.push((client.session.open().await.unwrap(), next(&mut server.incoming).await));
    let (there, here) = &mut all[17];
    there.write_all(b"ping").await.unwrap();
    here.read_exact(&mut [0; 4]).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_opens_without_end_is_reset_without_end() {
    let (mut peer, mut end) = Scripted::new(true);
    let mut kept = Vec::new();
    for n in 0..MOST_STREAMS as u32 + 500 {
        peer.send(WINDOW, SYN, 1 + 2 * n, 0, &[]).await;
        if (n as usize) < MOST_STREAMS {
            kept.push(next(&mut end.incoming).await);
            assert_eq!(peer.next().await, Some((DATA, ACK, 1 + 2 * n, vec![])));
        } else {
            assert_eq!(peer.next().await, Some((DATA, RST, 1 + 2 * n, vec![])));
        }
    }
    assert_eq!(end.session.live(), MOST_STREAMS);
}

#[tokio::test]
async fn the_end_of_a_session_ends_its_streams() {
    for by_close in [true, false] {
        let (client, mut server) = pair();
        let mut there = client.session.open().await.unwrap();
        let mut here = next(&mut server.incoming).await;
        match by_close {
            true => client.session.close(),
            false => drop(client.session),
        }
        tokio::time::timeout(LONG, server.session.ended().cancelled()).await.unwrap();
        client.driver.await.unwrap();
        server.driver.await.unwrap();
        assert_eq!(there.read(&mut [0; 4]).await.unwrap(), 0);
        assert_eq!(here.read(&mut [0; 4]).await.unwrap(), 0);
        assert!(here.write_all(b"x").await.is_err());
        let refused = server.session.open().await.unwrap_err();
        assert_eq!(refused.to_string(), "the multiplexed session has ended");
    }
}

#[tokio::test]
async fn what_was_written_before_the_end_arrives() {
    let (client, mut server) = pair();
    let mut there = client.session.open().await.unwrap();
    let mut here = next(&mut server.incoming).await;
    there.write_all(b"the last word").await.unwrap();
    client.session.close();
    let mut came = Vec::new();
    here.read_to_end(&mut came).await.unwrap();
    assert_eq!(came, b"the last word");
}

/// What ends a session: each is one violation by a scripted peer.
#[tokio::test]
async fn a_peer_that_breaks_the_rules_is_left() {
    let over = vec![0_u8; 256 * 1024];
    for (what, frames) in [
        ("another version", vec![[1, WINDOW, 0, SYN, 0, 0, 0, 1, 0, 0, 0, 0].to_vec()]),
        ("HTTP/2 without yamux", vec![b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()]),
        ("no such type", vec![[0, 9, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0].to_vec()]),
        ("our own numbers", vec![[0, WINDOW, 0, SYN, 0, 0, 0, 2, 0, 0, 0, 0].to_vec()]),
        (
            "the same number twice",
            vec![
                [0, WINDOW, 0, SYN, 0, 0, 0, 1, 0, 0, 0, 0].to_vec(),
                [0, WINDOW, 0, SYN, 0, 0, 0, 1, 0, 0, 0, 0].to_vec(),
            ],
        ),
        ("a frame that is too long", vec![[0, DATA, 0, SYN, 0, 0, 0, 1, 0xff, 0, 0, 0].to_vec()]),
        (
            "more than the window",
            vec![
                [0, DATA, 0, SYN, 0, 0, 0, 1, 0, 4, 0, 0].to_vec(),
                over.clone(),
                [0, DATA, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1].to_vec(),
                vec![7],
            ],
        ),
        (
            "a window beyond all windows",
            vec![
                [0, WINDOW, 0, SYN, 0, 0, 0, 1, 0, 0, 0, 0].to_vec(),
                [0, WINDOW, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff].to_vec(),
            ],
        ),
        ("an answer to no question", vec![[0, PING, 0, ACK, 0, 0, 0, 0, 0, 0, 0, 99].to_vec()]),
        ("a go-away", vec![[0, GO_AWAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec()]),
    ] {
        let (mut peer, end) = Scripted::new(true);
        for frame in frames {
            peer.0.write_all(&frame).await.unwrap();
        }
        let ended = tokio::time::timeout(LONG, end.session.ended().cancelled()).await;
        assert!(ended.is_ok(), "{what} is not the end");
        end.driver.await.expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_the_end() {
    let (_peer, end) = Scripted::new(true);
    let before = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(3600), end.session.ended().cancelled()).await;
    assert!(ended.is_ok(), "nobody waits for an answer");
    assert_eq!(before.elapsed(), TICK * STANDSTILL, "it was asked at the beginning");
}

/// The whole machine stops: the peer has had no time to answer either.
#[tokio::test(start_paused = true)]
async fn a_stop_is_no_silence() {
    let (mut peer, end) = Scripted::new(true);
    for _ in 0..3 {
        let mut header = [0; 12];
        peer.0.read_exact(&mut header).await.unwrap();
        assert_eq!((header[1], header[3]), (PING, SYN));
        tokio::time::advance(Duration::from_secs(3600)).await;
        tokio::time::sleep(TICK * 2).await;
        assert!(!end.session.ended().is_cancelled());
        header[3] = ACK;
        peer.0.write_all(&header).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_peer_that_answers_is_kept() {
    let (mut peer, end) = Scripted::new(true);
    let answers = tokio::spawn(async move {
        let mut header = [0; 12];
        while peer.0.read_exact(&mut header).await.is_ok() {
            assert_eq!((header[1], header[3]), (PING, SYN));
            header[3] = ACK;
            peer.0.write_all(&header).await.unwrap();
        }
    });
    tokio::time::timeout(Duration::from_secs(3600), end.session.ended().cancelled()).await.unwrap_err();
    drop(end.session);
    answers.await.unwrap();
}

proptest::proptest! {
    /// Arbitrary bytes end the session, or wait for more; streams made of them are streams.
    #[test]
    fn garbage_does_no_harm(frames in proptest::collection::vec(
        (0..2_u8, 0..5_u8, 0..16_u8, 0..5_u32, 0..300_u32), 0..20), cut in 1..40_usize, client: bool) {
        let bytes: Vec<u8> = frames.iter().flat_map(|(version, kind, flags, stream, length)| {
            let version = u8::from(*version == 1 && *length == 7);
            let header = [&[version, *kind, 0, *flags], &stream.to_be_bytes()[..], &length.to_be_bytes()[..]].concat();
            [header, vec![0; if *kind == DATA { *length as usize } else { 0 }]].concat()
        }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut peer, end) = Scripted::new(client);
            for piece in bytes.chunks(cut) {
                let _ = peer.0.write_all(piece).await;
            }
            drop(peer);
            end.driver.await.expect("no panic");
        });
    }
}

/// The window is fixed: a fast stream gets no more than it began with, so that no frame of Go's is ever too long.
#[tokio::test]
async fn windows_do_not_grow() {
    let (mut peer, mut end) = Scripted::new(true);
    peer.send(WINDOW, SYN, 1, 0, &[]).await;
    let mut stream = next(&mut end.incoming).await;
    let reading = tokio::spawn(async move {
        let mut all = vec![0; 64 * 1024];
        while stream.read(&mut all).await.unwrap() > 0 {}
    });
    let (mut granted, piece) = (256 * 1024_u32, [7; 16 * 1024]);
    for _ in 0..400 {
        while granted < 16 * 1024 {
            let mut header = [0; 12];
            peer.0.read_exact(&mut header).await.unwrap();
            let length = u32::from_be_bytes(header[8..].try_into().unwrap());
            match header[1] {
                WINDOW => granted += length,
                // Answered at once, for a round trip that would make windows grow.
                PING if header[3] == SYN => peer.send(PING, ACK, 0, length, &[]).await,
                _ => {}
            }
            assert!(granted <= 256 * 1024);
        }
        peer.send(DATA, 0, 1, 16 * 1024, &piece).await;
        granted -= 16 * 1024;
    }
    peer.send(WINDOW, FIN, 1, 0, &[]).await;
    reading.await.unwrap();
}
