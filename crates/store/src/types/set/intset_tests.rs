//! Tests of the block of integers.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn of(values: &[i64]) -> IntSet {
    let mut set = IntSet::new();
    values.iter().for_each(|&value| assert!(set.insert(value)));
    set
}

#[test]
fn the_bytes_are_redis_s() {
    assert_eq!(IntSet::new().as_bytes(), [2, 0, 0, 0, 0, 0, 0, 0]);
    let mut set = of(&[5, -2]);
    assert_eq!(set.as_bytes(), [2, 0, 0, 0, 2, 0, 0, 0, 0xfe, 0xff, 5, 0]);
    set.insert(65_536);
    assert_eq!(set.as_bytes(), [4, 0, 0, 0, 3, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 5, 0, 0, 0, 0, 0, 1, 0]);
    set.remove(65_536);
    set.remove(5);
    // As wide as before.
    assert_eq!(set.as_bytes(), [4, 0, 0, 0, 1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
    set.insert(i64::MIN);
    let expected = [[8, 0, 0, 0, 2, 0, 0, 0], i64::MIN.to_le_bytes(), (-2i64).to_le_bytes()];
    assert_eq!(set.as_bytes(), expected.concat());
}

#[test]
fn the_width_changes_exactly_where_it_has_to() {
    for (value, width) in [
        (i16::MIN as i64, 2),
        (i16::MAX as i64, 2),
        (i16::MIN as i64 - 1, 4),
        (i16::MAX as i64 + 1, 4),
        (i32::MIN as i64, 4),
        (i32::MAX as i64, 4),
        (i32::MIN as i64 - 1, 8),
        (i32::MAX as i64 + 1, 8),
        (i64::MIN, 8),
        (i64::MAX, 8),
    ] {
        let set = of(&[0, value]);
        assert_eq!(set.as_bytes()[0], width, "{value}");
        assert!(set.contains(value) && set.contains(0) && !set.contains(1) && !set.contains(value ^ 1));
    }
}

#[test]
fn what_is_no_block_is_refused_with_its_offset() {
    let good = of(&[1, 2, 3]).as_bytes().to_vec();
    assert_eq!(IntSet::from_bytes(good.clone()), Ok(of(&[1, 2, 3])));
    assert_eq!(IntSet::from_bytes(IntSet::new().as_bytes().to_vec()), Ok(IntSet::new()));
    for length in 0..good.len() {
        let offset = if length < HEADER { 0 } else { 4 };
        assert_eq!(IntSet::from_bytes(good[..length].to_vec()), Err(Corrupt(offset)), "{length}");
    }
    assert_eq!(IntSet::from_bytes([&good[..], &[0]].concat()), Err(Corrupt(4)));
    let changed = |at: usize, byte| {
        let mut bad = good.clone();
        bad[at] = byte;
        IntSet::from_bytes(bad)
    };
    for width in [0, 1, 3, 5, 6, 7, 9, 16, 255] {
        assert_eq!(changed(0, width), Err(Corrupt(0)), "{width}");
    }
    assert_eq!(changed(3, 1), Err(Corrupt(0)));
    assert_eq!(changed(0, 4), Err(Corrupt(4)));
    assert_eq!(changed(4, 2), Err(Corrupt(4)));
    assert_eq!(changed(7, 255), Err(Corrupt(4)));
    // Twice the same, and descending.
    assert_eq!(changed(10, 1), Err(Corrupt(10)));
    assert_eq!(changed(12, 0), Err(Corrupt(12)));
    assert_eq!(changed(13, 0x80), Err(Corrupt(12)));
}

proptest! {
    #[test]
    fn behaves_like_a_sorted_set(steps in prop::collection::vec((any::<bool>(), any::<i64>(), 0u32..64), 0..200)) {
        let mut set = IntSet::new();
        let mut model = BTreeSet::new();
        let mut width = 2;
        for (add, value, shift) in steps {
            let value = value >> shift;
            prop_assert_eq!(set.contains(value), model.contains(&value));
            if add {
                prop_assert_eq!(set.insert(value), model.insert(value));
                width = width.max(width_of(value));
            } else {
                prop_assert_eq!(set.remove(value), model.remove(&value));
            }
            prop_assert_eq!((set.len(), set.width(), set.is_empty()), (model.len(), width, model.is_empty()));
            prop_assert_eq!(set.get(model.len()), None);
        }
        prop_assert_eq!(set.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(set.get(0), model.first().copied());
        prop_assert_eq!(IntSet::from_bytes(set.as_bytes().to_vec()), Ok(set));
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        width in prop::sample::select(vec![2u8, 4, 8]),
        count in 0u8..8,
        data in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let bytes = [&[width, 0, 0, 0, count, 0, 0, 0], &data[..]].concat();
        if let Ok(set) = IntSet::from_bytes(bytes) {
            let values: Vec<i64> = set.iter().collect();
            prop_assert!(values.is_sorted_by(|a, b| a < b) && values.len() == usize::from(count));
        }
    }
}
