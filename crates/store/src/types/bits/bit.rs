//! Single bits, and those of a range.

use std::ops::Range;

/// How many bytes a string needs to have the bits in front of `end`.
pub fn bytes_for(end: u64) -> u64 {
    end.div_ceil(8)
}

fn mask(offset: u64) -> u8 {
    0x80 >> (offset % 8)
}

fn byte_of(offset: u64) -> Option<usize> {
    usize::try_from(offset / 8).ok()
}

/// The bit at an offset; 0 beyond the end.
pub fn get(bytes: &[u8], offset: u64) -> bool {
    byte_of(offset).and_then(|at| bytes.get(at)).is_some_and(|byte| byte & mask(offset) != 0)
}

/// Changes the bit at an offset and returns the old one. Nothing happens beyond the end: [`bytes_for`] tells how long
/// the string must be.
pub fn set(bytes: &mut [u8], offset: u64, bit: bool) -> bool {
    let Some(byte) = byte_of(offset).and_then(|at| bytes.get_mut(at)) else { return false };
    let old = *byte & mask(offset) != 0;
    match bit {
        true => *byte |= mask(offset),
        false => *byte &= !mask(offset),
    }
    old
}

/// A range of bits: its bytes, and the bits of the first and of the last one that belong to it. None if it is empty.
/// What is beyond the end is cut off.
struct Span<'a> {
    bytes: &'a [u8],
    /// Offset of the first of these bytes in the string.
    at: usize,
    first: u8,
    last: u8,
}

impl Span<'_> {
    fn new(bytes: &[u8], bits: Range<u64>) -> Option<Span<'_>> {
        let end = bits.end.min(bytes.len() as u64 * 8);
        if bits.start >= end {
            return None;
        }
        let (at, last) = ((bits.start / 8) as usize, ((end - 1) / 8) as usize);
        let unused = 7 - (end - 1) % 8;
        Some(Span { bytes: &bytes[at..=last], at, first: 0xff >> (bits.start % 8), last: 0xff << unused })
    }

    /// The first byte and the last one, without the bits that do not belong to the range, which are set to those of
    /// `filling`, and all between.
    fn parts(&self, filling: u8) -> (u8, &[u8], Option<u8>) {
        let masked = |byte: u8, mask: u8| byte & mask | filling & !mask;
        match self.bytes {
            [first, between @ .., last] => (masked(*first, self.first), between, Some(masked(*last, self.last))),
            bytes => (masked(bytes[0], self.first & self.last), &[], None),
        }
    }
}

/// How many bits of a range are 1.
pub fn count(bytes: &[u8], bits: Range<u64>) -> u64 {
    let Some(span) = Span::new(bytes, bits) else { return 0 };
    let (first, between, last) = span.parts(0);
    let (words, rest) = between.as_chunks::<8>();
    let words: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let rest: u32 = rest.iter().map(|byte| byte.count_ones()).sum();
    words + u64::from(rest + first.count_ones() + last.unwrap_or_default().count_ones())
}

/// The offset of the first bit of a range that is `bit`.
pub fn find(bytes: &[u8], bits: Range<u64>, bit: bool) -> Option<u64> {
    let span = Span::new(bytes, bits)?;
    let other = if bit { 0 } else { 0xff };
    let (first, between, last) = span.parts(other);
    // The bit within a byte that has it.
    let within = |byte: u8| (byte ^ other).leading_zeros() as u64;
    let offset = |at: usize, byte: u8| (span.at + at) as u64 * 8 + within(byte);
    if first != other {
        return Some(offset(0, first));
    }
    let (words, _) = between.as_chunks::<8>();
    let skipped = words.iter().take_while(|word| **word == [other; 8]).count() * 8;
    match between[skipped..].iter().position(|byte| *byte != other) {
        Some(at) => Some(offset(1 + skipped + at, between[skipped + at])),
        None => last.filter(|last| *last != other).map(|last| offset(1 + between.len(), last)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1)).collect()
    }

    #[test]
    fn the_first_bit_is_the_highest() {
        let mut bytes = [0, 0];
        assert!(!set(&mut bytes, 7, true) && !set(&mut bytes, 8, true));
        assert_eq!(bytes, [1, 0x80]);
        assert!(set(&mut bytes, 8, true) && set(&mut bytes, 8, false));
        assert!(get(&bytes, 7) && !get(&bytes, 8));
        assert_eq!((bytes_for(0), bytes_for(1), bytes_for(8), bytes_for(9)), (0, 1, 1, 2));
    }

    #[test]
    fn beyond_the_end_there_is_nothing() {
        for offset in [8, u64::from(u32::MAX) * 8, u64::MAX] {
            assert!(!get(b"\xff", offset) && !set(&mut [0xff], offset, false));
            assert_eq!((count(b"\xff", offset..u64::MAX), find(b"\xff", offset..u64::MAX, true)), (0, None));
        }
        assert_eq!((count(b"", 0..u64::MAX), find(b"", 0..u64::MAX, false)), (0, None));
        assert_eq!((count(b"\xff", 1..u64::MAX), find(b"\xff", 1..u64::MAX, true)), (7, Some(1)));
    }

    proptest! {
        #[test]
        fn like_an_array_of_bits(
            mut bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 0..40),
            start in 0usize..330, end in 0usize..330, bit: bool,
        ) {
            let mut model = bits(&bytes);
            let range = start..end;
            let within: Vec<usize> = range.clone().filter(|at| *at < model.len()).collect();
            let ones = within.iter().filter(|at| model[**at]).count();
            prop_assert_eq!(count(&bytes, start as u64..end as u64), ones as u64);
            let found = within.iter().find(|at| model[**at] == bit).map(|at| *at as u64);
            prop_assert_eq!(find(&bytes, start as u64..end as u64, bit), found);
            prop_assert_eq!(get(&bytes, start as u64), model.get(start).copied().unwrap_or_default());
            let old = set(&mut bytes, start as u64, bit);
            if let Some(place) = model.get_mut(start) {
                prop_assert_eq!(std::mem::replace(place, bit), old);
            }
            prop_assert_eq!(bits(&bytes), model);
        }

        #[test]
        fn one_bit_that_differs_is_found_in_a_long_string(length in 1usize..3000, at: u64, bit: bool) {
            let mut bytes = vec![if bit { 0 } else { 0xff }; length];
            let at = at % (length as u64 * 8);
            set(&mut bytes, at, bit);
            prop_assert_eq!(find(&bytes, 0..u64::MAX, bit), Some(at));
            prop_assert_eq!(find(&bytes, 0..at, bit), None);
            prop_assert_eq!(find(&bytes, at + 1..u64::MAX, bit), None);
        }
    }
}
