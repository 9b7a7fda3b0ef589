//! Tracks the HTTP/2 frames read from a connection, and the peer's GOAWAY.

/// A frame header: three bytes of length, type, flags, four bytes of stream id.
pub(super) const HEAD: usize = 9;

/// What a client sends before its first frame.
pub(super) const PREFACE: usize = 24;

const GO_AWAY: u8 = 7;

/// The last stream id and the error code, without the debug data that may follow.
const GO_AWAY_FIELDS: usize = 8;

/// The peer takes no new streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GoAway {
    /// The last stream that it processed, or may yet process.
    pub(super) last: u32,
    /// 0 is `NO_ERROR`: it answers what is in flight.
    pub(super) code: u32,
}

/// What some bytes contained.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// The end of a frame.
    pub(super) ended: bool,
    /// The newest GOAWAY.
    pub(super) go_away: Option<GoAway>,
}

/// Follows the bytes of a connection, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The remaining length of a payload, or of the preface.
    left: usize,
    head: [u8; HEAD],
    /// How much of the next header was received.
    have: usize,
    /// The first bytes of a payload that is parsed.
    fields: Option<([u8; GO_AWAY_FIELDS], usize)>,
}

impl Frames {
    /// For what a client sends.
    pub(super) fn after_preface() -> Self {
        Self { left: PREFACE, ..Self::default() }
    }

    /// Advances by `bytes`.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) -> Passed {
        let mut passed = Passed::default();
        while !bytes.is_empty() {
            if self.left == 0 {
                let taken = bytes.len().min(HEAD - self.have);
                self.head[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
                bytes = &bytes[taken..];
                self.have += taken;
                if self.have < HEAD {
                    break;
                }
                let [a, b, c, kind, ..] = self.head;
                (self.left, self.have) = (u32::from_be_bytes([0, a, b, c]) as usize, 0);
                let is_read = kind == GO_AWAY && self.left >= GO_AWAY_FIELDS;
                self.fields = is_read.then_some(([0; GO_AWAY_FIELDS], 0));
            } else {
                let taken = bytes.len().min(self.left);
                passed.go_away = self.read(&bytes[..taken]).or(passed.go_away);
                bytes = &bytes[taken..];
                self.left -= taken;
            }
            passed.ended |= self.left == 0;
        }
        passed
    }

    /// Reads what it needs of a payload's next bytes.
    fn read(&mut self, bytes: &[u8]) -> Option<GoAway> {
        let (fields, have) = self.fields.as_mut()?;
        let taken = bytes.len().min(GO_AWAY_FIELDS - *have);
        fields[*have..*have + taken].copy_from_slice(&bytes[..taken]);
        *have += taken;
        if *have < GO_AWAY_FIELDS {
            return None;
        }
        let [a, b, c, d, e, f, g, h] = *fields;
        self.fields = None;
        // The first bit is reserved.
        Some(GoAway {
            last: u32::from_be_bytes([a, b, c, d]) & (u32::MAX >> 1),
            code: u32::from_be_bytes([e, f, g, h]),
        })
    }

    pub(super) fn is_in_the_middle(&self) -> bool {
        self.left > 0 || self.have > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        bytes.extend_from_slice(&[kind, 0, 0, 0, 0, 1]);
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_go_away_too_short_is_none() {
        assert_eq!(Frames::default().pass(&frame(GO_AWAY, &[0; 7])), Passed { ended: true, go_away: None });
    }

    proptest! {
        #[test]
        fn frames_are_followed_however_they_are_cut(
            list in proptest::collection::vec((0..9_u8, 0..40_usize, any::<u32>(), 0..14_u32), 0..8),
            sizes in proptest::collection::vec(1..30_usize, 1..8),
        ) {
            let mut ends = vec![];
            let mut sent = vec![];
            let mut bytes = vec![];
            for (kind, length, last, code) in list {
                let mut payload = vec![7; length];
                if kind == GO_AWAY {
                    payload.splice(0..0, [last.to_be_bytes(), code.to_be_bytes()].concat());
                    sent.push(GoAway { last: last & 0x7fff_ffff, code });
                }
                bytes.extend(frame(kind, &payload));
                ends.push(bytes.len());
            }
            let (mut frames, mut at, mut came) = (Frames::default(), 0, vec![]);
            for size in sizes.iter().cycle() {
                if at == bytes.len() {
                    break;
                }
                let to = bytes.len().min(at + size);
                let passed = frames.pass(&bytes[at..to]);
                prop_assert_eq!(passed.ended, ends.iter().any(|end| (at + 1..=to).contains(end)));
                prop_assert_eq!(frames.is_in_the_middle(), !ends.contains(&to));
                came.extend(passed.go_away);
                at = to;
            }
            // Of two in one piece, the newest.
            prop_assert!(came.last() == sent.last() && came.iter().all(|one| sent.contains(one)));
        }
    }
}
