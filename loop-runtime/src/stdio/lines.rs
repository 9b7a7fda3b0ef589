//! Cuts a stream of bytes into lines, within bounded memory.

/// The longest line that is kept together, as go-plugin has it.
pub(crate) const LINE_MAX: usize = 64 * 1024;

/// What [`Lines`] cuts off, without the line's end (LF or CRLF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A whole line.
    Line(&'a [u8]),
    /// Some of a line that is longer than the bound, or its rest.
    Part(&'a [u8]),
}

/// Cuts a stream of bytes into lines. A line longer than the bound comes in parts of exactly the bound, and a rest.
#[derive(Debug)]
pub(crate) struct Lines {
    held: Vec<u8>,
    max: usize,
    in_parts: bool,
}

impl Lines {
    pub(crate) fn new(max: usize) -> Self {
        Self { held: Vec::new(), max: max.max(1), in_parts: false }
    }

    /// Takes the next bytes and hands out what is complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut out: impl FnMut(Piece<'_>)) {
        while !bytes.is_empty() {
            let window = &bytes[..bytes.len().min(self.max - self.held.len())];
            let end = window.iter().position(|&byte| byte == b'\n');
            self.held.extend_from_slice(&window[..end.unwrap_or(window.len())]);
            bytes = &bytes[end.map_or(window.len(), |end| end + 1)..];
            if end.is_some() {
                self.end_line(&mut out);
            } else if self.held.len() == self.max {
                out(Piece::Part(&self.held));
                self.held.clear();
                self.in_parts = true;
            }
        }
    }

    /// The stream has ended: hands out what came after the last line's end.
    pub(crate) fn finish(&mut self, mut out: impl FnMut(Piece<'_>)) {
        if !self.held.is_empty() {
            self.end_line(&mut out);
        }
    }

    fn end_line(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let line = self.held.strip_suffix(b"\r").unwrap_or(&self.held);
        if !self.in_parts {
            out(Piece::Line(line));
        } else if !line.is_empty() {
            out(Piece::Part(line));
        }
        self.held.clear();
        self.in_parts = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(max: usize, chunks: &[&[u8]]) -> Vec<(bool, Vec<u8>)> {
        let mut lines = Lines::new(max);
        let mut all = Vec::new();
        let mut take = |piece: Piece<'_>| match piece {
            Piece::Line(line) => all.push((true, line.to_vec())),
            Piece::Part(part) => all.push((false, part.to_vec())),
        };
        chunks.iter().for_each(|chunk| lines.feed(chunk, &mut take));
        lines.finish(take);
        all
    }

    fn line(text: &str) -> (bool, Vec<u8>) {
        (true, text.into())
    }

    fn part(text: &str) -> (bool, Vec<u8>) {
        (false, text.into())
    }

    #[test]
    fn ends_lines_at_lf_and_crlf_and_the_end() {
        assert_eq!(cut(9, &[b"a\r\n\nb", b"c\nrest"]), [line("a"), line(""), line("bc"), line("rest")]);
        assert_eq!(cut(9, &[b"a\r", b"\nb\r\r\n"]), [line("a"), line("b\r")]);
    }

    #[test]
    fn cuts_long_lines_at_the_bound() {
        assert_eq!(cut(4, &[b"abcdefghij\nkl\n"]), [part("abcd"), part("efgh"), part("ij"), line("kl")]);
        assert_eq!(cut(4, &[b"abcd\nabc\n"]), [part("abcd"), line("abc")]);
        assert_eq!(cut(4, &[b"abcde"]), [part("abcd"), part("e")]);
    }

    proptest! {
        #[test]
        fn does_not_depend_on_how_the_bytes_arrive(bytes in prop::collection::vec(prop::sample::select(b"ab\r\n\xff".to_vec()), 0..60),
                                                   size in 1..9_usize, max in 1..9_usize) {
            let whole = cut(max, &[&bytes]);
            let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(&whole, &cut(max, &chunks));
            prop_assert!(whole.iter().all(|(_, text)| text.len() <= max));
        }
    }
}
