//! Messages out of a body's data, which come in pieces of any size.

use bytes::{Bytes, BytesMut};
use tonic::Status;

use super::frame::PREFIX;

/// The most that is reserved because of a prefix; beyond it, memory grows with what arrives.
const RESERVE_UP_TO: usize = 4 << 20;

/// Takes one message after the other out of the data of a body.
#[derive(Debug)]
pub(super) struct Assembly {
    limit: usize,
    prefix: [u8; PREFIX],
    /// How much of the prefix was received.
    seen: usize,
    len: usize,
    /// What came of a message before its last piece.
    pieces: BytesMut,
}

impl Assembly {
    /// For messages of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, prefix: [0; PREFIX], seen: 0, len: 0, pieces: BytesMut::new() }
    }

    /// Takes the next message, or the next part of one, out of `data`; `None` once `data` is empty and the message is not whole.
    /// A message that comes in one piece is not copied.
    ///
    /// # Errors
    ///
    /// The prefix violates gRPC or the limit; nothing more can be read then.
    pub(super) fn next(&mut self, data: &mut Bytes) -> Result<Option<Bytes>, Status> {
        if self.seen < PREFIX {
            let part = data.split_to(data.len().min(PREFIX - self.seen));
            self.prefix[self.seen..self.seen + part.len()].copy_from_slice(&part);
            self.seen += part.len();
            if self.seen < PREFIX {
                return Ok(None);
            }
            self.len = self.check_prefix()?;
        }
        let missing = self.len - self.pieces.len();
        let message = match data.len() >= missing {
            true if self.pieces.is_empty() => data.split_to(missing),
            true => {
                self.pieces.extend_from_slice(&data.split_to(missing));
                std::mem::take(&mut self.pieces).freeze()
            }
            false => {
                if self.pieces.is_empty() {
                    self.pieces.reserve(self.len.min(RESERVE_UP_TO));
                }
                self.pieces.extend_from_slice(&std::mem::take(data));
                return Ok(None);
            }
        };
        self.seen = 0;
        Ok(Some(message))
    }

    /// Whether a message has begun and is not whole.
    pub(super) fn is_in_the_middle(&self) -> bool {
        self.seen > 0
    }

    fn check_prefix(&self) -> Result<usize, Status> {
        let [flag, len @ ..] = self.prefix;
        match flag {
            0 => {}
            // A server refuses an encoding that it does not know before this, so there was none; a client offered none.
            1 => return Err(Status::internal("compressed flag set, and no grpc-encoding was agreed upon")),
            _ => return Err(Status::internal(format!("{flag} is not a compression flag"))),
        }
        let len = u32::from_be_bytes(len) as usize;
        if len > self.limit {
            // grpc-go's words, which its users search for
            return Err(Status::resource_exhausted(format!(
                "grpc: received message larger than max ({len} vs. {})",
                self.limit
            )));
        }
        Ok(len)
    }
}

/// The status for a body that ended where [`Assembly::is_in_the_middle`].
pub(super) fn cut_off() -> Status {
    Status::internal("the body of the call ended inside a message")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn messages_come_whole_however_they_are_cut(
            list in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8),
            sizes in proptest::collection::vec(1..30_usize, 1..8),
            cut in 0..5_usize,
        ) {
            let mut bytes: Vec<u8> = Vec::new();
            for message in &list {
                bytes.push(0);
                bytes.extend_from_slice(&(message.len() as u32).to_be_bytes());
                bytes.extend_from_slice(message);
            }
            // A last one that breaks off inside its prefix.
            bytes.extend_from_slice(&[0; PREFIX][..cut]);
            let (mut assembly, mut came, mut at) = (Assembly::new(40), Vec::new(), 0);
            for size in sizes.iter().cycle() {
                if at == bytes.len() {
                    break;
                }
                let to = bytes.len().min(at + size);
                let mut data = Bytes::copy_from_slice(&bytes[at..to]);
                while !data.is_empty() {
                    came.extend(assembly.next(&mut data).unwrap().map(|message| message.to_vec()));
                }
                at = to;
            }
            prop_assert_eq!(came, list);
            prop_assert_eq!(assembly.is_in_the_middle(), cut > 0);
        }
    }
}
