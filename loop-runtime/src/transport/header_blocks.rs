//! Header lists in many small frames, joined before h2 counts the frames.
//!
//! h2 derives how many frames a header list may have from the largest frame size that it allows: with ours, about ten.
//! grpc-go sends frames of 16 KiB whatever the limit, and metadata and error messages travel in headers, so that more
//! than 160 KB of them would end the connection. Raising the limit of a header list instead would raise what a hostile
//! peer can make us buffer, a hundredfold.
//!
//! Everything passes unchanged and uncopied, up to a HEADERS frame without END_HEADERS. That frame and the CONTINUATION
//! frames after it become frames of up to [`FRAME`] bytes. Nothing is validated here: what is malformed, or has more
//! frames than a list needs, is passed on for h2 to refuse.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tune::FRAME;

const HEAD: usize = 9;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// The smallest value of `SETTINGS_MAX_FRAME_SIZE`, in bytes.
const PIECE: usize = 16 << 10;

/// How much is read at once while a header list is joined.
const CHUNK: usize = 64 << 10;

/// Reads `IO` with header lists in few frames. Writes pass through.
pub(super) struct HeaderBlocks<IO> {
    io: IO,
    max_pieces: usize,
    /// The remaining length of a frame that passes, or of the preface.
    left: usize,
    /// Was read and may not pass yet: it begins with a frame header.
    held: BytesMut,
    /// The list that is being joined.
    block: Option<Block>,
    /// To be returned before anything else.
    ready: BytesMut,
}

/// A header list's newest frame, and the number of its frames so far.
struct Block {
    head: Head,
    payload: BytesMut,
    pieces: usize,
}

#[derive(Clone, Copy)]
struct Head {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Head {
    /// The header at the beginning of `bytes`, if it is complete.
    fn of(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEAD {
            return None;
        }
        let (length, kind, flags) = (bytes.get_uint(3) as usize, bytes.get_u8(), bytes.get_u8());
        Some(Self { length, kind, flags, stream: bytes.get_u32() })
    }

    /// Whether a header list begins here that continues in other frames. Not so if padded, which nobody sends.
    fn opens(self) -> bool {
        self.kind == HEADERS && self.flags & (END_HEADERS | PADDED) == 0 && self.length <= FRAME as usize
    }

    fn put(self, to: &mut BytesMut) {
        to.put_uint(self.length as u64, 3);
        to.put_u8(self.kind);
        to.put_u8(self.flags);
        to.put_u32(self.stream);
    }
}

impl Block {
    fn goes_on_with(&self, head: Head) -> bool {
        head.kind == CONTINUATION && head.stream == self.head.stream && head.length <= FRAME as usize
    }

    /// Writes the frame as joined so far.
    fn put(self, to: &mut BytesMut) {
        Head { length: self.payload.len(), ..self.head }.put(to);
        to.put(self.payload);
    }
}

impl<IO> HeaderBlocks<IO> {
    /// For header lists of up to `max_header_list` bytes, after `preface` bytes that are not frames.
    pub(super) fn new(io: IO, preface: usize, max_header_list: u32) -> Self {
        // As h2 counts, with room for frames that are not full.
        let pieces = max_header_list as usize / PIECE;
        let max_pieces = (pieces + pieces / 4).max(5);
        Self { io, max_pieces, left: preface, held: BytesMut::new(), block: None, ready: BytesMut::new() }
    }

    /// How many of the next `bytes` may pass.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let passing = self.left.min(bytes.len() - at);
            at += passing;
            self.left -= passing;
            match Head::of(&bytes[at..]) {
                Some(head) if self.left == 0 && !head.opens() => {
                    at += HEAD;
                    self.left = head.length;
                }
                _ => return at,
            }
        }
    }

    /// Takes the payload of the first frame held, if it is complete.
    fn take(&mut self, head: Head) -> Option<BytesMut> {
        if self.held.len() < HEAD + head.length {
            return None;
        }
        self.held.advance(HEAD);
        Some(self.held.split_to(head.length))
    }

    /// Does one step with what is held; `false` if that needs more input.
    fn step(&mut self) -> bool {
        let Some(head) = Head::of(&self.held) else { return false };
        let Some(mut block) = self.block.take() else {
            if !head.opens() {
                let mut held = std::mem::take(&mut self.held);
                let passing = self.pass(&held);
                self.held = held.split_off(passing);
                self.ready = held;
                return true;
            }
            let Some(payload) = self.take(head) else { return false };
            self.block = Some(Block { head, payload, pieces: 1 });
            return true;
        };
        if !block.goes_on_with(head) || block.pieces > self.max_pieces {
            block.put(&mut self.ready);
            return true;
        }
        let Some(payload) = self.take(head) else {
            self.block = Some(block);
            return false;
        };
        block.pieces += 1;
        if block.payload.len() + payload.len() > FRAME as usize {
            let pieces = block.pieces;
            block.put(&mut self.ready);
            block = Block { head, payload, pieces };
        } else {
            block.payload.unsplit(payload);
            block.head.flags |= head.flags & END_HEADERS;
        }
        if head.flags & END_HEADERS == 0 {
            self.block = Some(block);
        } else {
            block.put(&mut self.ready);
        }
        true
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for HeaderBlocks<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.ready.is_empty() {
                let ready = this.ready.split_to(this.ready.len().min(buf.remaining()));
                buf.put_slice(&ready);
                return Poll::Ready(Ok(()));
            }
            if this.held.is_empty() && this.block.is_none() {
                let before = buf.filled().len();
                ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
                let read = &buf.filled()[before..];
                let passing = this.pass(read);
                this.held.extend_from_slice(&read[passing..]);
                buf.set_filled(before + passing);
                if passing > 0 || this.held.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            } else if !this.step() {
                let before = this.held.len();
                this.held.resize(before + CHUNK, 0);
                let mut chunk = ReadBuf::new(&mut this.held[before..]);
                let polled = Pin::new(&mut this.io).poll_read(cx, &mut chunk);
                let read = chunk.filled().len();
                this.held.truncate(before + read);
                ready!(polled)?;
                if read == 0 {
                    // EOF in the middle of a frame: h2 reports it.
                    if let Some(block) = this.block.take() {
                        block.put(&mut this.ready);
                    }
                    this.ready.unsplit(this.held.split());
                }
            }
        }
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for HeaderBlocks<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// Reads a connection that brings `bytes` and then nothing, seven at a time where that is up to the reader.
#[cfg(any(test, fuzzing))]
pub(crate) fn header_blocks_of(mut bytes: &[u8]) {
    let (sent, mut came) = (bytes.len(), 0);
    let mut blocks = HeaderBlocks::new(&mut bytes, 0, 1 << 20);
    let mut context = Context::from_waker(std::task::Waker::noop());
    loop {
        let mut piece = [0; 7];
        let mut buffer = ReadBuf::new(&mut piece);
        let read = Pin::new(&mut blocks).poll_read(&mut context, &mut buffer);
        assert!(matches!(read, Poll::Ready(Ok(()))), "all that comes is there: {read:?}");
        came += buffer.filled().len();
        if buffer.filled().is_empty() {
            break;
        }
    }
    // Nothing is lost but the headers of joined frames.
    assert!(came <= sent && (sent - came).is_multiple_of(HEAD), "{came} bytes of {sent}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    const DATA: u8 = 0;

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let mut bytes = BytesMut::new();
        Head { length: payload.len(), kind, flags, stream }.put(&mut bytes);
        bytes.extend_from_slice(payload);
        bytes.to_vec()
    }

    struct Arriving {
        rest: BytesMut,
        sizes: Vec<usize>,
        next: usize,
    }

    impl AsyncRead for Arriving {
        fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.next += 1;
            if self.next.is_multiple_of(2) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let size = self.sizes[self.next / 2 % self.sizes.len()].min(buf.remaining()).min(self.rest.len());
            let now = self.rest.split_to(size);
            buf.put_slice(&now);
            Poll::Ready(Ok(()))
        }
    }

    /// What is read of `sent`, which arrives in pieces of these sizes, over and over.
    async fn read(sent: &[u8], sizes: &[usize], max_header_list: u32) -> Vec<u8> {
        let arriving = Arriving { rest: BytesMut::from(sent), sizes: sizes.to_vec(), next: 0 };
        let mut all = Vec::new();
        HeaderBlocks::new(arriving, 0, max_header_list).read_to_end(&mut all).await.unwrap();
        all
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    #[derive(Clone, Debug)]
    enum Sent {
        Data(Vec<u8>),
        Headers(Vec<Vec<u8>>),
    }

    fn sent() -> impl Strategy<Value = Sent> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        prop_oneof![bytes().prop_map(Sent::Data), prop::collection::vec(bytes(), 1..6).prop_map(Sent::Headers)]
    }

    proptest! {
        /// However it arrives, a list is one frame, and everything else is as sent.
        #[test]
        fn lists_come_whole(
            all in prop::collection::vec(sent(), 0..8),
            sizes in prop::collection::vec(1_usize..60, 1..6),
        ) {
            let (mut whole, mut pieces) = (Vec::new(), Vec::new());
            for (stream, one) in (1..).step_by(2).zip(&all) {
                match one {
                    Sent::Data(bytes) => {
                        let same = frame(DATA, 1, stream, bytes);
                        whole.extend(&same);
                        pieces.extend(&same);
                    }
                    Sent::Headers(of) => {
                        // 1: the stream ends with it, which only the first frame says.
                        whole.extend(frame(HEADERS, 1 | END_HEADERS, stream, &of.concat()));
                        for (at, piece) in of.iter().enumerate() {
                            let (kind, flags) = if at == 0 { (HEADERS, 1) } else { (CONTINUATION, 0) };
                            let last = if at + 1 == of.len() { END_HEADERS } else { 0 };
                            pieces.extend(frame(kind, flags | last, stream, piece));
                        }
                    }
                }
            }
            prop_assert_eq!(runtime().block_on(read(&pieces, &sizes, 1 << 20)), whole);
        }

        /// Nothing is lost or added, whatever arrives: the payloads are the same but for the headers of joined frames.
        #[test]
        fn hostile_bytes_are_passed_on(
            bytes in prop::collection::vec(prop_oneof![0_u8..10, any::<u8>()], 0..200),
            sizes in prop::collection::vec(1_usize..60, 1..6),
        ) {
            let all = runtime().block_on(read(&bytes, &sizes, 1 << 20));
            prop_assert!(all.len() <= bytes.len() && (bytes.len() - all.len()).is_multiple_of(HEAD));
        }
    }

    #[tokio::test]
    async fn a_list_longer_than_a_frame_comes_in_full_frames() {
        let piece = vec![7; PIECE];
        let (mut sent, count) = (frame(HEADERS, 0, 1, &piece), FRAME as usize / PIECE * 2);
        for _ in 1..count {
            sent.extend(frame(CONTINUATION, 0, 1, &piece));
        }
        sent.extend(frame(CONTINUATION, END_HEADERS, 1, b"end"));
        let full = vec![7; FRAME as usize];
        let whole = [
            frame(HEADERS, 0, 1, &full),
            frame(CONTINUATION, 0, 1, &full),
            frame(CONTINUATION, END_HEADERS, 1, b"end"),
        ];
        assert!(read(&sent, &[100_000], 16 << 20).await == whole.concat());
    }

    /// h2 counts the frames that pass here, and ends the connection.
    #[tokio::test]
    async fn more_pieces_than_a_list_needs_are_passed_on() {
        let mut sent = frame(HEADERS, 0, 1, b"a");
        for _ in 0..100 {
            sent.extend(frame(CONTINUATION, 0, 1, b""));
        }
        let came = read(&sent, &[1000], 8 * PIECE as u32).await;
        let passed = 100 - 10;
        assert_eq!(came, [frame(HEADERS, 0, 1, b"a"), frame(CONTINUATION, 0, 1, b"").repeat(passed)].concat());
    }

    #[tokio::test]
    async fn what_does_not_belong_to_a_list_is_passed_on() {
        let open = frame(HEADERS, 0, 1, b"a");
        for stranger in [frame(DATA, 0, 1, b"b"), frame(CONTINUATION, 0, 3, b"b"), frame(HEADERS, END_HEADERS, 3, b"b")]
        {
            let sent = [open.clone(), stranger].concat();
            assert_eq!(read(&sent, &[4], 1 << 20).await, sent);
        }
        let padded = [frame(HEADERS, PADDED, 1, b"\x01ab"), frame(CONTINUATION, END_HEADERS, 1, b"c")].concat();
        assert_eq!(read(&padded, &[100], 1 << 20).await, padded);
        let cut = &frame(HEADERS, 0, 1, b"abc")[..11];
        assert_eq!(read(cut, &[5], 1 << 20).await, cut);
    }
}
