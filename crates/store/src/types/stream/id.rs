//! The ids of entries, and how they are spelled.

use crate::number;
use std::fmt::{self, Display};

/// The longest text that is read as an id.
const MAX_LEN: usize = 127;

/// The id of an entry: a time in ms, and a number among the entries of that time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Id {
    /// When the entry was added, in ms since 1970, unless the client has chosen something else.
    pub ms: u64,
    /// The number among those of the same `ms`, from 0.
    pub seq: u64,
}

impl Id {
    /// The smallest, which no entry can have: 0-0.
    pub const MIN: Id = Id { ms: 0, seq: 0 };
    /// The largest.
    pub const MAX: Id = Id { ms: u64::MAX, seq: u64::MAX };

    /// From its two parts.
    pub const fn new(ms: u64, seq: u64) -> Id {
        Id { ms, seq }
    }

    /// Reads `ms-seq`, or `ms` alone, which has the sequence number `missing_seq`. Neither `-` nor `+`, see [`Bound`].
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<Id> {
        if text.len() > MAX_LEN {
            return None;
        }
        let (ms, seq) = split(until_zero(text));
        let seq = seq.map_or(Some(missing_seq), parse_u64)?;
        Some(Id { ms: parse_u64(ms)?, seq })
    }

    /// The id right after it, if there is one.
    pub fn next(self) -> Option<Id> {
        match (self.ms, self.seq.checked_add(1)) {
            (ms, Some(seq)) => Some(Id { ms, seq }),
            (ms, None) => Some(Id { ms: ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The id right before it, if there is one.
    pub fn previous(self) -> Option<Id> {
        match (self.ms, self.seq.checked_sub(1)) {
            (ms, Some(seq)) => Some(Id { ms, seq }),
            (ms, None) => Some(Id { ms: ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// As it is written to files: both parts big-endian, so that the bytes are ordered as the ids are.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// What [`Id::to_bytes`] has made.
    pub fn from_bytes(bytes: [u8; 16]) -> Id {
        let both = u128::from_be_bytes(bytes);
        Id { ms: (both >> 64) as u64, seq: both as u64 }
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// One end of a range of ids.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// The id.
    pub id: Id,
    /// Whether the id itself is outside.
    pub exclusive: bool,
}

impl Bound {
    /// Reads `-` (the smallest id), `+` (the largest), an id, or an id behind `(`, which excludes it. An id without a
    /// sequence number has `missing_seq`: 0 where a range starts, `u64::MAX` where it ends.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<Bound> {
        let (id, exclusive) = match text {
            text if until_zero(text) == b"-" => (Id::MIN, false),
            text if until_zero(text) == b"+" => (Id::MAX, false),
            [b'(', id @ ..] => (Id::parse(id, missing_seq)?, true),
            id => (Id::parse(id, missing_seq)?, false),
        };
        Some(Bound { id, exclusive })
    }

    /// The first id of a range that starts here. None: nothing comes after an excluded `u64::MAX-u64::MAX`.
    pub fn start(self) -> Option<Id> {
        if self.exclusive { self.id.next() } else { Some(self.id) }
    }

    /// The last id of a range that ends here. None: nothing comes before an excluded 0-0.
    pub fn end(self) -> Option<Id> {
        if self.exclusive { self.id.previous() } else { Some(self.id) }
    }
}

/// Which id a new entry is to have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewId {
    /// `*`: of the present time.
    Auto,
    /// `ms-*`: the next one of this time.
    Time(u64),
    /// This one, which must not be 0-0.
    Given(Id),
}

impl NewId {
    /// Reads `*`, `ms-*`, or an id, whose sequence number is 0 if it is missing.
    pub fn parse(text: &[u8]) -> Option<NewId> {
        if until_zero(text) == b"*" {
            return Some(NewId::Auto);
        }
        match split(until_zero(text)) {
            (ms, Some(b"*")) if text.len() <= MAX_LEN => parse_u64(ms).map(NewId::Time),
            _ => Id::parse(text, 0).map(NewId::Given),
        }
    }
}

/// As much of an id as Redis reads: it ends at a zero byte.
fn until_zero(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|&byte| byte == 0);
    &text[..end.unwrap_or(text.len())]
}

/// What is before the first `-`, and what is after it.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'-') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// A number as Redis reads it in ids. What is no canonical signed number goes through C's `strtoull`, which takes space
/// and a sign in front, and leading zeros.
fn parse_u64(text: &[u8]) -> Option<u64> {
    if let Some(value) = number::parse(text) {
        return u64::try_from(value).ok();
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(|byte| is_space(byte)).count()..];
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let value: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if is_negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!(Id::parse(b"5-7", 9), Some(Id::new(5, 7)));
        assert_eq!(Id::parse(b"5", 9), Some(Id::new(5, 9)));
        assert_eq!(Id::parse(b"18446744073709551615-18446744073709551615", 0), Some(Id::MAX));
        for bad in ["", "-", "+", "a", "5-", "-5", "5-a", "5-*", "5-7-9", "5--7", "18446744073709551616", "1-1x", "+-"]
        {
            assert_eq!(Id::parse(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(Id::parse(&[b'0'; 128], 0), None);
        assert_eq!(Id::parse(&[b'0'; 127], 0), Some(Id::MIN));
        assert_eq!(Id::parse(b" 005-+07", 0), Some(Id::new(5, 7)));
        assert_eq!(Id::parse(b"\x0b5-\t\r 7", 0), Some(Id::new(5, 7)));
        assert_eq!(Id::parse(b"5--07", 0), Some(Id::new(5, 7u64.wrapping_neg())));
        assert_eq!(Id::new(12, 34).to_string(), "12-34");
        assert_eq!(Id::parse(b"5\0-7", 9), Some(Id::new(5, 9)));
        assert_eq!(Id::parse(b"\x005", 9), None);
    }

    #[test]
    fn bounds() {
        let bound = |text: &str, missing| Bound::parse(text.as_bytes(), missing);
        assert_eq!(bound("-", 5).and_then(Bound::start), Some(Id::MIN));
        assert_eq!(bound("+", 5).and_then(Bound::end), Some(Id::MAX));
        assert_eq!(bound("(3-4", 0).and_then(Bound::start), Some(Id::new(3, 5)));
        assert_eq!(bound("(3", u64::MAX).and_then(Bound::start), Some(Id::new(4, 0)));
        assert_eq!(bound("(3", 0).and_then(Bound::end), Some(Id::new(2, u64::MAX)));
        assert_eq!(bound("(0", 0).and_then(Bound::end), None);
        assert_eq!(bound(&format!("({}", Id::MAX), 0).and_then(Bound::start), None);
        assert_eq!(bound("-\0x", 0).and_then(Bound::start), Some(Id::MIN));
        assert_eq!(bound("(3-4\0x", 0).and_then(Bound::start), Some(Id::new(3, 5)));
        for bad in ["(", "(-", "(+", "((1", "*"] {
            assert_eq!(bound(bad, 0), None, "{bad}");
        }
    }

    #[test]
    fn ids_of_new_entries() {
        let new = |text: &str| NewId::parse(text.as_bytes());
        assert_eq!(new("*"), Some(NewId::Auto));
        assert_eq!(new("7-*"), Some(NewId::Time(7)));
        assert_eq!((new("*\0x"), new("7-*\0x")), (Some(NewId::Auto), Some(NewId::Time(7))));
        assert_eq!(new("7"), Some(NewId::Given(Id::new(7, 0))));
        assert_eq!(new("7-8"), Some(NewId::Given(Id::new(7, 8))));
        for bad in ["-", "+", "-*", "7-**", "**", "7-8-*"] {
            assert_eq!(new(bad), None, "{bad}");
        }
        let zeros = |count| new(&format!("{}-*", "0".repeat(count)));
        assert_eq!((zeros(125), zeros(126)), (Some(NewId::Time(0)), None));
    }

    #[test]
    fn neighbours_and_bytes() {
        for id in [Id::new(0, 1), Id::new(4, u64::MAX), Id::new(5, 0), Id::new(5, 6)] {
            assert_eq!(id.next().and_then(Id::previous), Some(id));
            assert_eq!(id.previous().and_then(Id::next), Some(id));
            assert_eq!(Id::from_bytes(id.to_bytes()), id);
            assert!(id.next().unwrap().to_bytes() > id.to_bytes());
        }
        assert_eq!((Id::MIN.previous(), Id::MAX.next()), (None, None));
    }
}
