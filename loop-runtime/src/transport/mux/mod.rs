//! Many streams over one socket: yamux, as go-plugin uses it when a host asks for a multiplexed broker.
//!
//! The host is yamux's client and opens the main connection as its first stream; either side opens further ones for
//! what is lent. Each stream carries what a socket of its own would: TLS if the plugin's connections are secured, then
//! HTTP/2. Which stream belongs to what is not known here: yamux has no names, so the broker keeps count.
//!
//! The framing is the crate `yamux`'s, with three settings or habits that go-plugin needs:
//!
//! * Windows stay at 256 KiB. The crate would grow those of fast streams, and Go, which knows no limit of a frame but
//!   the window, may then send a frame that is longer than the crate takes, which ends the session.
//! * A stream that is opened is told at once, by an empty frame, and so is one that was taken in; the crate leaves both
//!   to the first data. Go counts streams by the first, and ends a session that owes it the second for 75 s.
//! * A session that is idle is asked for a sign of life every 30 s, and is over 10 s after a question without an answer,
//!   as in Go.

mod session;
mod stream;
mod tap;

pub(crate) use session::MuxSession;
pub(crate) use stream::MuxStream;

/// A session whose peer says `bytes` and then nothing, to its end. Streams that it opens are taken, read and answered.
#[cfg(any(test, fuzzing))]
pub(crate) fn streams_of(bytes: &[u8]) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (mut peer, io) = tokio::io::duplex(bytes.len() + 1);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
    runtime.block_on(async {
        let (_session, drive) = MuxSession::server(io, |mut stream| {
            stream.announce();
            tokio::spawn(async move {
                let mut piece = [0; 64];
                while let Ok(1..) = stream.read(&mut piece).await {}
                stream.write_all(&piece).await
            });
        });
        let said = async {
            // Not the end of what it reads: it would break off what is written to it.
            let _ = peer.write_all(bytes).await;
            tokio::task::yield_now().await;
            let mut answers = Vec::new();
            let _ = peer.shutdown().await;
            let _ = peer.read_to_end(&mut answers).await;
        };
        tokio::join!(drive, said);
    });
}

#[cfg(test)]
mod tests;
