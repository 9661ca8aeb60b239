//! The copy of the data as it arrives from the primary.

/// The length of the mark that ends a copy whose length is not told.
pub const MARK_LEN: usize = 40;
/// The longest first line.
const LINE_MAX: usize = 1024;

/// What has arrived of a copy.
#[derive(Default)]
pub struct Transfer {
    /// The first line, as far as it is there.
    line: Vec<u8>,
    form: Option<Form>,
}

enum Form {
    /// So much is still to come.
    Length(u64),
    /// Up to a mark; the last bytes may be its beginning.
    Mark { mark: Vec<u8>, last: Vec<u8> },
}

/// What there is after some bytes.
#[derive(PartialEq, Eq, Debug)]
pub enum Arrived {
    More,
    /// All; so many of the bytes were not needed.
    All {
        rest: usize,
    },
}

impl Transfer {
    /// How long the copy is, if that has been told.
    pub fn len_left(&self) -> Option<u64> {
        match &self.form {
            Some(Form::Length(left)) => Some(*left),
            _ => None,
        }
    }

    /// Some bytes have arrived. Those of the copy go to `keep`.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut keep: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<Arrived, String> {
        while self.form.is_none() {
            let Some(end) = bytes.iter().position(|c| *c == b'\n') else {
                self.line.extend_from_slice(bytes);
                return if self.line.len() > LINE_MAX {
                    Err("its first line does not end".into())
                } else {
                    Ok(Arrived::More)
                };
            };
            self.line.extend_from_slice(&bytes[..end]);
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            // Empty lines only show that the primary is alive.
            if !line.trim_ascii().is_empty() {
                self.form = Some(form(line.trim_ascii_end())?);
            }
        }
        match &mut self.form {
            None => Ok(Arrived::More),
            Some(Form::Length(left)) => {
                let len = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                keep(&bytes[..len])?;
                *left -= len as u64;
                Ok(if *left == 0 { Arrived::All { rest: bytes.len() - len } } else { Arrived::More })
            }
            Some(Form::Mark { mark, last }) => {
                last.extend_from_slice(bytes);
                // Nothing follows the mark until the replica has said that it saw it.
                let is_end = last.ends_with(mark);
                let sure = last.len().saturating_sub(MARK_LEN);
                keep(&last[..sure])?;
                last.drain(..sure);
                Ok(if is_end { Arrived::All { rest: 0 } } else { Arrived::More })
            }
        }
    }
}

fn form(line: &[u8]) -> Result<Form, String> {
    let text = || String::from_utf8_lossy(line).into_owned();
    if let Some(mark) = line.strip_prefix(b"$EOF:") {
        return match mark.len() {
            MARK_LEN => Ok(Form::Mark { mark: mark.to_vec(), last: Vec::new() }),
            _ => Err(format!("a wrong mark: {}", text())),
        };
    }
    match line.strip_prefix(b"$") {
        Some(len) => {
            text()[1..].parse().map(Form::Length).map_err(|_| format!("a wrong length: {}", len.escape_ascii()))
        }
        None if line[0] == b'-' => Err(format!("the primary ended it: {}", text())),
        None => Err(format!("neither a length nor a mark: {}", text())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What arrives in pieces: the copy, and how many bytes came behind it.
    fn received(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, Option<usize>), String> {
        let (mut transfer, mut copy, mut seen) = (Transfer::default(), Vec::new(), 0);
        for part in bytes.chunks(piece) {
            seen += part.len();
            let keep = |bytes: &[u8]| {
                copy.extend_from_slice(bytes);
                Ok(())
            };
            if let Arrived::All { rest } = transfer.push(part, keep)? {
                return Ok((copy, Some(bytes.len() - seen + rest)));
            }
        }
        Ok((copy, None))
    }

    #[test]
    fn copies_with_a_length() {
        for piece in 1..30 {
            assert_eq!(received(b"\n\n$5\r\nhelloPING", piece).unwrap(), (b"hello".to_vec(), Some(4)), "{piece}");
        }
        assert_eq!(received(b"$5\r\nhel", 100).unwrap(), (b"hel".to_vec(), None));
    }

    #[test]
    fn copies_with_a_mark() {
        let mark = "m".repeat(MARK_LEN);
        for content in ["", "x", "a mark: ", &"content ".repeat(20)] {
            let bytes = format!("\n$EOF:{mark}\r\n{content}{mark}");
            for piece in [1, 7, 39, 40, 41, 1000] {
                assert_eq!(
                    received(bytes.as_bytes(), piece).unwrap(),
                    (content.as_bytes().to_vec(), Some(0)),
                    "{piece}"
                );
            }
        }
    }

    #[test]
    fn wrong_beginnings() {
        for (bytes, error) in [
            ("$x\r\n", "a wrong length: x"),
            ("$EOF:short\r\n", "a wrong mark: $EOF:short"),
            ("-ERR no\r\n", "the primary ended it: -ERR no"),
            ("+OK\r\n", "neither a length nor a mark: +OK"),
        ] {
            assert_eq!(received(bytes.as_bytes(), 3).unwrap_err(), error);
        }
        assert!(received(&[b'x'; LINE_MAX], 500).is_ok());
        assert!(received(&[b'x'; LINE_MAX + 1], 500).is_err());
    }
}
