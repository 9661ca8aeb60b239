//! What has arrived of a request that is not complete.

use ae::resp::RequestParser;

/// How much is read at a time into the buffer of a large request, at most.
const READ_MAX: usize = 1024 * 1024;

pub struct Input {
    pub parser: RequestParser,
    /// Initialized memory, of which the first `filled` bytes have arrived.
    memory: Vec<u8>,
    filled: usize,
}

impl Input {
    /// `memory` is for reuse; its content does not matter.
    pub fn new(parser: RequestParser, memory: Vec<u8>) -> Input {
        Input { parser, memory, filled: 0 }
    }

    pub fn len(&self) -> usize {
        self.filled
    }

    /// The bytes together with the parser that they are for.
    pub fn parts(&mut self) -> (&mut RequestParser, &mut [u8]) {
        (&mut self.parser, &mut self.memory[..self.filled])
    }

    pub fn push(&mut self, bytes: &[u8]) {
        let end = self.filled + bytes.len();
        if end > self.memory.len() {
            self.memory.truncate(self.filled);
            self.memory.extend_from_slice(bytes);
        } else {
            self.memory[self.filled..end].copy_from_slice(bytes);
        }
        self.filled = end;
    }

    /// Where to read to, `least` bytes or more: room grows with what has arrived, not with what was announced.
    pub fn room(&mut self, least: usize) -> &mut [u8] {
        let end = self.filled + least;
        if self.memory.len() < end {
            let wanted = self.parser.wanted().min(2 * self.filled);
            self.memory.resize(end.max(wanted), 0);
        }
        let end = self.memory.len().min(self.filled + READ_MAX);
        &mut self.memory[self.filled..end]
    }

    /// Notes that `len` bytes have been read to [`room`](Self::room).
    pub fn fill(&mut self, len: usize) {
        self.filled = (self.filled + len).min(self.memory.len());
    }

    /// Drops what the parser is done with.
    pub fn drop_done(&mut self) {
        let done = self.parser.rebase();
        if done > 0 {
            self.memory.copy_within(done..self.filled, 0);
            self.filled -= done;
        }
    }

    /// Goes over to memory that is just large enough; returns the old.
    pub fn fit(&mut self) -> Vec<u8> {
        let exact = self.memory[..self.filled].to_vec();
        std::mem::replace(&mut self.memory, exact)
    }

    /// Memory that it takes.
    pub fn memory(&self) -> usize {
        self.memory.capacity() + self.parser.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae::resp::{Limits, writer};

    #[test]
    fn a_large_request_piece_by_piece() {
        let value: Vec<u8> = (0..3_000_000u32).map(|i| (i * 31) as u8).collect();
        let mut bytes = Vec::new();
        writer::request(&mut bytes, &[b"SET", &b"k"[..], &value]);
        bytes.extend_from_slice(b"GET");
        // Whatever was in the memory before.
        for memory in [vec![], vec![b'*'; 1000], vec![b'*'; 4_000_000]] {
            let mut input = Input::new(RequestParser::new(), memory);
            let (mut sent, mut complete) = (0, false);
            while sent < bytes.len() {
                assert!(!complete);
                let piece = (bytes.len() - sent).min(100_000 + sent / 7);
                let piece = if sent % 2 == 0 {
                    input.push(&bytes[sent..sent + piece]);
                    piece
                } else {
                    let room = input.room(1000);
                    let piece = piece.min(room.len());
                    room[..piece].copy_from_slice(&bytes[sent..sent + piece]);
                    input.fill(piece);
                    piece
                };
                sent += piece;
                let (parser, arrived) = input.parts();
                if parser.advance(arrived, &Limits::default()).unwrap() {
                    assert_eq!(&parser.args(arrived)[2], value);
                    complete = true;
                }
                input.drop_done();
            }
            assert!(complete);
            assert_eq!(input.parts().1, b"GET");
        }
    }

    #[test]
    fn room_grows_with_what_arrives() {
        let mut parser = RequestParser::new();
        let mut start = b"*1\r\n$500000000\r\n".to_vec();
        assert_eq!(parser.advance(&mut start, &Limits::default()), Ok(false));
        let mut input = Input::new(parser, Vec::new());
        input.push(&start);
        assert_eq!(input.room(1000).len(), 1000);
        for _ in 0..20 {
            let len = input.room(1000).len();
            input.fill(len);
            assert!(input.memory() <= 2 * input.len() + 1000);
        }
        assert!(input.len() > 5_000_000);
    }
}
