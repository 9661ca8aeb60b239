//! How much goes into one node of a list.

/// What a node may grow by, beyond an element's length, when the element is added: Redis's estimate, so that the same
/// pushes fill the same nodes.
const OVERHEAD: usize = 8;
/// The bytes of a node that is limited by its number of elements.
const SAFE_BYTES: usize = 8192;
/// The most elements that a limit by number can ask for.
const COUNT_MAX: i32 = 32_767;

/// When a list begins another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `list-max-listpack-size`. From -1 to -5: a node has at most 4, 8, 16, 32, 64 KiB (below -5: 64). Positive: at
    /// most so many elements, in at most 8 KiB; 0 is like 1.
    pub listpack_size: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { listpack_size: -2 }
    }
}

impl Limits {
    fn bytes(self) -> usize {
        match self.listpack_size {
            0.. => SAFE_BYTES,
            level => 2048 << level.unsigned_abs().min(5),
        }
    }

    /// Whether a node can have so many bytes and elements.
    pub(super) fn allow(self, bytes: usize, count: usize) -> bool {
        let most = if self.listpack_size < 0 { usize::MAX } else { self.listpack_size.clamp(1, COUNT_MAX) as usize };
        bytes <= self.bytes() && count <= most
    }

    /// Whether a node of `bytes` with `count` elements takes another one of `length` bytes.
    pub(super) fn allow_one_more(self, bytes: usize, count: usize, length: usize) -> bool {
        self.allow(bytes + length + OVERHEAD, count + 1)
    }

    /// Whether an element of `length` bytes has a node of its own, without a packed sequence around it.
    pub(super) fn is_large(self, length: usize) -> bool {
        length > self.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_redis_s() {
        let kib = |listpack_size| Limits { listpack_size }.bytes() / 1024;
        assert_eq!([-1, -2, -3, -4, -5, -6, i32::MIN].map(kib), [4, 8, 16, 32, 64, 64, 64]);
        assert_eq!([0, 1, i32::MAX].map(kib), [8, 8, 8]);
    }

    #[test]
    fn elements_are_counted_if_the_limit_is_positive() {
        let three = Limits { listpack_size: 3 };
        assert!(three.allow_one_more(100, 2, 10) && !three.allow_one_more(100, 3, 10));
        assert!(three.allow_one_more(8000, 2, 184) && !three.allow_one_more(8000, 2, 185));
        assert!(Limits { listpack_size: 0 }.allow(100, 1) && !Limits { listpack_size: 0 }.allow(100, 2));
        assert!(!Limits { listpack_size: i32::MAX }.allow(100, 32_768));
        assert!(Limits::default().allow(8192, 100_000));
        assert!(!Limits::default().is_large(8192) && Limits::default().is_large(8193));
    }
}
