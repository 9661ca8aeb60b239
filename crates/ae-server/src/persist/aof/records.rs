//! The content of a file: requests, and lines that begin with `#`.

use resp::{Args, Limits, RequestParser};
use std::fmt;
use std::io::{self, Read};

/// Bytes read at a time.
const CHUNK: usize = 256 * 1024;
/// How far behind a request that does not end a whole one is looked for.
const SEARCH: u64 = 64 << 20;

/// One thing in a file.
pub enum Record<'a> {
    Request(Args<'a>),
    /// `#TS:`: what follows happened in this second of Unix time.
    Timestamp(i64),
    /// Another line that begins with `#`.
    Annotation,
}

/// Why a file cannot be read on. Everything before that place is whole.
#[derive(Debug)]
pub enum Fault {
    /// The file ends within what begins here.
    Torn {
        at: u64,
    },
    /// There is something else here than can be.
    Corrupt {
        at: u64,
        why: String,
    },
    Read(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Torn { at } => write!(f, "it ends within the request at offset {at}"),
            Fault::Corrupt { at, why } => write!(f, "offset {at}: {why}"),
            Fault::Read(error) => write!(f, "cannot read it: {error}"),
        }
    }
}

/// Reads a file, one record at a time.
pub struct Records<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    at: usize,
    /// Where the buffer begins in the file.
    start: u64,
    /// How many bytes the file has behind the buffer.
    left: u64,
    parser: RequestParser,
}

/// What begins at a place of the buffer.
enum Found {
    Request {
        len: usize,
    },
    Line {
        len: usize,
    },
    /// It is not all there.
    Part,
}

impl<R: Read> Records<R> {
    /// `input` stands at `start` and has `left` bytes, of which the first may have been read already.
    pub fn new(input: R, start: u64, read: Vec<u8>, left: u64) -> Records<R> {
        let left = left - read.len() as u64;
        Records { input, buffer: read, at: 0, start, left, parser: RequestParser::new() }
    }

    /// Where the next record begins: everything before that is whole.
    pub fn offset(&self) -> u64 {
        self.start + self.at as u64
    }

    /// The next record; None at the end of the file.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Fault> {
        // What the last call found has been looked at.
        self.parser.rebase();
        loop {
            match self.find()? {
                Found::Part if self.left == 0 && self.at == self.buffer.len() => return Ok(None),
                Found::Part => self.fill()?,
                Found::Line { len } => {
                    let line = &self.buffer[self.at..self.at + len];
                    self.at += len;
                    return Ok(Some(timestamp(line).map_or(Record::Annotation, Record::Timestamp)));
                }
                Found::Request { len } => {
                    let from = self.at;
                    self.at += len;
                    return Ok(Some(Record::Request(self.parser.args(&self.buffer[from..]))));
                }
            }
        }
    }

    fn find(&mut self) -> Result<Found, Fault> {
        let at = self.offset();
        let corrupt = |why: &str| Err(Fault::Corrupt { at, why: why.into() });
        let bytes = &mut self.buffer[self.at..];
        match bytes.first() {
            None => return Ok(Found::Part),
            Some(b'#') => {
                return match bytes.iter().position(|c| *c == b'\n') {
                    Some(end) => Ok(Found::Line { len: end + 1 }),
                    None if bytes.len() > resp::INLINE_MAX => corrupt("a line that does not end"),
                    None => Ok(Found::Part),
                };
            }
            Some(b'*') => {}
            Some(_) => return corrupt("neither a request nor a line that begins with #"),
        }
        match bytes.get(1) {
            None => return Ok(Found::Part),
            Some(b'1'..=b'9') => {}
            Some(_) => return corrupt("a request without a number of arguments"),
        }
        let limits = Limits { max_bulk: u32::MAX as usize, ..Limits::default() };
        match self.parser.advance(bytes, &limits) {
            Ok(true) => {
                let len = self.parser.parsed();
                if lines_end(&bytes[..len], self.parser.args(bytes)) {
                    return Ok(Found::Request { len });
                }
                corrupt("an argument without a line end behind it")
            }
            Ok(false) => Ok(Found::Part),
            Err(error) => corrupt(&error.to_string()),
        }
    }

    /// Reads on. The file is torn if there is not as much as is missing.
    fn fill(&mut self) -> Result<(), Fault> {
        let there = (self.buffer.len() - self.at) as u64 - (self.parser.parsed() as u64);
        let missing = self.parser.awaited(0).map_or(1, |len| (len as u64 + 2).saturating_sub(there));
        if missing > self.left {
            return Err(self.end_within());
        }
        self.buffer.drain(..self.at);
        self.start += self.at as u64;
        self.at = 0;
        let wanted = self.left.min(missing.max(CHUNK as u64));
        let read = self.input.by_ref().take(wanted).read_to_end(&mut self.buffer).map_err(Fault::Read)?;
        if read == 0 {
            return Err(self.end_within());
        }
        self.left -= read as u64;
        Ok(())
    }

    /// What is wrong if the file ends here: a write was cut short, unless the last line is none that a write begins.
    fn end_within(&self) -> Fault {
        let (at, parsed) = (self.offset(), self.parser.parsed());
        let rest = &self.buffer[self.at..];
        let marker = if parsed == 0 { b'*' } else { b'$' };
        let is_request = rest.first() == Some(&b'*') && self.parser.awaited(0).is_none();
        if is_request && !begins_length(&rest[parsed..], marker) {
            return Fault::Corrupt { at, why: format!("a length was expected at offset {}", at + parsed as u64) };
        }
        Fault::Torn { at }
    }

    /// Tells a file that was torn within a request from one in which a length is wrong: in the latter whole requests
    /// follow. (Or the torn request has one among its arguments. Then nothing is cut off, and the operator decides.)
    pub fn goes_on_behind(mut self) -> io::Result<bool> {
        let wanted = self.left.min(SEARCH);
        self.input.by_ref().take(wanted).read_to_end(&mut self.buffer)?;
        let rest = self.buffer.get(self.at + 1..).unwrap_or_default();
        let starts = rest.windows(3).enumerate().filter(|(_, window)| window.starts_with(b"\n*"));
        let limits = Limits { max_bulk: u32::MAX as usize, ..Limits::default() };
        for (at, _) in starts.filter(|(_, window)| window[2].is_ascii_digit()) {
            let mut request = rest[at + 1..].to_vec();
            // One attempt costs as much as the request that begins there.
            request.truncate(CHUNK);
            let mut parser = RequestParser::new();
            if matches!(parser.advance(&mut request, &limits), Ok(true))
                && lines_end(&request[..parser.parsed()], parser.args(&request))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a line of a marker and a number may begin so.
fn begins_length(line: &[u8], marker: u8) -> bool {
    const DIGITS_MAX: usize = 20;
    let Some((first, rest)) = line.split_first() else { return true };
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    let is_number = match &rest[digits..] {
        [] => true,
        [b'\r'] => digits > 0,
        _ => false,
    };
    *first == marker && is_number && digits <= DIGITS_MAX
}

fn timestamp(line: &[u8]) -> Option<i64> {
    resp::number::parse(line.strip_prefix(b"#TS:")?.trim_ascii_end())
}

/// Whether each line and each argument of a request ends as it has to. (The parser takes any two bytes.)
fn lines_end(request: &[u8], args: Args<'_>) -> bool {
    let ends = |at: usize| request.get(at..at + 2) == Some(b"\r\n");
    let line = |at: usize| {
        let rest = request.get(at..).unwrap_or_default();
        at + rest.iter().position(|c| *c == b'\r').unwrap_or(rest.len())
    };
    let mut at = line(0);
    ends(at)
        && args.iter().all(|arg| {
            let head = line(at + 2);
            at = head + 2 + arg.len();
            ends(head) && ends(at)
        })
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
