//! Memory of the blocks: of the sizes that the allocator has, so that nothing is lost behind them.
//!
//! A block knows how many of its bytes are in use by what is written in them, so that it needs no word for its capacity,
//! and a value can be one without a box around it.

use std::mem;
use std::ops::Range;

/// The least memory that the allocator has for so many bytes: jemalloc's sizes, four in a doubling.
pub(super) fn size_for(bytes: usize) -> usize {
    match bytes {
        0..=16 => bytes.next_multiple_of(8),
        _ => bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16)),
    }
}

/// Makes room for `len` bytes in place of those in `old`, when the first `used` bytes are in use. Growing costs as much
/// as an eighth more with each step at least, so what is moved stays in proportion to what is added.
pub(super) fn make_gap(memory: &mut Box<[u8]>, used: usize, old: Range<usize>, len: usize) {
    let needed = used - old.len() + len;
    if needed > memory.len() {
        resize(memory, size_for(needed));
    }
    memory.copy_within(old.end..used, old.start + len);
    // Not at once: what is taken away often comes back.
    if size_for(needed) <= memory.len() / 2 {
        resize(memory, size_for(needed));
    }
}

/// Gives back the memory behind the first `used` bytes.
pub(super) fn shrink(memory: &mut Box<[u8]>, used: usize) {
    if size_for(used) < memory.len() {
        resize(memory, size_for(used));
    }
}

fn resize(memory: &mut Box<[u8]>, size: usize) {
    let mut bytes = mem::take(memory).into_vec();
    bytes.reserve_exact(size.saturating_sub(bytes.len()));
    bytes.resize(size, 0);
    *memory = bytes.into_boxed_slice();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_the_allocator_s() {
        let sizes = [8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640];
        for bytes in 1..=640 {
            assert_eq!(Some(size_for(bytes)), sizes.into_iter().find(|size| bytes <= *size), "{bytes}");
        }
        assert_eq!((size_for(8191), size_for(8193), size_for(20_481)), (8192, 10_240, 24_576));
    }

    #[test]
    fn growing_by_a_byte_each_moves_little() {
        let (mut memory, mut moved) = (Box::<[u8]>::default(), 0);
        for used in 0..1 << 20 {
            let before = memory.len();
            make_gap(&mut memory, used, used..used, 1);
            moved += if memory.len() == before { 0 } else { used };
            assert!(memory.len() <= (used + 1) * 5 / 4 + 16);
        }
        assert!(moved < 6 << 20, "{moved} bytes");
    }

    #[test]
    fn memory_is_given_back_when_half_is_unused() {
        let mut memory = vec![7; 1024].into_boxed_slice();
        make_gap(&mut memory, 1024, 100..500, 0);
        assert_eq!(memory.len(), 1024);
        make_gap(&mut memory, 624, 100..600, 3);
        assert_eq!((memory.len(), &memory[..100], &memory[103..127]), (128, &[7; 100][..], &[7; 24][..]));
        shrink(&mut memory, 90);
        assert_eq!(memory.len(), 96);
    }
}
