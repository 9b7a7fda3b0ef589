//! The host's end of `plugin.GRPCStdio`: what a plugin prints after its handshake line.

use super::hclog::{Record, Stream};
use crate::proto::plugin::grpc_stdio_client::GrpcStdioClient;
use crate::proto::plugin::stdio_data::Channel;
use crate::transport::Connection;

/// The longest line that is kept whole, in bytes; longer ones are logged in pieces.
const LINE: usize = 64 * 1024;

/// Logs what the plugin prints, a line an event at info level, until the stream ends. A plugin without the service
/// prints to nobody.
///
/// Run it as a task of its own: a Go plugin sends nothing, not even headers, before its first byte.
pub(crate) async fn follow_stdio(connection: Connection, plugin: String) {
    let Ok(stream) = GrpcStdioClient::new(connection).stream_stdio(()).await else { return };
    let mut stream = stream.into_inner();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let log = |on, line: &str| Record::printed(on, line).emit(&plugin);
    while let Ok(Some(chunk)) = stream.message().await {
        match chunk.channel() {
            Channel::Stdout => lines(&mut out, &chunk.data, |line| log(Stream::Stdout, line)),
            Channel::Stderr => lines(&mut err, &chunk.data, |line| log(Stream::Stderr, line)),
            Channel::Invalid => tracing::warn!(plugin, "output on a channel that is neither stdout nor stderr"),
        }
    }
}

/// Adds `data` to what is kept of the last line, and gives every line that is whole.
fn lines(kept: &mut Vec<u8>, data: &[u8], mut give: impl FnMut(&str)) {
    for piece in data.split_inclusive(|byte| *byte == b'\n') {
        kept.extend_from_slice(piece);
        if piece.ends_with(b"\n") || kept.len() >= LINE {
            give(String::from_utf8_lossy(kept).trim_end_matches(['\n', '\r']));
            kept.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_chunks() {
        let (mut kept, mut seen) = (Vec::new(), Vec::new());
        for chunk in ["he", "llo\r\nwor", "ld\n\nrest"] {
            lines(&mut kept, chunk.as_bytes(), |line| seen.push(line.to_owned()));
        }
        assert_eq!(seen, ["hello", "world", ""]);
        assert_eq!(kept, b"rest");
    }

    #[test]
    fn an_endless_line_does_not_grow_for_ever() {
        let (mut kept, mut pieces) = (Vec::new(), 0);
        for _ in 0..100 {
            lines(&mut kept, &[b'x'; 4096], |_| pieces += 1);
            assert!(kept.len() < LINE);
        }
        assert!(pieces >= 6);
    }
}
