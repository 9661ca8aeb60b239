//! The incremental request parser.

use crate::error::ProtocolError;
use crate::{inline, number};
use std::sync::Arc;

/// The longest inline request, and the longest `*` or `$` line, in bytes.
pub const INLINE_MAX: usize = 64 * 1024;

/// What a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most arguments of one request.
    pub max_args: usize,
    /// The longest argument, in bytes.
    pub max_bulk: usize,
    /// Whether the client has yet to authenticate; then the limits are 10 arguments of 16 KiB.
    pub unauthenticated: bool,
}

impl Limits {
    const UNAUTHENTICATED_ARGS: usize = 10;
    const UNAUTHENTICATED_BULK: usize = 16 * 1024;
}

/// Redis's defaults: as many arguments as an `int` counts, `proto-max-bulk-len` of 512 MiB.
impl Default for Limits {
    fn default() -> Self {
        Limits { max_args: i32::MAX as usize, max_bulk: 512 * 1024 * 1024, unauthenticated: false }
    }
}

/// Where an argument is, counted from the start of its request; with `from` of [`SUPPLIED`], which of the supplied ones
/// it is.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: u32,
    to: u32,
}

const SUPPLIED: u32 = u32::MAX;

/// Finds requests in a growing buffer, whatever pieces it arrives in.
///
/// The parser remembers how far it came, so bytes are looked at once no matter how many reads a request takes, and it
/// allocates for arguments that have arrived, never for those that were only announced. One parser may serve many
/// connections as long as none of them is in the middle of a request ([`RequestParser::is_idle`]).
#[derive(Debug, Default)]
pub struct RequestParser {
    /// Arguments of the current request so far.
    spans: Vec<Span>,
    /// Where the current request begins in the buffer.
    start: usize,
    /// The first byte that has not been parsed.
    at: usize,
    /// How many bytes from `at` on are known to hold no line end.
    searched: usize,
    /// How many arguments of a multibulk request are still to come.
    missing: usize,
    /// The length of the next argument once its `$` line has been read.
    bulk: Option<usize>,
    /// The arguments of the current request that are not in the buffer.
    supplied: Vec<Arc<Vec<u8>>>,
    /// The next argument has been supplied; only its line end is still to come.
    line_end_only: bool,
    /// The current request is complete; the next call begins another.
    complete: bool,
}

impl RequestParser {
    /// A parser at the start of a buffer.
    pub fn new() -> RequestParser {
        RequestParser::default()
    }

    /// Goes on to the next request in `buf`: true if it is complete and [`args`](Self::args) holds it, false if more
    /// bytes have to arrive. Empty requests (`*0`, an empty line) are passed over, as in Redis.
    ///
    /// `buf` must be what the last call was given plus bytes at its end, less what [`rebase`](Self::rebase) told the
    /// caller to drop. Escapes in inline requests are resolved in place, which is why it is mutable.
    pub fn advance(&mut self, buf: &mut [u8], limits: &Limits) -> Result<bool, ProtocolError> {
        loop {
            self.leave_complete();
            if self.missing == 0 {
                let begun = match buf.get(self.at) {
                    None => false,
                    Some(b'*') => self.multibulk_header(buf, limits)?,
                    Some(_) => self.inline(buf)?,
                };
                if !begun {
                    return Ok(false);
                }
            }
            self.short_arguments(buf, limits);
            while self.missing > 0 {
                if !self.argument(buf, limits)? {
                    return Ok(false);
                }
            }
            self.complete = true;
            if !self.spans.is_empty() {
                return Ok(true);
            }
        }
    }

    /// The arguments of the request that [`advance`](Self::advance) has just found in `buf`; at least one.
    pub fn args<'a>(&'a self, buf: &'a [u8]) -> Args<'a> {
        Args { request: buf.get(self.start..self.at).unwrap_or_default(), spans: &self.spans, supplied: &self.supplied }
    }

    fn leave_complete(&mut self) {
        if self.complete {
            self.spans.clear();
            self.supplied.clear();
            self.start = self.at;
            self.complete = false;
        }
    }

    /// Whether the request that [`advance`](Self::advance) has just found in `buf` is an inline one.
    pub fn is_inline(&self, buf: &[u8]) -> bool {
        buf.get(self.start) != Some(&b'*')
    }

    /// Bytes at the front of the buffer that no request needs from here on. The caller must drop exactly those before
    /// it calls [`advance`](Self::advance) again.
    pub fn rebase(&mut self) -> usize {
        self.leave_complete();
        let done = self.start;
        self.start = 0;
        self.at -= done;
        done
    }

    /// Whether no part of a request has been parsed. Unparsed bytes may still be in the buffer.
    pub fn is_idle(&self) -> bool {
        self.complete || (self.at == self.start && self.searched == 0)
    }

    /// The length of the argument that the request in progress waits for, if it has at least `least` bytes: a number
    /// that the client merely announced. Such an argument can be gathered elsewhere and [`supply`](Self::supply)'d, so
    /// that it is copied nowhere.
    pub fn awaited(&self, least: usize) -> Option<usize> {
        self.bulk.filter(|len| *len >= least && !self.line_end_only)
    }

    /// How much of the buffer has been parsed. An awaited argument begins there.
    pub fn parsed(&self) -> usize {
        self.at
    }

    /// Takes the awaited argument, without its line end. The caller must take the part of it that is in the buffer out
    /// of there, so that its line end comes next. [`Args::shared`] returns it.
    pub fn supply(&mut self, argument: Arc<Vec<u8>>) {
        debug_assert_eq!(self.awaited(0), Some(argument.len()));
        self.spans.push(Span { from: SUPPLIED, to: self.supplied.len() as u32 });
        self.supplied.push(argument);
        self.bulk = Some(0);
        self.line_end_only = true;
    }

    /// Bytes of the current request's arguments that have been supplied.
    pub fn supplied(&self) -> usize {
        self.supplied.iter().map(|argument| argument.len()).sum()
    }

    /// Bytes of memory that the arguments' positions and the supplied arguments take.
    pub fn memory(&self) -> usize {
        let supplied: usize = self.supplied.iter().map(|argument| argument.capacity()).sum();
        self.spans.capacity() * size_of::<Span>() + supplied
    }

    /// Gives back memory that an unusually long request needed.
    pub fn shrink(&mut self, args: usize) {
        self.spans.shrink_to(args);
    }

    fn multibulk_header(&mut self, buf: &[u8], limits: &Limits) -> Result<bool, ProtocolError> {
        let count = match buf[self.at..] {
            // Most requests have few arguments.
            [b'*', count @ b'1'..=b'9', b'\r', _, ..] => {
                self.at += 4;
                self.searched = 0;
                usize::from(count - b'0')
            }
            _ => match self.length_line(buf, ProtocolError::TooBigMultibulkCount)? {
                // A negative count is an empty request.
                Some(count) => usize::try_from(count.ok_or(ProtocolError::InvalidMultibulkLength)?).unwrap_or(0),
                None => return Ok(false),
            },
        };
        if count > limits.max_args {
            return Err(ProtocolError::InvalidMultibulkLength);
        }
        if limits.unauthenticated && count > Limits::UNAUTHENTICATED_ARGS {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        self.missing = count;
        Ok(true)
    }

    /// Takes arguments for as long as they are short and all there, as most are.
    fn short_arguments(&mut self, buf: &[u8], limits: &Limits) {
        if self.bulk.is_some() {
            return;
        }
        let (mut at, mut missing) = (self.at, self.missing);
        while missing > 0
            && let Some((head, len)) = short_argument(&buf[at..])
            && len <= limits.max_bulk
            && let from = at - self.start + head
            && self.push_span(from, from + len).is_ok()
        {
            at += head + len + 2;
            missing -= 1;
        }
        if missing != self.missing {
            (self.at, self.missing, self.searched) = (at, missing, 0);
        }
    }

    fn argument(&mut self, buf: &[u8], limits: &Limits) -> Result<bool, ProtocolError> {
        let len = match self.bulk {
            Some(len) => len,
            None => {
                let first = buf.get(self.at).copied();
                let Some(len) = self.bulk_header(buf, first, limits)? else {
                    return Ok(false);
                };
                len
            }
        };
        // Like Redis, take any two bytes for the line end behind the argument.
        if buf.len() - self.at < len + 2 {
            self.bulk = Some(len);
            return Ok(false);
        }
        if !std::mem::take(&mut self.line_end_only) {
            let from = self.at - self.start;
            self.push_span(from, from + len)?;
        }
        self.at += len + 2;
        self.bulk = None;
        self.missing -= 1;
        Ok(true)
    }

    fn bulk_header(&mut self, buf: &[u8], first: Option<u8>, limits: &Limits) -> Result<Option<usize>, ProtocolError> {
        let Some(len) = self.length_line(buf, ProtocolError::TooBigBulkCount)? else {
            return Ok(None);
        };
        match first {
            Some(b'$') => {}
            got => return Err(ProtocolError::ExpectedDollar(got.unwrap_or_default())),
        }
        let len = len.and_then(|len| usize::try_from(len).ok()).filter(|len| *len <= limits.max_bulk);
        let len = len.ok_or(ProtocolError::InvalidBulkLength)?;
        if limits.unauthenticated && len > Limits::UNAUTHENTICATED_BULK {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        Ok(Some(len))
    }

    /// Reads a line of one marker byte and a number, and moves behind it. `None`: the line has not ended yet;
    /// `Some(None)`: what it holds is no number.
    fn length_line(&mut self, buf: &[u8], too_long: ProtocolError) -> Result<Option<Option<i64>>, ProtocolError> {
        let rest = &buf[self.at..];
        if let Some((value, len)) = short_length(rest) {
            self.at += len;
            self.searched = 0;
            return Ok(Some(Some(value)));
        }
        let Some(end) = self.find(rest, b'\r', too_long)? else {
            return Ok(None);
        };
        if rest.len() < end + 2 {
            // The search finds this \r again when the \n is there too.
            self.searched = end;
            return Ok(None);
        }
        let value = number::parse(rest.get(1..end).unwrap_or_default());
        self.at += end + 2;
        self.searched = 0;
        Ok(Some(value))
    }

    fn inline(&mut self, buf: &mut [u8]) -> Result<bool, ProtocolError> {
        let Some(end) = self.find(&buf[self.at..], b'\n', ProtocolError::TooBigInline)? else {
            return Ok(false);
        };
        // A `\r` before the end is a space like any other.
        let end = self.at + end;
        let start = self.start;
        let spans = &mut self.spans;
        inline::split(buf, self.at, end, |from, to| {
            // A line is at most 64 KiB long.
            spans.push(Span { from: (from - start) as u32, to: (to - start) as u32 });
        })?;
        self.at = end + 1;
        self.searched = 0;
        Ok(true)
    }

    /// The position of `wanted` in `rest`. A line above the limit is an error even if its end is there, so that the
    /// outcome does not depend on how the bytes arrived.
    fn find(&mut self, rest: &[u8], wanted: u8, too_long: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let window = &rest[..rest.len().min(INLINE_MAX + 1)];
        let from = self.searched.min(window.len());
        match window[from..].iter().position(|&c| c == wanted) {
            Some(found) => Ok(Some(from + found)),
            None if window.len() > INLINE_MAX => Err(too_long),
            None => {
                self.searched = window.len();
                Ok(None)
            }
        }
    }

    fn push_span(&mut self, from: usize, to: usize) -> Result<(), ProtocolError> {
        let to = u32::try_from(to).ok().filter(|to| *to < SUPPLIED).ok_or(ProtocolError::TooBigRequest)?;
        self.spans.push(Span { from: from as u32, to });
        Ok(())
    }
}

/// For [`RequestParser::short_arguments`]: an argument of less than a hundred bytes, if all of it is there with its
/// line end. How long its `$` line is, and the argument.
fn short_argument(rest: &[u8]) -> Option<(usize, usize)> {
    let (head, len) = match *rest {
        [b'$', ones @ b'0'..=b'9', b'\r', _, ..] => (4, usize::from(ones - b'0')),
        [b'$', tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'\r', _, ..] => {
            (5, 10 * usize::from(tens - b'0') + usize::from(ones - b'0'))
        }
        _ => return None,
    };
    (rest.len() >= head + len + 2).then_some((head, len))
}

/// The hot path of [`RequestParser::length_line`]: up to nine digits, all there. Whatever is odd about the line is
/// left to the slow path.
fn short_length(rest: &[u8]) -> Option<(i64, usize)> {
    const DIGITS_MAX: usize = 9;
    let number = rest.get(1..)?;
    let mut value = 0;
    for (digits, &c) in number.iter().enumerate() {
        let digit = c.wrapping_sub(b'0');
        if digit <= 9 && digits < DIGITS_MAX {
            value = value * 10 + i64::from(digit);
            continue;
        }
        let leading_zero = digits > 1 && number[0] == b'0';
        let ends = c == b'\r' && digits > 0 && !leading_zero && number.len() > digits + 1;
        return ends.then_some((value, digits + 3));
    }
    None
}

/// The arguments of one request, as slices of the buffer they arrived in. Index 0 is the command's name.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    request: &'a [u8],
    spans: &'a [Span],
    supplied: &'a [Arc<Vec<u8>>],
}

impl<'a> Args<'a> {
    /// How many there are, with the command's name.
    #[allow(clippy::len_without_is_empty)] // a request has at least its name
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The argument at `index`, which lives as long as the buffer and not only as long as `self`.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| self.slice(span))
    }

    /// The argument at `index` as it was [supplied](RequestParser::supply), to be kept without copying it; None for one
    /// that arrived in the buffer.
    pub fn shared(&self, index: usize) -> Option<&'a Arc<Vec<u8>>> {
        self.spans.get(index).filter(|span| span.from == SUPPLIED).map(|span| &self.supplied[span.to as usize])
    }

    fn slice(self, span: &Span) -> &'a [u8] {
        match span.from {
            SUPPLIED => &self.supplied[span.to as usize],
            from => &self.request[from as usize..span.to as usize],
        }
    }

    /// The arguments from `first` on.
    pub fn from(&self, first: usize) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        let args = *self;
        self.spans.get(first..).unwrap_or_default().iter().map(move |span| args.slice(span))
    }

    /// All arguments.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + Clone + use<'a> {
        self.from(0)
    }
}

impl Args<'_> {
    /// A copy that needs no buffer. What was [supplied](RequestParser::supply) is shared, not copied.
    pub fn to_owned(&self) -> OwnedArgs {
        OwnedArgs { request: self.request.into(), spans: self.spans.into(), supplied: self.supplied.into() }
    }
}

/// The arguments of a request that has to wait.
#[derive(Clone, Debug)]
pub struct OwnedArgs {
    request: Box<[u8]>,
    spans: Box<[Span]>,
    supplied: Box<[Arc<Vec<u8>>]>,
}

impl OwnedArgs {
    /// The arguments of a request that nobody sent. All together they must not reach 4 GiB.
    pub fn new<A: AsRef<[u8]>>(args: &[A]) -> OwnedArgs {
        let mut made = ArgsBuffer {
            request: Vec::with_capacity(args.iter().map(|arg| arg.as_ref().len()).sum()),
            spans: Vec::with_capacity(args.len()),
        };
        args.iter().for_each(|arg| made.push(|request| request.extend_from_slice(arg.as_ref())));
        OwnedArgs { request: made.request.into(), spans: made.spans.into(), supplied: Box::default() }
    }

    /// The arguments as slices.
    pub fn as_args(&self) -> Args<'_> {
        Args { request: &self.request, spans: &self.spans, supplied: &self.supplied }
    }

    /// Bytes of memory that they take.
    pub fn memory(&self) -> usize {
        let supplied: usize = self.supplied.iter().map(|argument| argument.capacity()).sum();
        self.request.len() + size_of_val(&*self.spans) + supplied
    }
}

/// Arguments of requests that nobody sent, one request after the other in the same memory.
#[derive(Debug, Default)]
pub struct ArgsBuffer {
    request: Vec<u8>,
    spans: Vec<Span>,
}

impl ArgsBuffer {
    /// Adds an argument: what `write` appends. All together they must not reach 4 GiB.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.request.len() as u32;
        write(&mut self.request);
        self.spans.push(Span { from, to: self.request.len() as u32 });
    }

    /// Forgets the arguments, and keeps the memory.
    pub fn clear(&mut self) {
        self.request.clear();
        self.spans.clear();
    }

    /// The arguments as slices.
    pub fn as_args(&self) -> Args<'_> {
        Args { request: &self.request, spans: &self.spans, supplied: &[] }
    }

    /// Bytes of memory that it has.
    pub fn memory(&self) -> usize {
        self.request.capacity() + self.spans.capacity() * size_of::<Span>()
    }
}

/// The argument at `index`, which must be below [`len`](Args::len).
impl std::ops::Index<usize> for Args<'_> {
    type Output = [u8];

    fn index(&self, index: usize) -> &[u8] {
        self.slice(&self.spans[index])
    }
}

#[cfg(test)]
#[path = "parser_tests.rs"]
pub(super) mod tests;
