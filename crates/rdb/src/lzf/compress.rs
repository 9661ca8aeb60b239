//! Compression, with the choices that Redis's build of liblzf makes, so that equal strings are written as equal bytes.

use std::cell::RefCell;

/// The longest run of literals.
const LITERALS_MAX: usize = 32;
/// References reach back so far at most.
const DISTANCE_MAX: usize = 1 << 13;
/// The longest match.
const MATCH_MAX: usize = 264;
/// Lengths of matches, less 2, from this one on have a byte of their own.
const LONG: usize = 7;
const SLOTS: usize = 1 << 16;

/// Where three bytes were seen last, by their hash. Positions of a new input begin where those of the last one ended,
/// so that the table need not be cleared: whatever is not above `base` is another input's, or this one's first byte,
/// which is never referred to.
struct Seen {
    positions: Vec<u32>,
    base: u32,
}

thread_local! {
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen { positions: Vec::new(), base: 0 }) };
}

impl Seen {
    /// Forgets all other inputs; false if this one is too long.
    fn begin(&mut self, len: usize) -> bool {
        let Ok(len) = u32::try_from(len) else { return false };
        if self.positions.is_empty() || self.base.checked_add(len).is_none() {
            self.positions.clear();
            self.positions.resize(SLOTS, 0);
            self.base = 0;
        }
        true
    }

    /// Where the three bytes at `at` were seen last, if it is near; remembers that they are here.
    fn replace(&mut self, input: &[u8], at: usize) -> Option<usize> {
        let three = u32::from_be_bytes([0, input[at], input[at + 1], input[at + 2]]);
        let slot = (three >> 8).wrapping_sub(three.wrapping_mul(5)) as usize % SLOTS;
        let last = std::mem::replace(&mut self.positions[slot], self.base + at as u32);
        let last = last.checked_sub(self.base).filter(|last| *last > 0)? as usize;
        (at - last <= DISTANCE_MAX && input[last..last + 3] == input[at..at + 3]).then_some(last)
    }
}

/// What is written: a run of literals has a byte in front for its length, which is there before the run is.
struct Output<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    most: usize,
    literals: usize,
}

impl Output<'_> {
    fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    fn begin_run(&mut self) {
        self.literals = 0;
        self.bytes.push(0);
    }

    fn end_run(&mut self) {
        let length = self.bytes.len() - self.literals - 1;
        match self.literals {
            0 => self.bytes.truncate(length),
            literals => self.bytes[length] = literals as u8 - 1,
        }
    }

    fn literal(&mut self, byte: u8) -> Option<()> {
        (self.len() < self.most).then_some(())?;
        self.bytes.push(byte);
        self.literals += 1;
        if self.literals == LITERALS_MAX {
            self.end_run();
            self.begin_run();
        }
        Some(())
    }

    fn reference(&mut self, distance: usize, length: usize) -> Option<()> {
        // Its three bytes, and one more.
        let end = self.len() - usize::from(self.literals == 0) + 4;
        (end < self.most).then_some(())?;
        self.end_run();
        let (distance, length) = (distance - 1, length - 2);
        self.bytes.push((length.min(LONG) << 5 | distance >> 8) as u8);
        if length >= LONG {
            self.bytes.push((length - LONG) as u8);
        }
        self.bytes.push(distance as u8);
        self.begin_run();
        Some(())
    }
}

/// Adds the compressed form of `input` to `out`, if it has at most `most` bytes. Otherwise `out` is as before, and the
/// result false.
pub fn compress(input: &[u8], most: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let done = SEEN.with_borrow_mut(|seen| {
        if input.is_empty() || !seen.begin(input.len()) {
            return None;
        }
        let done = write(input, seen, &mut Output { start, most, literals: 0, bytes: out });
        seen.base += input.len() as u32;
        done
    });
    if done.is_none() {
        out.truncate(start);
    }
    done.is_some()
}

fn write(input: &[u8], seen: &mut Seen, output: &mut Output<'_>) -> Option<()> {
    let mut at = 0;
    output.begin_run();
    while at + 2 < input.len() {
        let Some(from) = seen.replace(input, at) else {
            output.literal(input[at])?;
            at += 1;
            continue;
        };
        let length = match_length(input, from, at);
        output.reference(at - from, length)?;
        at += length;
        if at + 2 >= input.len() {
            break;
        }
        // Of the bytes that were passed over, the last two positions are remembered.
        seen.replace(input, at - 2);
        seen.replace(input, at - 1);
    }
    // Redis asks for room for three more bytes here, however few are left.
    (output.len() + 3 <= output.most).then_some(())?;
    for byte in &input[at..] {
        output.literal(*byte)?;
    }
    output.end_run();
    Some(())
}

/// How many bytes are equal, at least three. A match ends two bytes before the input does, except where Redis's loop
/// goes past that: it compares the first bytes of a match without looking for the end.
fn match_length(input: &[u8], from: usize, at: usize) -> usize {
    const UNCHECKED: usize = 19;
    let most = (input.len() - at - 2).min(MATCH_MAX);
    let most = most.max(if most > 16 { UNCHECKED } else { 3 });
    let equal = |length: &usize| input[from + length] == input[at + length];
    3 + (3..most).take_while(equal).count()
}

#[cfg(test)]
mod tests {
    use super::super::decompress::decompress;
    use super::*;
    use proptest::prelude::*;

    fn compressed(input: &[u8]) -> Option<Vec<u8>> {
        let mut out = b"before".to_vec();
        let done = compress(input, input.len(), &mut out);
        assert!(out.starts_with(b"before") && (done || out.len() == 6));
        done.then(|| out.split_off(6))
    }

    #[test]
    fn literals_and_references() {
        // What redis-server 7.0.15 writes.
        assert_eq!(compressed(&[b'a'; 21]), Some(b"\x01aa\xe0\x0a\0".to_vec()));
        assert_eq!(compressed(&[b'a'; 22]), Some(b"\x01aa\xe0\x0a\0\0a".to_vec()));
        assert_eq!(compressed(&[b'a'; 23]), Some(b"\x01aa\xe0\x0a\0\x01aa".to_vec()));
        assert_eq!(compressed(&[b'a'; 30]), Some(b"\x01aa\xe0\x11\0\x01aa".to_vec()));
    }

    #[test]
    fn what_does_not_shrink_is_left_alone() {
        for input in [&b""[..], b"a", b"ab", b"abc", b"abcdefghijklmnopqrstuvwxyz"] {
            assert_eq!(compressed(input), None);
        }
        let mut out = Vec::new();
        assert!(compress(&[b'a'; 100], 10, &mut out) && out.len() <= 10);
        assert!(!compress(&[b'a'; 100], 4, &mut out));
    }

    #[test]
    fn what_came_before_does_not_matter() {
        let mut alone = Vec::new();
        let input = b"one two three one two three".repeat(20);
        std::thread::scope(|scope| {
            scope.spawn(|| alone = compressed(&input).unwrap());
        });
        compressed(&input[5..]);
        compressed(&input);
        assert_eq!(compressed(&input), Some(alone.clone()));
        SEEN.with_borrow_mut(|seen| seen.base = u32::MAX - 10);
        assert_eq!(compressed(&input), Some(alone));
    }

    #[test]
    fn far_and_long_matches() {
        let mut input: Vec<u8> =
            (0..20_000u32).flat_map(|i| i.wrapping_mul(i).wrapping_mul(7919).to_be_bytes()).collect();
        let copy = input[input.len() - DISTANCE_MAX..].to_vec();
        input.extend(copy);
        input.extend([0; 1000]);
        let mut out = Vec::new();
        assert!(compress(&input, 2 * input.len(), &mut out));
        let mut back = Vec::new();
        assert!(decompress(&out, input.len(), &mut back) && back == input);
    }

    proptest! {
        #[test]
        fn what_is_compressed_is_decompressed(
            pieces in prop::collection::vec((prop::collection::vec(0u8..4, 0..30), 0usize..20), 0..30),
        ) {
            let input: Vec<u8> = pieces.into_iter().flat_map(|(piece, times)| piece.repeat(times)).collect();
            let mut out = Vec::new();
            if compress(&input, input.len() + 10, &mut out) {
                let mut back = Vec::new();
                prop_assert!(decompress(&out, input.len(), &mut back));
                prop_assert_eq!(back, input);
            } else {
                prop_assert!(input.is_empty());
            }
        }
    }
}
