//! The bytes of one entry: what is noted of its use, its deadline, its key and its value when they are short.
//!
//! - flags: the kind of value in two bits, the deadline's width in two, and in four how much longer the slot is
//! - the length of the key, or that it is kept elsewhere
//! - four bytes about its use
//! - the deadline in none, six or eight bytes: six are good for four thousand years
//! - the key, or the number it has elsewhere
//! - the value, or the number it has elsewhere

use crate::entries::{MAX_SIZE, fits};

const TEXT: u8 = 1;
const INTEGER: u8 = 2;
const OUTSIDE: u8 = 3;
const KIND: u8 = 3;
const WIDTH_SHIFT: u8 = 2;
const WIDTHS: [usize; 4] = [0, 6, 8, 8];
const PADDING_SHIFT: u8 = 4;

const KEY_LENGTH: usize = 1;
const ACCESS: usize = 2;
const HEAD: usize = 6;
/// A key's length when the key is kept elsewhere.
const ELSEWHERE: u8 = u8::MAX;
/// How many bytes a number has.
const NUMBER: usize = size_of::<u32>();

/// Longer keys are kept elsewhere.
pub const MAX_KEY: usize = ELSEWHERE as usize - 1;

/// The key of an entry.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    Here(&'a [u8]),
    /// The number it has elsewhere.
    Elsewhere(u32),
}

/// The value of an entry.
#[derive(Clone, Copy)]
pub enum Stored<'a> {
    Text(&'a [u8]),
    Integer(i64),
    /// The number it has elsewhere.
    Elsewhere(u32),
}

/// Whether a text of that length is short enough to be in the entry of a key of that length, whatever else is there.
pub fn has_room(key: usize, text: usize) -> bool {
    let key = if key <= MAX_KEY { key } else { NUMBER };
    HEAD + WIDTHS[2] + key + text <= MAX_SIZE
}

/// An entry to be read.
#[derive(Clone, Copy)]
pub struct Entry<'a>(pub &'a [u8]);

impl<'a> Entry<'a> {
    fn flags(self) -> u8 {
        self.0[0]
    }

    fn width(self) -> usize {
        width(self.flags())
    }

    fn key_end(self) -> usize {
        HEAD + self.width() + key_len(self.0)
    }

    pub fn access(self) -> u32 {
        number(&self.0[ACCESS..])
    }

    pub fn deadline(self) -> Option<i64> {
        match self.width() {
            0 => None,
            width => Some(signed(&self.0[HEAD..HEAD + width])),
        }
    }

    pub fn key(self) -> Key<'a> {
        let key = &self.0[HEAD + self.width()..self.key_end()];
        if self.0[KEY_LENGTH] == ELSEWHERE { Key::Elsewhere(number(key)) } else { Key::Here(key) }
    }

    pub fn value(self) -> Stored<'a> {
        let value = &self.0[self.key_end()..self.0.len() - usize::from(self.flags() >> PADDING_SHIFT)];
        match self.flags() & KIND {
            TEXT => Stored::Text(value),
            INTEGER => Stored::Integer(signed(value)),
            _ => Stored::Elsewhere(number(value)),
        }
    }
}

/// Writes what is noted of an entry's use.
pub fn set_access(slot: &mut [u8], access: u32) {
    slot[ACCESS..HEAD].copy_from_slice(&access.to_le_bytes());
}

/// How many bytes an entry has.
pub fn size(key: Key<'_>, deadline: Option<i64>, value: Stored<'_>) -> usize {
    let key = match key {
        Key::Here(key) => key.len(),
        Key::Elsewhere(_) => NUMBER,
    };
    HEAD + deadline.map_or(0, deadline_width) + key + value_len(value)
}

/// Writes an entry, in a slot for its size.
pub fn write(slot: &mut [u8], key: Key<'_>, access: u32, deadline: Option<i64>, value: Stored<'_>) {
    set_access(slot, access);
    let at = HEAD + deadline.map_or(0, deadline_width);
    let number: [u8; NUMBER];
    let (length, key) = match key {
        Key::Here(key) => (key.len() as u8, key),
        Key::Elsewhere(at) => {
            number = at.to_le_bytes();
            (ELSEWHERE, &number[..])
        }
    };
    slot[KEY_LENGTH] = length;
    slot[at..at + key.len()].copy_from_slice(key);
    write_rest(slot, at + key.len(), deadline, value);
}

/// Writes an entry's deadline and value anew where they are, if its slot is good for the new size. False if not.
pub fn rewrite(slot: &mut [u8], deadline: Option<i64>, value: Stored<'_>) -> bool {
    let (old, new) = (width(slot[0]), deadline.map_or(0, deadline_width));
    let key = key_len(slot);
    if !fits(slot.len(), HEAD + new + key + value_len(value)) {
        return false;
    }
    if old != new {
        slot.copy_within(HEAD + old..HEAD + old + key, HEAD + new);
    }
    write_rest(slot, HEAD + new + key, deadline, value);
    true
}

/// Writes an integer over one that has as many bytes. False if there is no such one.
pub fn overwrite_integer(slot: &mut [u8], integer: i64) -> bool {
    let flags = slot[0];
    let at = HEAD + width(flags) + key_len(slot);
    let end = slot.len() - usize::from(flags >> PADDING_SHIFT);
    let len = bytes_needed(integer);
    let fits = flags & KIND == INTEGER && end - at == len;
    if fits {
        slot[at..end].copy_from_slice(&integer.to_le_bytes()[..len]);
    }
    fits
}

/// Everything except key and access; the value's place is `at`.
fn write_rest(slot: &mut [u8], at: usize, deadline: Option<i64>, value: Stored<'_>) {
    let width = deadline.map_or(0, deadline_width);
    if let Some(deadline) = deadline {
        slot[HEAD..HEAD + width].copy_from_slice(&deadline.to_le_bytes()[..width]);
    }
    let len = value_len(value);
    let target = &mut slot[at..at + len];
    let kind = match value {
        Stored::Text(text) => {
            target.copy_from_slice(text);
            TEXT
        }
        Stored::Integer(integer) => {
            target.copy_from_slice(&integer.to_le_bytes()[..len]);
            INTEGER
        }
        Stored::Elsewhere(number) => {
            target.copy_from_slice(&number.to_le_bytes());
            OUTSIDE
        }
    };
    let padding = (slot.len() - at - len) as u8;
    slot[0] = kind | (width as u8).div_ceil(6) << WIDTH_SHIFT | padding << PADDING_SHIFT;
}

fn width(flags: u8) -> usize {
    WIDTHS[usize::from(flags >> WIDTH_SHIFT & 3)]
}

fn key_len(slot: &[u8]) -> usize {
    match slot[KEY_LENGTH] {
        ELSEWHERE => NUMBER,
        length => length.into(),
    }
}

fn deadline_width(deadline: i64) -> usize {
    if bytes_needed(deadline) <= WIDTHS[1] { WIDTHS[1] } else { WIDTHS[2] }
}

fn value_len(value: Stored<'_>) -> usize {
    match value {
        Stored::Text(text) => text.len(),
        Stored::Integer(integer) => bytes_needed(integer),
        Stored::Elsewhere(_) => NUMBER,
    }
}

/// How many bytes a number has without those that only repeat its sign.
fn bytes_needed(integer: i64) -> usize {
    let sign_bits = (integer ^ (integer >> 63)).leading_zeros() as usize;
    (65 - sign_bits).div_ceil(8)
}

/// A number in so many bytes as there are, the first of them the lowest, the highest with the sign.
fn signed(bytes: &[u8]) -> i64 {
    let mut all = match bytes.last() {
        Some(last) if *last >= 0x80 => [0xff; 8],
        _ => [0; 8],
    };
    all[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(all)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::slot_size;
    use proptest::prelude::*;

    fn deadlines() -> impl Strategy<Value = Option<i64>> {
        let six = 1i64 << 47;
        let edges = [0, -1, six - 1, six, -six, -six - 1, i64::MAX, i64::MIN];
        prop_oneof![Just(None), any::<i64>().prop_map(Some), prop::sample::select(edges.to_vec()).prop_map(Some)]
    }

    fn check(slot: &[u8], key: &[u8], deadline: Option<i64>, value: Stored<'_>) {
        let entry = Entry(slot);
        assert!(matches!(entry.key(), Key::Here(found) if found == key));
        assert_eq!((entry.deadline(), entry.access()), (deadline, 7));
        match (entry.value(), value) {
            (Stored::Text(found), Stored::Text(text)) => assert_eq!(found, text),
            (Stored::Integer(found), Stored::Integer(integer)) => assert_eq!(found, integer),
            (Stored::Elsewhere(found), Stored::Elsewhere(number)) => assert_eq!(found, number),
            _ => panic!("another kind of value"),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            key in prop::collection::vec(any::<u8>(), 0..=MAX_KEY),
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..10),
            integers in prop::collection::vec((any::<i64>(), 0u32..63), 10),
            deadlines in prop::collection::vec(deadlines(), 10),
        ) {
            let mut slot = Vec::new();
            let numbers = integers.iter().map(|(integer, shift)| integer >> shift);
            for ((text, number), deadline) in texts.iter().zip(numbers).zip(deadlines) {
                for value in [Stored::Text(text), Stored::Integer(number), Stored::Elsewhere(number as u32)] {
                    let size = size(Key::Here(&key), deadline, value);
                    if let (Stored::Integer(number), false) = (value, slot.is_empty()) {
                        let other = number ^ 1;
                        let before = slot.clone();
                        if overwrite_integer(&mut slot, other) {
                            check(&slot, &key, Entry(&before).deadline(), Stored::Integer(other));
                        } else {
                            prop_assert_eq!(&slot, &before);
                        }
                    }
                    let stays = !slot.is_empty() && rewrite(&mut slot, deadline, value);
                    prop_assert_eq!(stays, fits(slot.len(), size));
                    if !stays {
                        slot = vec![0xee; slot_size(size)];
                        write(&mut slot, Key::Here(&key), 7, deadline, value);
                    }
                    check(&slot, &key, deadline, value);
                }
            }
        }
    }

    #[test]
    fn long_keys_are_elsewhere() {
        let (key, value) = (Key::Elsewhere(5), Stored::Text(b"value"));
        let mut slot = vec![0; slot_size(size(key, None, value))];
        write(&mut slot, key, 0, None, value);
        assert!(matches!(Entry(&slot).key(), Key::Elsewhere(5)));
        assert!(matches!(Entry(&slot).value(), Stored::Text(b"value")));
    }

    #[test]
    fn integers_take_the_bytes_they_need() {
        for (integer, bytes) in
            [(0, 1), (-1, 1), (127, 1), (128, 2), (-128, 1), (-129, 2), (i64::MAX, 8), (i64::MIN, 8)]
        {
            assert_eq!(bytes_needed(integer), bytes, "{integer}");
        }
    }
}
