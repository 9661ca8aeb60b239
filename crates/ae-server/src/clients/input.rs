//! What has arrived of a request that is not complete.

use resp::RequestParser;
use std::io;
use std::sync::Arc;

/// From this length on an argument that has not arrived at once is read to where it stays.
const LARGE_MIN: usize = 32 * 1024;
/// How much of it is read at a time, so that others get their turn.
const READ_MAX: usize = 1024 * 1024;
/// Up to this length it gets all of its memory at once. The system hands it out page by page as it fills, so that
/// announcing a length costs nothing; a longer argument's grows with what has arrived.
const RESERVE_MAX: usize = 64 * 1024 * 1024;

/// An incomplete request.
pub struct Input {
    pub parser: RequestParser,
    /// Everything except large arguments.
    bytes: Vec<u8>,
    /// The large argument that is arriving.
    large: Option<Large>,
}

struct Large {
    bytes: Vec<u8>,
    len: usize,
}

impl Input {
    /// `bytes` are what the parser is not done with.
    pub fn new(parser: RequestParser, bytes: &[u8]) -> Input {
        let mut input = Input { parser, bytes: Vec::new(), large: None };
        input.push(bytes);
        input
    }

    pub fn len(&self) -> usize {
        self.bytes.len() + self.large.as_ref().map_or(0, |large| large.bytes.len())
    }

    /// Bytes that have arrived and that are no whole arguments, except for large ones.
    pub fn waiting(&self) -> usize {
        self.len().saturating_sub(self.parser.parsed()) + self.parser.supplied()
    }

    /// The bytes together with the parser that they are for.
    pub fn parts(&mut self) -> (&mut RequestParser, &mut [u8]) {
        (&mut self.parser, &mut self.bytes)
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Drops what the parser is done with. If it waits for a large argument, that begins to be gathered by itself.
    pub fn settle(&mut self) {
        self.bytes.drain(..self.parser.rebase());
        let room = LARGE_MIN.max(self.bytes.len());
        if self.bytes.capacity() > 4 * room {
            self.bytes.shrink_to(2 * room);
        }
        if self.large.is_none()
            && let Some(len) = self.parser.awaited(LARGE_MIN)
        {
            let (begun, at) = (self.bytes.len(), self.parser.parsed());
            // A part of its line end may have arrived.
            let end = begun.min(at + len);
            let mut bytes = Vec::new();
            // Reading tells if there is no memory.
            let _ = bytes.try_reserve_exact(len.min(RESERVE_MAX));
            bytes.extend(self.bytes.drain(at..end));
            self.bytes.shrink_to_fit();
            self.large = Some(Large { bytes, len });
            self.supply_large();
        }
    }

    /// Lets `read` read the rest of the large argument that is arriving to the end of a vector, up to so many bytes.
    /// None if none is arriving.
    pub fn read_large(
        &mut self,
        read: impl FnOnce(&mut Vec<u8>, usize) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        let Large { bytes, len } = self.large.as_mut()?;
        let missing = *len - bytes.len();
        if bytes.len() == bytes.capacity() && bytes.try_reserve_exact(missing.min(bytes.len().max(READ_MAX))).is_err() {
            return Some(Err(io::ErrorKind::OutOfMemory.into()));
        }
        let result = read(bytes, missing.min(READ_MAX));
        self.supply_large();
        Some(result)
    }

    /// Gives a large argument that has arrived to the parser.
    fn supply_large(&mut self) {
        if let Some(large) = self.large.take_if(|large| large.bytes.len() == large.len) {
            self.parser.supply(Arc::new(large.bytes));
        }
    }

    /// Whether a large argument is arriving.
    pub fn is_large(&self) -> bool {
        self.large.is_some()
    }

    /// Memory that it takes.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.large.as_ref().map_or(0, |large| large.bytes.capacity()) + self.parser.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::{Limits, writer};

    /// Lets `bytes` arrive in pieces of `piece` bytes and returns the requests.
    fn requests(bytes: &[u8], piece: usize) -> Vec<Vec<Vec<u8>>> {
        let mut input = Input::new(RequestParser::new(), b"");
        let mut found = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let large: Option<usize> = input
                .read_large(|large, max| {
                    let len = piece.min(max).min(rest.len());
                    large.extend_from_slice(&rest[..len]);
                    Ok(len)
                })
                .map(Result::unwrap);
            let len = large.unwrap_or(piece.min(rest.len()));
            let arrived;
            (arrived, rest) = rest.split_at(len);
            if large.is_none() {
                input.push(arrived);
            }
            let (parser, bytes) = input.parts();
            while parser.advance(bytes, &Limits::default()).unwrap() {
                found.push(parser.args(bytes).iter().map(<[u8]>::to_vec).collect());
            }
            input.settle();
        }
        assert_eq!((input.len(), input.memory()), (0, input.bytes.capacity() + input.parser.memory()));
        found
    }

    #[test]
    fn large_requests_piece_by_piece() {
        let value = |len: usize| (0..len).map(|i| (i * 31) as u8).collect::<Vec<u8>>();
        let all = [
            vec![b"SET".to_vec(), b"k".to_vec(), value(3_000_000)],
            vec![b"GET".to_vec(), b"k".to_vec()],
            vec![b"MSET".to_vec(), value(LARGE_MIN), value(LARGE_MIN - 1), value(LARGE_MIN + 1), value(100_000)],
            vec![value(50_000)],
        ];
        let mut bytes = Vec::new();
        all.iter().for_each(|request| writer::request(&mut bytes, request));
        for piece in [7, 1000, LARGE_MIN + 13, 65_536, 100_000, 1 << 20, bytes.len() - 1, bytes.len()] {
            assert!(requests(&bytes, piece) == all, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_large_argument_stays_where_it_was_read_to() {
        let mut parser = RequestParser::new();
        let mut start = b"*2\r\n$4\r\nECHO\r\n$40000\r\nx".to_vec();
        assert_eq!(parser.advance(&mut start, &Limits::default()), Ok(false));
        let mut input = Input::new(parser, &start);
        input.settle();
        let mut at = std::ptr::null();
        let read = input.read_large(|memory, max| {
            assert_eq!((&memory[..], max), (&b"x"[..], 39_999));
            memory.resize(40_000, b'y');
            at = memory.as_ptr();
            Ok(max)
        });
        assert!(read.is_some() && !input.is_large());
        input.push(b"\r\n");
        let (parser, bytes) = input.parts();
        assert_eq!(parser.advance(bytes, &Limits::default()), Ok(true));
        assert_eq!(parser.args(bytes).shared(1).unwrap().as_ptr(), at);
    }

    #[test]
    fn memory_grows_with_what_arrives() {
        let mut parser = RequestParser::new();
        let mut start = b"*1\r\n$500000000\r\n".to_vec();
        assert_eq!(parser.advance(&mut start, &Limits::default()), Ok(false));
        let mut input = Input::new(parser, &start);
        input.settle();
        assert!(input.memory() <= RESERVE_MAX + 100);
        let fill = |memory: &mut Vec<u8>, max| {
            memory.resize(RESERVE_MAX, 0);
            Ok(max)
        };
        assert!(input.read_large(fill).is_some());
        let grown = input.read_large(|memory, max| {
            assert_eq!((memory.capacity(), max), (2 * RESERVE_MAX, READ_MAX));
            Ok(0)
        });
        assert!(grown.is_some());
    }

    #[test]
    fn a_large_argument_that_has_arrived_waits_for_the_rest() {
        let mut input = Input::new(RequestParser::new(), b"*3\r\n$3\r\nSET\r\n$40000\r\n");
        let waits = |input: &mut Input| {
            let (parser, bytes) = input.parts();
            assert!(!parser.advance(bytes, &Limits::default()).unwrap());
            input.settle();
            input.waiting()
        };
        let before = waits(&mut input);
        input.read_large(|large, _| {
            large.resize(40_000, b'k');
            Ok(40_000)
        });
        input.push(b"\r\n$3\r\nv");
        assert!((before + 40_000..before + 40_100).contains(&waits(&mut input)));
    }

    #[test]
    fn memory_of_many_requests_is_given_back() {
        let mut input = Input::new(RequestParser::new(), &b"*1\r\n$4\r\nPING\r\n".repeat(50_000));
        let (parser, bytes) = input.parts();
        while parser.advance(bytes, &Limits::default()).unwrap() {}
        input.settle();
        assert!(input.len() == 0 && input.memory() < 8 * LARGE_MIN, "{}", input.memory());
    }
}
