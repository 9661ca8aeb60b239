//! The incremental parser of replies.

use crate::number;
use crate::reply::Reply;
use std::fmt;

/// The most replies that may be nested in each other.
pub const NESTED_MAX: usize = 512;

/// The longest bulk string, in bytes.
pub const BULK_MAX: usize = 512 * 1024 * 1024;

/// The most elements of an array, set or message, or pairs of a map: as many as Redis's own client takes.
pub const ELEMENTS_MAX: usize = u32::MAX as usize;

/// The longest line, in bytes.
pub const LINE_MAX: usize = 64 * 1024 * 1024;

/// Why bytes are no reply. After it nothing more of the connection can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// No type of reply begins with this byte.
    UnknownType(u8),
    /// A line end in what should be one line.
    Line,
    /// What should be an integer is none.
    Integer,
    /// What should be a number is none.
    Double,
    /// A truth value that is neither `t` nor `f`.
    Boolean,
    /// A null with something in it.
    Nil,
    /// An integer of any size that has something else than digits.
    BigNumber,
    /// The length of a string is no number.
    BulkLength,
    /// A string cannot have this length, or is longer than [`BULK_MAX`].
    BulkRange,
    /// The length of an array, map, set or message is no number.
    Length,
    /// It cannot have this length, or has more than [`ELEMENTS_MAX`] elements.
    Range,
    /// Text without its format.
    Verbatim,
    /// More than [`NESTED_MAX`] replies in each other.
    TooDeep,
    /// A line longer than [`LINE_MAX`].
    TooLong,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ReplyError::UnknownType(byte) => {
                let mut quoted = Vec::new();
                crate::words::quote(&mut quoted, &[*byte]);
                return write!(f, "Protocol error, got {} as reply type byte", String::from_utf8_lossy(&quoted));
            }
            ReplyError::Line => "Bad simple string value",
            ReplyError::Integer => "Bad integer value",
            ReplyError::Double => "Bad double value",
            ReplyError::Boolean => "Bad bool value",
            ReplyError::Nil => "Bad nil value",
            ReplyError::BigNumber => "Bad bignum value",
            ReplyError::BulkLength => "Bad bulk string length",
            ReplyError::BulkRange => "Bulk string length out of range",
            ReplyError::Length => "Bad multi-bulk length",
            ReplyError::Range => "Multi-bulk length out of range",
            ReplyError::Verbatim => "Verbatim string 4 bytes of content type are missing or incorrectly encoded.",
            ReplyError::TooDeep => "Protocol error, replies are nested too deeply",
            ReplyError::TooLong => "Protocol error, a line is too long",
        })
    }
}

impl std::error::Error for ReplyError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array,
    Map,
    Set,
    Push,
    /// What is said about the reply behind it, and dropped.
    Attribute,
}

/// An aggregate of which elements are missing.
#[derive(Debug)]
struct Frame {
    kind: Kind,
    missing: usize,
    found: Vec<Reply>,
}

/// Finds replies in bytes as they arrive. It keeps what it has parsed of a reply, so that no byte of it has to stay in
/// the buffer, and allocates for elements that have arrived, never for those that were only announced.
#[derive(Debug, Default)]
pub struct ReplyParser {
    stack: Vec<Frame>,
    /// How many of the first bytes are known to hold no line end.
    searched: usize,
}

impl ReplyParser {
    /// A parser at the start of a stream.
    pub fn new() -> ReplyParser {
        ReplyParser::default()
    }

    /// Whether no part of a reply has been parsed.
    pub fn is_idle(&self) -> bool {
        self.stack.is_empty()
    }

    /// Goes on in `buf`, which begins where the last call stopped: how many bytes were used up, and the reply if it is
    /// complete.
    pub fn advance(&mut self, buf: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut at = 0;
        loop {
            let Some((len, item)) = self.item(&buf[at..])? else { return Ok((at, None)) };
            at += len;
            let reply = match item {
                Item::Reply(reply) => reply,
                Item::Begin(kind, missing) => {
                    if self.stack.len() == NESTED_MAX {
                        return Err(ReplyError::TooDeep);
                    }
                    self.stack.push(Frame { kind, missing, found: Vec::new() });
                    if missing > 0 {
                        continue;
                    }
                    match self.close() {
                        Some(reply) => reply,
                        None => continue,
                    }
                }
            };
            if let Some(reply) = self.put(reply) {
                return Ok((at, Some(reply)));
            }
        }
    }

    /// Puts an element where it belongs; the reply that becomes complete by it at the outside.
    fn put(&mut self, reply: Reply) -> Option<Reply> {
        let mut reply = reply;
        loop {
            let Some(frame) = self.stack.last_mut() else { return Some(reply) };
            frame.found.push(reply);
            frame.missing -= 1;
            if frame.missing > 0 {
                return None;
            }
            reply = self.close()?;
        }
    }

    /// Takes the innermost aggregate, of which nothing is missing; none if it is dropped.
    fn close(&mut self) -> Option<Reply> {
        let frame = self.stack.pop()?;
        match frame.kind {
            Kind::Array => Some(Reply::Array(frame.found)),
            Kind::Set => Some(Reply::Set(frame.found)),
            Kind::Push => Some(Reply::Push(frame.found)),
            Kind::Attribute => None,
            Kind::Map => {
                let mut found = frame.found.into_iter();
                let mut pairs = Vec::with_capacity(found.len() / 2);
                while let (Some(key), Some(value)) = (found.next(), found.next()) {
                    pairs.push((key, value));
                }
                Some(Reply::Map(pairs))
            }
        }
    }

    /// The next item and its length; none if more bytes have to arrive.
    fn item(&mut self, buf: &[u8]) -> Result<Option<(usize, Item)>, ReplyError> {
        let Some(&first) = buf.first() else { return Ok(None) };
        if !b"+-:$_,#(=*%~>|".contains(&first) {
            return Err(ReplyError::UnknownType(first));
        }
        let Some(end) = self.line_end(buf)? else { return Ok(None) };
        let line = &buf[1..end];
        let next = end + 2;
        let item = match first {
            b'+' | b'-' if line.iter().any(|byte| b"\r\n".contains(byte)) => return Err(ReplyError::Line),
            b'+' => Reply::Status(line.into()),
            b'-' => Reply::Error(line.into()),
            b':' => Reply::Integer(number::parse(line).ok_or(ReplyError::Integer)?),
            b'_' if line.is_empty() => Reply::Nil,
            b'_' => return Err(ReplyError::Nil),
            b',' => Reply::Double(double(line)?),
            b'(' => Reply::BigNumber(big_number(line)?),
            b'#' => match line {
                b"t" | b"T" => Reply::Boolean(true),
                b"f" | b"F" => Reply::Boolean(false),
                _ => return Err(ReplyError::Boolean),
            },
            b'$' | b'=' => {
                let Some(len) = length(line, [ReplyError::BulkLength, ReplyError::BulkRange])? else {
                    self.searched = 0;
                    return Ok(Some((next, Item::Reply(Reply::Nil))));
                };
                if len > BULK_MAX {
                    return Err(ReplyError::BulkRange);
                }
                let Some(content) = buf.get(next..next + len).filter(|_| buf.len() >= next + len + 2) else {
                    self.searched = end;
                    return Ok(None);
                };
                self.searched = 0;
                let reply = if first == b'$' { Reply::Bulk(content.into()) } else { verbatim(content)? };
                return Ok(Some((next + len + 2, Item::Reply(reply))));
            }
            aggregate => {
                self.searched = 0;
                let Some(len) = length(line, [ReplyError::Length, ReplyError::Range])? else {
                    return Ok(Some((next, Item::Reply(Reply::Nil))));
                };
                if len > ELEMENTS_MAX {
                    return Err(ReplyError::Range);
                }
                let (kind, each) = match aggregate {
                    b'%' => (Kind::Map, 2),
                    b'|' => (Kind::Attribute, 2),
                    b'~' => (Kind::Set, 1),
                    b'>' => (Kind::Push, 1),
                    _ => (Kind::Array, 1),
                };
                // Too many only where a size has 32 bits.
                let missing = len.checked_mul(each).ok_or(ReplyError::Range)?;
                return Ok(Some((next, Item::Begin(kind, missing))));
            }
        };
        self.searched = 0;
        Ok(Some((next, Item::Reply(item))))
    }

    fn line_end(&mut self, buf: &[u8]) -> Result<Option<usize>, ReplyError> {
        let from = self.searched.min(buf.len());
        match buf[from..].windows(2).position(|two| two == b"\r\n") {
            Some(found) => Ok(Some(from + found)),
            None if buf.len() > LINE_MAX => Err(ReplyError::TooLong),
            None => {
                // A \r at the end may be the first half.
                self.searched = buf.len().saturating_sub(1);
                Ok(None)
            }
        }
    }
}

enum Item {
    Reply(Reply),
    Begin(Kind, usize),
}

/// A length; none for -1, which stands for nothing.
fn length(line: &[u8], [no_number, range]: [ReplyError; 2]) -> Result<Option<usize>, ReplyError> {
    match number::parse(line) {
        Some(-1) => Ok(None),
        Some(len) => usize::try_from(len).map(Some).map_err(|_| range),
        None => Err(no_number),
    }
}

/// A number, or `inf` or `-inf`: nothing else is infinite, and nothing is no number.
fn double(line: &[u8]) -> Result<Vec<u8>, ReplyError> {
    let text = std::str::from_utf8(line).map_err(|_| ReplyError::Double)?;
    let infinite = ["inf", "-inf"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if !infinite && !text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(ReplyError::Double);
    }
    Ok(line.into())
}

fn big_number(line: &[u8]) -> Result<Vec<u8>, ReplyError> {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ReplyError::BigNumber);
    }
    Ok(line.into())
}

/// Without the format and its colon.
fn verbatim(content: &[u8]) -> Result<Reply, ReplyError> {
    match content.get(3) {
        Some(b':') => Ok(Reply::Verbatim(content[4..].into())),
        _ => Err(ReplyError::Verbatim),
    }
}

#[cfg(test)]
#[path = "reply_parser_tests.rs"]
mod tests;
