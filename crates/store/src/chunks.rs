//! A stack of small values in chunks, so that growing it never copies what is there.

const CHUNK: usize = 1024;

pub struct Chunks<T> {
    chunks: Vec<Box<[T]>>,
    len: usize,
}

impl<T: Copy + Default> Chunks<T> {
    pub fn new() -> Chunks<T> {
        Chunks { chunks: Vec::new(), len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// `at` must be below [`Chunks::len`].
    pub fn get(&self, at: usize) -> T {
        self.chunks[at / CHUNK][at % CHUNK]
    }

    pub fn set(&mut self, at: usize, value: T) {
        self.chunks[at / CHUNK][at % CHUNK] = value;
    }

    pub fn push(&mut self, value: T) {
        if self.len == self.chunks.len() * CHUNK {
            self.chunks.push(vec![T::default(); CHUNK].into_boxed_slice());
        }
        self.len += 1;
        self.set(self.len - 1, value);
    }

    pub fn pop(&mut self) -> Option<T> {
        let value = self.get(self.len.checked_sub(1)?);
        self.len -= 1;
        // One empty chunk stays, for a length that goes up and down around a border.
        let needed = self.len.div_ceil(CHUNK) + 1;
        self.chunks.truncate(needed);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_gives_memory_back() {
        let mut chunks = Chunks::new();
        for i in 0..5000usize {
            chunks.push(i);
        }
        assert_eq!((chunks.len(), chunks.get(0), chunks.get(4999)), (5000, 0, 4999));
        chunks.set(1024, 7);
        for i in (0..5000).rev() {
            assert_eq!(chunks.pop(), Some(if i == 1024 { 7 } else { i }));
        }
        assert_eq!(chunks.pop(), None);
        assert_eq!(chunks.chunks.len(), 1);
    }
}
