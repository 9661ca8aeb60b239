//! Decompression.

/// A compressed byte stands for at most so many: 3 bytes for 264.
const MAX_RATIO: usize = 88;

/// The first byte of anything below this is a run of literals.
const REFERENCE: u8 = 32;
/// A reference's length of this is told by the next byte.
const LONG: usize = 7;

/// Adds what was compressed, which has to be `len` bytes. Otherwise the result is false, and what `out` got is of no
/// use. Never allocates more than `input` can hold.
#[must_use]
pub fn decompress(input: &[u8], len: usize, out: &mut Vec<u8>) -> bool {
    if len / MAX_RATIO > input.len() {
        return false;
    }
    out.reserve_exact(len);
    let start = out.len();
    pieces(input, start, start + len, out).is_some() && out.len() == start + len
}

fn pieces(input: &[u8], start: usize, end: usize, out: &mut Vec<u8>) -> Option<()> {
    let mut rest = input;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first < REFERENCE {
            let (literals, after) = rest.split_at_checked(usize::from(first) + 1)?;
            (out.len() + literals.len() <= end).then_some(())?;
            out.extend_from_slice(literals);
            rest = after;
            continue;
        }
        let mut length = usize::from(first >> 5);
        if length == LONG {
            let (more, after) = rest.split_first()?;
            length += usize::from(*more);
            rest = after;
        }
        let (low, after) = rest.split_first()?;
        rest = after;
        let distance = (usize::from(first & 0x1f) << 8 | usize::from(*low)) + 1;
        let from = out.len().checked_sub(distance).filter(|from| *from >= start)?;
        let length = length + 2;
        (out.len() + length <= end).then_some(())?;
        if distance >= length {
            out.extend_from_within(from..from + length);
        } else {
            // It repeats what it writes.
            (from..from + length).for_each(|at| out.push(out[at]));
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decompressed(input: &[u8], len: usize) -> Option<Vec<u8>> {
        let mut out = b"ab".to_vec();
        decompress(input, len, &mut out).then(|| out.split_off(2))
    }

    #[test]
    fn pieces_of_all_kinds() {
        assert_eq!(decompressed(&[2, 1, 2, 3], 3), Some(vec![1, 2, 3]));
        assert_eq!(decompressed(&[0, 9, 0x20, 0], 4), Some(vec![9; 4]));
        assert_eq!(decompressed(&[0, 9, 0xe0, 255, 0], 265), Some(vec![9; 265]));
        assert_eq!(decompressed(&[1, 8, 9, 0x20, 1], 5), Some(vec![8, 9, 8, 9, 8]));
        assert_eq!(decompressed(&[], 0), Some(vec![]));
    }

    #[test]
    fn malformed_input_is_refused() {
        for (input, len) in [
            (&[2, 1, 2][..], 3),   // literals that are not there
            (&[2, 1, 2, 3], 2),    // more than was told
            (&[2, 1, 2, 3], 4),    // less
            (&[0, 9, 0x20, 1], 4), // a reference to what came before all
            (&[0, 9, 0x20], 4),    // half a reference
            (&[0, 9, 0xe0], 10),   // one without a length
            (&[0, 9, 0x20, 0], 3), // one beyond the end
            (&[0, 9], 1000),       // more than can be
            (&[0, 9], usize::MAX),
        ] {
            assert_eq!(decompressed(input, len), None, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn no_input_is_too_bad(input in prop::collection::vec(any::<u8>(), 0..200), len in 0usize..4000) {
            if let Some(out) = decompressed(&input, len) {
                prop_assert_eq!(out.len(), len);
            }
        }
    }
}
