//! A scripted server or client, frame by frame.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

pub(super) const NO_ERROR: u32 = 0;
pub(super) const PROTOCOL_ERROR: u32 = 1;
pub(super) const INTERNAL_ERROR: u32 = 2;
pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const CANCEL: u32 = 8;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;

pub(super) const MAX_CONCURRENT_STREAMS: u16 = 3;

/// The last stream id of a GOAWAY that only announces the stop.
pub(super) const ALL: u32 = u32::MAX >> 1;

pub(super) struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

pub(super) struct Peer {
    io: DuplexStream,
}

impl Peer {
    /// Has read the client's preface.
    pub(super) async fn new(mut io: DuplexStream) -> Self {
        let mut preface = [0; 24];
        within(io.read_exact(&mut preface)).await.unwrap();
        assert_eq!(&preface, PREFACE);
        Self { io }
    }

    /// The other role: has sent its preface and SETTINGS.
    pub(super) async fn client(mut io: DuplexStream) -> Self {
        within(io.write_all(PREFACE)).await.unwrap();
        let mut peer = Self { io };
        peer.settings(&[]).await;
        peer.knows_settings().await;
        peer
    }

    /// As a client, calls `path` on `stream`.
    pub(super) async fn calls(&mut self, stream: u32, path: &str) {
        // `:method: POST` and `:scheme: http` of the static table; `:path` and `content-type` by their names there.
        let path = [&[4, path.len() as u8][..], path.as_bytes()].concat();
        let block = [&[0x83, 0x86][..], &path, &[0x0f, 0x10, 16], b"application/grpc"].concat();
        self.frame(HEADERS, END_HEADERS, stream, &block).await;
        self.frame(DATA, END_STREAM, stream, b"\0\0\0\0\x02hi").await;
    }

    /// As a client, calls `path` on `stream` with `length` bytes of metadata, in frames of 16 KiB, as Go's clients do.
    pub(super) async fn calls_with_metadata(&mut self, stream: u32, path: &str, length: usize) {
        let path = [&[4, path.len() as u8][..], path.as_bytes()].concat();
        let mut block = [&[0x83, 0x86][..], &path, &[0x0f, 0x10, 16], b"application/grpc", b"\0\x06x-long"].concat();
        // A length that exceeds seven bits, as a varint.
        let mut rest = length - 127;
        block.push(127);
        while rest > 127 {
            block.push(rest as u8 | 128);
            rest >>= 7;
        }
        block.push(rest as u8);
        block.resize(block.len() + length, b'x');
        let pieces: Vec<_> = block.chunks(16 << 10).collect();
        for (at, piece) in pieces.iter().enumerate() {
            let kind = if at == 0 { HEADERS } else { CONTINUATION };
            let flags = if at + 1 == pieces.len() { END_HEADERS } else { 0 };
            self.frame(kind, flags, stream, piece).await;
        }
        self.frame(DATA, END_STREAM, stream, b"\0\0\0\0\x02hi").await;
    }

    /// As a client, waits for the end of a response; returns its stream.
    pub(super) async fn takes_answer(&mut self) -> u32 {
        loop {
            let frame = self.read().await.expect("the connection is open");
            if matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0 {
                return frame.stream;
            }
        }
    }

    /// Waits for a GOAWAY; returns its last stream and its code.
    pub(super) async fn hears_of_the_end(&mut self) -> (u32, u32) {
        let payload = self.next(GO_AWAY).await.payload;
        let field = |at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
        (field(0), field(4))
    }

    /// Waits for a ping, and answers it.
    pub(super) async fn answers_ping(&mut self) {
        let ping = self.next(PING).await;
        self.frame(PING, ACK, 0, &ping.payload).await;
    }

    /// The next frame; `None` at the end.
    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        within(self.io.read_exact(&mut head)).await.ok()?;
        let [a, b, c, kind, flags, s, t, r, e] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        within(self.io.read_exact(&mut payload)).await.ok()?;
        Some(Frame { kind, flags, stream: u32::from_be_bytes([s, t, r, e]), payload })
    }

    /// Reads up to the next frame of `kind`.
    async fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.read().await.expect("the connection is open");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    pub(super) async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[kind, flags]);
        bytes.extend_from_slice(&stream.to_be_bytes());
        bytes.extend_from_slice(payload);
        self.bytes(&bytes).await;
    }

    pub(super) async fn bytes(&mut self, bytes: &[u8]) {
        within(self.io.write_all(bytes)).await.unwrap();
    }

    pub(super) async fn settings(&mut self, settings: &[(u16, u32)]) {
        let payload: Vec<_> =
            settings.iter().flat_map(|(id, to)| [&id.to_be_bytes()[..], &to.to_be_bytes()].concat()).collect();
        self.frame(SETTINGS, 0, 0, &payload).await;
    }

    /// Waits until the client has acknowledged what [`settings`](Self::settings) sent.
    pub(super) async fn knows_settings(&mut self) {
        while self.next(SETTINGS).await.flags & ACK == 0 {}
    }

    /// A ping, and its answer: whatever was sent before has been processed.
    pub(super) async fn is_heard(&mut self) {
        self.frame(PING, 0, 0, b"pingpong").await;
        while self.next(PING).await.flags & ACK == 0 {}
    }

    pub(super) async fn opens_window(&mut self, stream: u32, by: u32) {
        self.frame(WINDOW, 0, stream, &by.to_be_bytes()).await;
    }

    pub(super) async fn goes_away(&mut self, last: u32, code: u32) {
        self.frame(GO_AWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat()).await;
    }

    pub(super) async fn resets(&mut self, stream: u32, code: u32) {
        self.frame(RESET, 0, stream, &code.to_be_bytes()).await;
    }

    /// Waits for the headers of a request; returns its stream.
    pub(super) async fn takes_call(&mut self) -> u32 {
        self.next(HEADERS).await.stream
    }

    /// As [`takes_call`](Self::takes_call), but for a call whose message arrives too, instead of a reset.
    pub(super) async fn takes_call_that_stays(&mut self) -> u32 {
        loop {
            let stream = self.takes_call().await;
            let frame = self.read().await.expect("the connection is open");
            assert_eq!(frame.stream, stream);
            if frame.kind == DATA {
                return stream;
            }
        }
    }

    pub(super) async fn begins_answer(&mut self, stream: u32) {
        // `:status: 200` of the static table, then `content-type` by its index there.
        let block = [&[0x88, 0x0f, 0x10, 16][..], b"application/grpc"].concat();
        self.frame(HEADERS, END_HEADERS, stream, &block).await;
    }

    pub(super) async fn sends_item(&mut self, stream: u32, message: &str) {
        let mut data = vec![0];
        data.extend_from_slice(&(message.len() as u32).to_be_bytes());
        data.extend_from_slice(message.as_bytes());
        self.frame(DATA, 0, stream, &data).await;
    }

    /// A prefix that announces more than follows it.
    pub(super) async fn sends_part_of_an_item(&mut self, stream: u32) {
        self.frame(DATA, 0, stream, b"\0\0\0\0\x09part").await;
    }

    pub(super) async fn ends_answer(&mut self, stream: u32, code: u8) {
        // A new name, a value of one digit, no compression.
        let block = [&[0, 11][..], b"grpc-status", &[1, b'0' + code]].concat();
        self.frame(HEADERS, END_HEADERS | END_STREAM, stream, &block).await;
    }

    /// Ends the stream where trailers would be.
    pub(super) async fn ends_without_status(&mut self, stream: u32) {
        self.frame(DATA, END_STREAM, stream, &[]).await;
    }

    pub(super) async fn answers(&mut self, stream: u32, message: &str) {
        self.begins_answer(stream).await;
        self.sends_item(stream, message).await;
        self.ends_answer(stream, 0).await;
    }

    /// Waits until the client resets `stream`; returns the code.
    pub(super) async fn is_told_off(&mut self, stream: u32) -> u32 {
        loop {
            let frame = self.next(RESET).await;
            if frame.stream == stream {
                return u32::from_be_bytes(frame.payload.try_into().unwrap());
            }
        }
    }

    /// Reads what is left, up to the end.
    pub(super) async fn hears_the_end(mut self) {
        while self.read().await.is_some() {}
    }

    /// Reads what is left, up to the end: it contains no call.
    pub(super) async fn hears_of_no_call(mut self) {
        while let Some(frame) = self.read().await {
            assert_ne!(frame.kind, HEADERS, "stream {}", frame.stream);
        }
    }
}
