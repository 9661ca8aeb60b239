//! The last bytes of the stream that replicas get, for those that were away for a short time.

use std::collections::VecDeque;

/// The last bytes of the stream, up to a size.
pub struct Backlog {
    bytes: VecDeque<u8>,
    size: usize,
    /// The offset of the next byte. The first byte of a stream has offset 1.
    next: u64,
}

impl Backlog {
    /// An empty one. `offset` is that of the byte before the first one.
    pub fn new(size: u64, offset: u64) -> Backlog {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut backlog = Backlog { bytes: VecDeque::new(), size, next: offset + 1 };
        backlog.reserve();
        backlog
    }

    /// All at once: the system hands memory out as it is used, and a buffer that doubles would exceed the size.
    fn reserve(&mut self) {
        self.bytes.reserve_exact(self.size.min(1 << 30) - self.bytes.len());
    }

    /// How many bytes are there.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The offset of the first byte that is there, or of the next one.
    pub fn first(&self) -> u64 {
        self.next - self.bytes.len() as u64
    }

    /// Memory that it takes.
    pub fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Keeps so many bytes from now on.
    pub fn resize(&mut self, size: u64) {
        self.size = usize::try_from(size).unwrap_or(usize::MAX);
        self.drop_beyond(self.size);
        self.bytes.shrink_to(self.size);
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.next += bytes.len() as u64;
        let kept = &bytes[bytes.len().saturating_sub(self.size)..];
        self.drop_beyond(self.size - kept.len());
        if self.bytes.capacity() < self.bytes.len() + kept.len() {
            self.reserve();
        }
        self.bytes.extend(kept);
    }

    fn drop_beyond(&mut self, len: usize) {
        let excess = self.bytes.len().saturating_sub(len);
        self.bytes.drain(..excess);
    }

    /// The bytes from an offset on, in two parts. None if they are not there, or not any longer.
    pub fn from(&self, offset: u64) -> Option<(&[u8], &[u8])> {
        if !(self.first()..=self.next).contains(&offset) {
            return None;
        }
        let skip = (offset - self.first()) as usize;
        let (front, back) = self.bytes.as_slices();
        let behind_front = skip.saturating_sub(front.len());
        Some((&front[skip.min(front.len())..], &back[behind_front..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all_from(backlog: &Backlog, offset: u64) -> Option<Vec<u8>> {
        backlog.from(offset).map(|(front, back)| [front, back].concat())
    }

    #[test]
    fn offsets_count_from_the_one_before() {
        let mut backlog = Backlog::new(4, 100);
        assert_eq!((backlog.first(), all_from(&backlog, 101)), (101, Some(Vec::new())));
        backlog.push(b"abc");
        assert_eq!(all_from(&backlog, 101).unwrap(), b"abc");
        backlog.push(b"def");
        assert_eq!((backlog.first(), backlog.len()), (103, 4));
        assert_eq!(all_from(&backlog, 103).unwrap(), b"cdef");
        assert_eq!(all_from(&backlog, 107).unwrap(), b"");
        assert_eq!([102, 108, 0].map(|offset| all_from(&backlog, offset)), [None, None, None]);
        backlog.push(b"ghijklmno");
        assert_eq!((backlog.first(), all_from(&backlog, 112).unwrap()), (112, b"lmno".to_vec()));
    }

    #[test]
    fn it_takes_no_more_memory_than_its_size() {
        let mut backlog = Backlog::new(1000, 0);
        for size in [1000, 3000] {
            backlog.resize(size);
            for _ in 0..50 {
                backlog.push(&[b'x'; 99]);
                assert!(backlog.memory() <= size as usize);
            }
        }
    }

    #[test]
    fn a_smaller_one_gives_up_at_once_what_is_too_much() {
        let mut backlog = Backlog::new(1000, 0);
        backlog.push(&[b'x'; 998]);
        backlog.push(b"yz");
        backlog.resize(2);
        assert_eq!((backlog.first(), backlog.len(), all_from(&backlog, 999).unwrap()), (999, 2, b"yz".to_vec()));
        assert!(backlog.memory() < 1000);
    }

    proptest! {
        #[test]
        fn it_has_the_end_of_what_was_pushed(
            pushed in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..30),
            sizes in prop::collection::vec(1u64..100, 1..4),
        ) {
            let mut backlog = Backlog::new(sizes[0], 0);
            let mut all = Vec::new();
            for (i, bytes) in pushed.iter().enumerate() {
                backlog.resize(sizes[i * sizes.len() / pushed.len()]);
                backlog.push(bytes);
                all.extend_from_slice(bytes);
                let kept = all_from(&backlog, backlog.first()).unwrap();
                prop_assert!(all.ends_with(&kept));
                prop_assert_eq!(backlog.first() as usize + kept.len(), all.len() + 1);
                prop_assert!(kept.len() as u64 <= sizes[i * sizes.len() / pushed.len()]);
            }
        }
    }
}
