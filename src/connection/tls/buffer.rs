//! Bytes on their way to or from the socket. An idle connection has no memory for them: each thread keeps one buffer of
//! each kind and lends it to the connection that needs it.

use std::cell::Cell;

/// How much of one write goes into records at once: four of the largest.
pub(super) const WRITE_LIMIT: usize = 64 * 1024;
/// Enough for [`WRITE_LIMIT`] bytes in records, and more than one record of the largest size.
pub(super) const BUFFER_SIZE: usize = 68 * 1024;
/// A handshake message can be longer than any record; rustls refuses more than 64 KiB.
const MOST: usize = 2 * BUFFER_SIZE;

thread_local! {
    static SPARES: [Cell<Vec<u8>>; 2] = const { [Cell::new(Vec::new()), Cell::new(Vec::new())] };
}

/// A queue of bytes: filled at the end, consumed at the front.
#[derive(Default)]
pub(super) struct Buffer {
    /// All initialised; the bytes between `start` and `end` are filled.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    /// The room behind the filled bytes, at least `least` bytes; empty if there cannot be that much.
    pub(super) fn room(&mut self, least: usize) -> &mut [u8] {
        if self.bytes.len() < BUFFER_SIZE {
            self.move_to(spare());
        }
        if self.bytes.len() - self.end < least {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.bytes.len() - self.end < least {
                if self.end + least > MOST {
                    return &mut [];
                }
                self.bytes.resize(MOST, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// The first `count` bytes of the room have been filled.
    pub(super) fn fill(&mut self, count: usize) {
        self.end += count;
        assert!(self.end <= self.bytes.len());
    }

    /// The first `count` filled bytes have been used.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.end);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives back the memory that is not filled.
    pub(super) fn park(&mut self) {
        let count = self.end - self.start;
        if self.bytes.len() < BUFFER_SIZE || count > BUFFER_SIZE / 2 {
            return;
        }
        let large = self.move_to(vec![0; count]);
        if large.len() == BUFFER_SIZE {
            SPARES.with(|spares| {
                let free = spares.iter().find(|spare| {
                    let kept = spare.take();
                    let empty = kept.is_empty();
                    spare.set(kept);
                    empty
                });
                if let Some(free) = free {
                    free.set(large);
                }
            });
        }
    }

    /// Moves the filled bytes to other memory and returns the old one.
    fn move_to(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let count = self.end - self.start;
        bytes[..count].copy_from_slice(self.filled());
        (self.start, self.end) = (0, count);
        core::mem::replace(&mut self.bytes, bytes)
    }
}

fn spare() -> Vec<u8> {
    let kept = SPARES.with(|spares| spares.iter().map(Cell::take).find(|spare| !spare.is_empty()));
    kept.unwrap_or_else(|| vec![0; BUFFER_SIZE])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(buffer: &mut Buffer, data: &[u8]) {
        buffer.room(data.len())[..data.len()].copy_from_slice(data);
        buffer.fill(data.len());
    }

    #[test]
    fn what_is_filled_stays_when_the_memory_changes() {
        let mut buffer = Buffer::default();
        put(&mut buffer, b"one two three");
        buffer.consume(4);
        buffer.park();
        assert_eq!(buffer.filled(), b"two three");
        assert_eq!(buffer.bytes.len(), 9);
        put(&mut buffer, b" four");
        assert_eq!(buffer.filled(), b"two three four");
        let most = vec![7; BUFFER_SIZE];
        put(&mut buffer, &most);
        assert_eq!(buffer.filled()[..14], *b"two three four");
        assert_eq!(buffer.filled().len(), 14 + BUFFER_SIZE);
    }

    #[test]
    fn at_rest_there_is_no_memory() {
        let mut buffer = Buffer::default();
        put(&mut buffer, b"data");
        buffer.consume(4);
        buffer.park();
        assert_eq!(buffer.bytes.capacity(), 0);
        // The thread's next buffer gets it.
        assert_eq!(Buffer::default().room(1).len(), BUFFER_SIZE);
        let mut other = Buffer::default();
        put(&mut other, b"data");
        assert_eq!(other.filled(), b"data");
    }

    #[test]
    fn what_has_been_used_makes_room() {
        let mut buffer = Buffer::default();
        put(&mut buffer, &vec![7; BUFFER_SIZE - 4]);
        put(&mut buffer, b"rest");
        buffer.consume(BUFFER_SIZE - 4);
        put(&mut buffer, &vec![8; BUFFER_SIZE - 4]);
        assert_eq!(buffer.filled()[..6], *b"rest\x08\x08");
        assert_eq!((buffer.filled().len(), buffer.bytes.len()), (BUFFER_SIZE, BUFFER_SIZE));
    }

    #[test]
    fn a_thread_keeps_one_of_each_kind() {
        let mut buffers: [Buffer; 3] = Default::default();
        for (mark, buffer) in (1..).zip(&mut buffers) {
            put(buffer, &[mark]);
        }
        for buffer in &mut buffers {
            buffer.consume(1);
            buffer.park();
        }
        // They are lent as they were.
        let mut marks = buffers.map(|mut buffer| buffer.room(1)[0]);
        marks.sort();
        assert_eq!(marks, [0, 1, 2]);
    }

    #[test]
    fn what_is_more_than_half_full_stays_where_it_is() {
        for (count, size) in [(BUFFER_SIZE / 2, BUFFER_SIZE / 2), (BUFFER_SIZE / 2 + 1, BUFFER_SIZE)] {
            let mut buffer = Buffer::default();
            put(&mut buffer, &vec![7; count]);
            buffer.park();
            assert_eq!((buffer.filled().len(), buffer.bytes.len()), (count, size));
        }
    }

    #[test]
    fn there_is_an_end_to_the_room() {
        let mut buffer = Buffer::default();
        buffer.room(1);
        buffer.fill(BUFFER_SIZE);
        assert_eq!(buffer.room(1).len(), MOST - BUFFER_SIZE);
        buffer.fill(MOST - BUFFER_SIZE);
        assert!(buffer.room(1).is_empty());
    }
}
