//! Bytes of a log cut into lines, in bounded memory.

/// How much of a line is kept, in bytes. Container runtimes cut at 16 KiB themselves; what is longer comes in parts that
/// the node puts together again.
pub(super) const LONGEST: usize = 16 << 10;

/// A line that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    line: Vec<u8>,
    /// Bytes beyond the longest.
    lost: usize,
}

impl Cutter {
    /// Takes bytes and gives each line that they complete, without its end.
    pub(super) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.keep(&rest[..end]);
            self.give(&mut each);
            rest = &rest[end + 1..];
        }
        self.keep(rest);
    }

    /// Gives what has come of a last line without an end.
    pub(super) fn end(&mut self, mut each: impl FnMut(&str)) {
        if !self.line.is_empty() {
            self.give(&mut each);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(LONGEST - self.line.len());
        self.line.extend_from_slice(&bytes[..kept]);
        self.lost += bytes.len() - kept;
    }

    fn give(&mut self, each: &mut impl FnMut(&str)) {
        while self.lost == 0 && self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let text = String::from_utf8_lossy(&self.line);
        match self.lost {
            0 => each(&text),
            lost => each(&format!("{text}… ({lost} more bytes)")),
        }
        self.line.clear();
        self.lost = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let (mut cutter, mut lines) = (Cutter::default(), Vec::new());
        for chunk in chunks {
            cutter.push(chunk, |line| lines.push(line.to_owned()));
        }
        cutter.end(|line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_put_together() {
        let cases: [(&[&[u8]], &[&str]); 6] = [
            (&[b"a\nb\n"], &["a", "b"]),
            (&[b"a", b"b\nc", b"\n\n"], &["ab", "c", ""]),
            (&[b"a\r\nb\r\r\n"], &["a", "b"]),
            (&[b"no end"], &["no end"]),
            (&["größe\n".as_bytes(), b"\xff\xfe\n"], &["größe", "\u{fffd}\u{fffd}"]),
            (&[], &[]),
        ];
        for (chunks, want) in cases {
            assert_eq!(cut(chunks), want, "{chunks:?}");
        }
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let megabyte = vec![b'x'; 1 << 20];
        let (mut cutter, mut lines) = (Cutter::default(), Vec::new());
        for _ in 0..10 {
            cutter.push(&megabyte, |line| lines.push(line.to_owned()));
            assert!(cutter.line.capacity() <= 2 * LONGEST);
        }
        cutter.push(b"\nnext\n", |line| lines.push(line.to_owned()));
        assert_eq!(lines.len(), 2);
        let more = (10 << 20) - LONGEST;
        assert!(lines[0].ends_with(&format!("xxx… ({more} more bytes)")), "{}", &lines[0][LONGEST - 9..]);
        assert_eq!(lines[1], "next");
    }
}
