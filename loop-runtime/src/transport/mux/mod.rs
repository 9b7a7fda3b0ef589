//! Many streams over one socket: yamux, as go-plugin uses it when a host asks for a multiplexed broker.
//!
//! The host is yamux's client and opens the main connection as its first stream; either side opens further ones for
//! what is lent. Each stream carries what a socket of its own would: TLS if the plugin's connections are secured, then
//! HTTP/2. What a stream is for is not known here: yamux has no names, so the broker tracks that.
//!
//! The framing is that of the crate `yamux`, with three adjustments for go-plugin:
//!
//! * Windows stay at 256 KiB. The crate would grow those of fast streams, and Go, whose only frame limit is the
//!   window, may then send a frame that is longer than the crate accepts, which ends the session.
//! * Opening a stream is announced at once, by an empty frame (SYN), and so is accepting one (ACK); the crate defers
//!   both to the first data. Go counts streams by the SYN, and ends a session that owes it an ACK for 75 s.
//! * An idle session is pinged every 30 s, and ends 10 s after a ping without a reply, as in Go.

mod session;
mod stream;
mod tap;

pub(crate) use session::MuxSession;
pub(crate) use stream::MuxStream;

/// Runs a session whose peer sends `bytes` and then nothing. Streams that it opens are accepted, read and answered.
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
            // The read half stays open: its end would break off what is written to it.
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
