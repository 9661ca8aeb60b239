//! Takes a snapshot out of the stream: of a length that is told before, or up to a mark that is.

use crate::net::{Link, LinkError};
use crate::output::{Stop, fail};

/// How the end of a snapshot is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Size {
    /// It has so many bytes.
    Bytes(u64),
    /// These bytes follow it.
    Mark(Vec<u8>),
}

const MARK: usize = 40;
/// The longest line before it.
const LINE_MAX: usize = 4096;

/// A snapshot that is arriving.
pub struct Snapshot {
    /// How its end is known.
    pub size: Size,
    /// How many bytes have been handed out.
    pub taken: u64,
    /// The last bytes, which may be part of the mark.
    held: Vec<u8>,
}

impl Snapshot {
    /// Sends SYNC and reads what is said before the snapshot.
    pub fn request(link: &mut Link) -> Result<Snapshot, Stop> {
        link.queue_bytes(b"SYNC\r\n");
        let mut line = Vec::new();
        loop {
            match link.bytes() {
                Ok(bytes) => line.extend_from_slice(&bytes),
                // There is nothing to say.
                Err(LinkError::Interrupted) => return Err(Stop(1)),
                Err(_) => return fail("Error reading bulk length while SYNCing"),
            }
            // Line ends before it say that the server is alive.
            let blank = line.iter().take_while(|byte| b"\r\n".contains(byte)).count();
            line.drain(..blank);
            if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                link.unread(&line[end + 1..]);
                line.truncate(end);
                break;
            }
            if line.len() > LINE_MAX {
                return fail("Error reading bulk length while SYNCing");
            }
        }
        let line = line.trim_ascii_end();
        if line.starts_with(b"-") {
            return fail([b"SYNC with master failed: ", line].concat());
        }
        let size = match line.strip_prefix(b"$EOF:") {
            Some(mark) if mark.len() >= MARK => Size::Mark(mark[..MARK].into()),
            _ => match line.strip_prefix(b"$").and_then(resp::number::parse) {
                Some(len) if len >= 0 => Size::Bytes(len as u64),
                _ => return fail([b"SYNC with master failed: ", line].concat()),
            },
        };
        Ok(Snapshot { size, taken: 0, held: Vec::new() })
    }

    /// The next bytes; none at the end. What comes behind stays in the link.
    pub fn next(&mut self, link: &mut Link) -> Result<Option<Vec<u8>>, LinkError> {
        loop {
            if let Size::Bytes(len) = self.size
                && self.taken == len
            {
                return Ok(None);
            }
            let mut bytes = link.bytes()?;
            match &self.size {
                Size::Bytes(len) => {
                    let left = usize::try_from(len - self.taken).unwrap_or(usize::MAX);
                    if bytes.len() > left {
                        link.unread(&bytes[left..]);
                        bytes.truncate(left);
                    }
                }
                Size::Mark(mark) => {
                    self.held.append(&mut bytes);
                    if let Some(end) = find(&self.held, mark) {
                        link.unread(&self.held[end + mark.len()..]);
                        self.held.truncate(end);
                        bytes = std::mem::take(&mut self.held);
                        self.size = Size::Bytes(self.taken + bytes.len() as u64);
                    } else {
                        let keep = self.held.len().min(mark.len() - 1);
                        bytes = self.held.drain(..self.held.len() - keep).collect();
                    }
                }
            }
            self.taken += bytes.len() as u64;
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
