//! Tests of fields. The fixed values are redis-server 7.0.15's.

use super::Overflow::{Fail, Saturate, Wrap};
use super::*;
use crate::types::bits::{get, set};
use proptest::prelude::*;

fn field(text: &str) -> Field {
    Field::parse(text.as_bytes()).unwrap()
}

#[test]
fn types() {
    for (text, signed, bits) in [("i1", true, 1), ("i64", true, 64), ("u1", false, 1), ("u63", false, 63)] {
        assert_eq!(field(text), Field { signed, bits });
    }
    for text in [
        "",
        "i",
        "u",
        "8",
        "i0",
        "u0",
        "i65",
        "u64",
        "I8",
        "U8",
        "i08",
        "i+8",
        "i-8",
        "i 8",
        "i8 ",
        "x8",
        "u9999999999",
    ] {
        assert_eq!(Field::parse(text.as_bytes()), None, "{text:?}");
    }
    let names = [&b"wrap"[..], b"SAT", b"Fail", b"saturate"];
    assert_eq!(names.map(Overflow::parse), [Some(Wrap), Some(Saturate), Some(Fail), None]);
}

#[test]
fn sets() {
    for (name, value, wrapped, saturated) in [
        ("u8", 255, 255, Some(255)),
        ("u8", 256, 0, None),
        ("u8", 257, 1, None),
        ("i8", 128, -128, None),
        ("i8", -129, 127, None),
        ("i1", 1, -1, None),
        ("i64", i64::MIN, i64::MIN, Some(i64::MIN)),
        ("u63", i64::MAX, i64::MAX, Some(i64::MAX)),
        ("u63", -1, i64::MAX, None),
    ] {
        assert_eq!(field(name).fit(value, Wrap), Some(wrapped), "{name} {value}");
        assert_eq!(field(name).fit(value, Fail), saturated, "{name} {value}");
    }
    for (name, value, saturated) in [
        ("u8", 256, 255),
        ("u8", -1, 255),
        ("u63", -1, i64::MAX),
        ("i8", -129, -128),
        ("i8", -9_223_372_036_854_775_680, -128),
        ("i8", -9_223_372_036_854_775_681, 127),
        ("i8", i64::MIN, 127),
        ("i64", i64::MIN, i64::MIN),
    ] {
        assert_eq!(field(name).fit(value, Saturate), Some(saturated), "{name} {value}");
    }
}

#[test]
fn increments() {
    for (name, value, increment, wrapped, saturated) in [
        ("u8", 250, 10, 4, 255),
        ("u8", 5, -10, 251, 0),
        ("i8", 120, 10, -126, 127),
        ("i8", -120, -10, 126, -128),
        ("i64", i64::MAX, 1, i64::MIN, i64::MAX),
        ("i64", i64::MIN, -1, i64::MAX, i64::MIN),
        ("u63", i64::MAX, i64::MAX, i64::MAX - 1, i64::MAX),
        ("u63", 0, i64::MIN, 0, 0),
        ("i1", 0, i64::MAX, -1, 0),
    ] {
        assert_eq!(field(name).add(value, increment, Wrap), Some(wrapped), "{name} {value} {increment}");
        assert_eq!(field(name).add(value, increment, Saturate), Some(saturated), "{name} {value} {increment}");
        assert_eq!(field(name).add(value, increment, Fail), None, "{name} {value} {increment}");
    }
    assert_eq!(field("i64").add(-1, i64::MAX, Fail), Some(i64::MAX - 1));
}

#[test]
fn beyond_the_end() {
    let all = field("i64");
    assert_eq!((all.read(b"\xff", 0), all.read(b"\xff", 1), all.read(b"\xff", 8)), (-1 << 56, -2 << 56, 0));
    assert_eq!(all.read(b"\xff", u64::MAX), 0);
    let mut bytes = [0];
    all.write(&mut bytes, u64::MAX, -1);
    all.write(&mut bytes, 4, -1);
    assert_eq!(bytes, [0x0f]);
    assert_eq!((all.bytes_needed(0), all.bytes_needed(1), field("u1").bytes_needed(7)), (8, 9, 1));
}

proptest! {
    #[test]
    fn bit_by_bit(
        mut bytes in prop::collection::vec(any::<u8>(), 0..30),
        signed: bool, bits in 1u32..=64, offset in 0u64..250, value: i64,
    ) {
        let field = Field { signed, bits: if signed { bits } else { bits.min(63) } };
        let places = || (0..u64::from(field.bits)).map(|bit| offset + bit);
        let read = |bytes: &[u8]| {
            let bits = places().fold(0u64, |value, place| value << 1 | u64::from(get(bytes, place)));
            let negative = field.signed && bits >> (field.bits - 1) & 1 == 1;
            i128::from(bits) - if negative { 1 << field.bits } else { 0 }
        };
        prop_assert_eq!(i128::from(field.read(&bytes, offset)), read(&bytes));
        let mut expected = bytes.clone();
        for (from_last, place) in places().rev().enumerate() {
            set(&mut expected, place, value >> from_last & 1 == 1);
        }
        field.write(&mut bytes, offset, value);
        prop_assert_eq!(bytes, expected);
    }

    #[test]
    fn what_fits_is_kept_and_everything_else_is_brought_into_range(
        signed: bool, bits in 1u32..=64, value: i64, increment: i64, shift in 0u32..64,
    ) {
        let field = Field { signed, bits: if signed { bits } else { bits.min(63) } };
        let (value, increment) = (field.wrap(value >> shift), increment >> shift);
        let range = i128::from(field.min())..=i128::from(field.max());
        prop_assert!(range.contains(&value.into()));
        prop_assert_eq!(field.fit(value, Fail), Some(value));
        let sum = i128::from(value) + i128::from(increment);
        let added = |overflow| i128::from(field.add(value, increment, overflow).unwrap());
        let (wrapped, saturated) = (added(Wrap), added(Saturate));
        prop_assert_eq!(saturated, sum.clamp(*range.start(), *range.end()));
        prop_assert_eq!((wrapped - sum).rem_euclid(1 << field.bits), 0);
        prop_assert!(range.contains(&wrapped));
        prop_assert_eq!(field.add(value, increment, Fail), range.contains(&sum).then_some(sum as i64));
    }
}
