//! Ranges as BITCOUNT and BITPOS count them: from the end if they are negative, with the last place in them.

use super::bit::{count, find};
use std::ops::Range;

/// What the places of a range count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unit {
    /// Bytes.
    #[default]
    Byte,
    /// Bits.
    Bit,
}

impl Unit {
    /// What an argument spells, in any case.
    pub fn parse(text: &[u8]) -> Option<Unit> {
        match text {
            text if text.eq_ignore_ascii_case(b"byte") => Some(Unit::Byte),
            text if text.eq_ignore_ascii_case(b"bit") => Some(Unit::Bit),
            _ => None,
        }
    }

    fn bits(self) -> u64 {
        match self {
            Unit::Byte => 8,
            Unit::Bit => 1,
        }
    }
}

/// The bits from one place of a string to another, or the end.
fn bits(bytes: &[u8], start: i64, end: Option<i64>, unit: Unit) -> Range<u64> {
    let total = bytes.len() as u64 * 8 / unit.bits();
    let from_end = |place: i64| match place {
        ..0 => total.saturating_sub(place.unsigned_abs()),
        place => place.unsigned_abs(),
    };
    let start = from_end(start).min(total);
    let end = end.map_or(total, |end| (from_end(end) + 1).min(total));
    start * unit.bits()..end * unit.bits()
}

/// How many bits from one place to another are 1: none if the second is in front of the first, even if both are in
/// front of the string.
pub fn count_range(bytes: &[u8], start: i64, end: i64, unit: Unit) -> u64 {
    if start < 0 && end < 0 && start > end {
        return 0;
    }
    count(bytes, bits(bytes, start, Some(end), unit))
}

/// The first place from `start` to `end` where the bit is `bit`, counted in bits from the string's start. Without an
/// end, zeros follow the string.
pub fn position(bytes: &[u8], bit: bool, start: i64, end: Option<i64>, unit: Unit) -> Option<u64> {
    let range = bits(bytes, start, end, unit);
    let padding = (!bit && end.is_none() && !range.is_empty()).then_some(range.end);
    find(bytes, range, bit).or(padding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Unit::{Bit, Byte};
    use proptest::prelude::*;

    #[test]
    fn units() {
        assert_eq!((Unit::parse(b"byte"), Unit::parse(b"BiT")), (Some(Byte), Some(Bit)));
        assert_eq!((Unit::parse(b"bits"), Unit::parse(b"")), (None, None));
    }

    /// What redis-server 7.0.15 replies.
    #[test]
    fn counts() {
        let text = b"foobar";
        for (start, end, unit, ones) in [
            (0, -1, Byte, 26),
            (0, 0, Byte, 4),
            (1, 1, Byte, 6),
            (0, -1, Bit, 26),
            (5, 30, Bit, 17),
            (-1, -1, Byte, 4),
            (-3, -3, Bit, 0),
            (-2, -7, Byte, 0),
            (-50, -1, Byte, 26),
            (-50, -100, Byte, 0),
            (-100, -50, Byte, 4),
            (-100, -50, Bit, 0),
            (-100, -47, Bit, 1),
            (3, 2, Byte, 0),
            (6, 9, Byte, 0),
            (i64::MIN, i64::MAX, Byte, 26),
            (i64::MIN, i64::MAX, Bit, 26),
            (i64::MAX, i64::MAX, Bit, 0),
        ] {
            assert_eq!(count_range(text, start, end, unit), ones, "{start} {end} {unit:?}");
        }
        assert_eq!(count_range(b"", 0, -1, Byte), 0);
    }

    /// What redis-server 7.0.15 replies, with -1 for none.
    #[test]
    fn positions() {
        let (ones, zeros, mixed) = (b"\xff\xff\xff", b"\0\0\0", b"\xff\xf0\x00");
        for (text, bit, start, end, unit, place) in [
            (mixed, false, 0, None, Byte, 12),
            (mixed, true, 2, None, Byte, -1),
            (mixed, false, 0, Some(-1), Byte, 12),
            (mixed, true, 7, Some(15), Bit, 7),
            (mixed, false, 7, Some(11), Bit, -1),
            (ones, false, 0, None, Byte, 24),
            (ones, false, 1, None, Byte, 24),
            (ones, false, -2, None, Byte, 24),
            (ones, false, 3, None, Byte, -1),
            (ones, false, 0, Some(-1), Byte, -1),
            (ones, false, 0, Some(100), Byte, -1),
            (ones, true, -5, Some(-10), Byte, 0),
            (ones, true, 2, Some(1), Byte, -1),
            (zeros, true, 0, None, Byte, -1),
            (zeros, false, 1, Some(1), Byte, 8),
            (zeros, false, -3, Some(-1), Bit, 21),
            (zeros, false, i64::MIN, Some(i64::MAX), Bit, 0),
        ] {
            let found = position(text, bit, start, end, unit).map_or(-1, |place| place as i64);
            assert_eq!(found, place, "{text:?} {bit} {start} {end:?} {unit:?}");
        }
        assert_eq!((position(b"", false, 0, None, Byte), position(b"", true, 0, None, Byte)), (None, None));
    }

    proptest! {
        #[test]
        fn any_place_is_allowed(bytes in prop::collection::vec(any::<u8>(), 0..5), start: i64, end: i64, bit: bool) {
            for unit in [Byte, Bit] {
                for (start, end) in [(start, end), (start >> 58, end >> 58), (start, end >> 58), (start >> 58, end)] {
                    let ones = count_range(&bytes, start, end, unit);
                    let place = position(&bytes, bit, start, Some(end), unit);
                    prop_assert!(ones <= bytes.len() as u64 * 8 && place.is_none_or(|place| place / 8 < 5));
                    prop_assert!(ones == 0 || position(&bytes, true, start, Some(end), unit).is_some());
                }
            }
        }
    }
}
