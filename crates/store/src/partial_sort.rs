//! Sorting only as much as is asked for.

use std::cmp::Ordering;
use std::ops::Range;

/// Brings the elements at the places `wanted` into order; the others are somewhere. Redis does so for SORT with LIMIT
/// and for GEOSEARCH with COUNT.
///
/// Elements that compare as equal come as in Redis: in their old order if all are wanted; otherwise as the quicksort of
/// Bentley and McIlroy ("Engineering a sort function", 1993) leaves them: the same ones are in front of a limit then.
pub fn partial_sort<T>(items: &mut [T], wanted: Range<usize>, compare: impl Fn(&T, &T) -> Ordering) {
    if wanted.start == 0 && wanted.end >= items.len() {
        return items.sort_by(compare);
    }
    const SMALL: usize = 7;
    // No more levels than that unless the elements were arranged to make quicksort slow.
    let levels = 2 * items.len().checked_ilog2().unwrap_or_default();
    let mut parts = vec![(0..items.len(), levels)];
    while let Some((part, levels)) = parts.pop() {
        let (start, items) = (part.start, &mut items[part]);
        if items.len() < SMALL || levels == 0 {
            items.sort_by(&compare);
            continue;
        }
        for half in partition(items, &compare) {
            let half = start + half.start..start + half.end;
            if half.len() > 1 && half.start < wanted.end && half.end > wanted.start {
                parts.push((half, levels - 1));
            }
        }
    }
}

/// Moves what is less than a middle element to the front and what is greater to the back; returns both parts.
fn partition<T>(items: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) -> [Range<usize>; 2] {
    let last = items.len() - 1;
    let middle = middle_of(items, compare);
    items.swap(0, middle);
    // Equal ones are collected at both ends, and brought to the middle at last.
    let (mut equal_front, mut front, mut back, mut equal_back) = (1, 1, last, last);
    loop {
        while front <= back {
            match compare(&items[front], &items[0]) {
                Ordering::Greater => break,
                Ordering::Equal => {
                    items.swap(equal_front, front);
                    equal_front += 1;
                }
                Ordering::Less => {}
            }
            front += 1;
        }
        while front <= back {
            match compare(&items[back], &items[0]) {
                Ordering::Less => break,
                Ordering::Equal => {
                    items.swap(back, equal_back);
                    equal_back -= 1;
                }
                Ordering::Greater => {}
            }
            back -= 1;
        }
        if front > back {
            break;
        }
        items.swap(front, back);
        (front, back) = (front + 1, back - 1);
    }
    let (less, greater) = (front - equal_front, equal_back - back);
    let moved = less.min(equal_front);
    (0..moved).for_each(|at| items.swap(at, front - moved + at));
    let moved = greater.min(last - equal_back);
    (0..moved).for_each(|at| items.swap(front + at, last + 1 - moved + at));
    [0..less, last + 1 - greater..last + 1]
}

/// The place of an element that is likely to be in the middle: of three, or of nine.
fn middle_of<T>(items: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    const SMALL: usize = 7;
    const LARGE: usize = 40;
    let less = |a: usize, b: usize| compare(&items[a], &items[b]) == Ordering::Less;
    let median = |a, b, c| match less(a, b) {
        true if less(b, c) => b,
        true if less(a, c) => c,
        true => a,
        false if less(c, b) => b,
        false if less(a, c) => a,
        false => c,
    };
    let (mut low, mut middle, mut high) = (0, items.len() / 2, items.len() - 1);
    if items.len() <= SMALL {
        return middle;
    }
    if items.len() > LARGE {
        let step = items.len() / 8;
        low = median(low, low + step, low + 2 * step);
        middle = median(middle - step, middle, middle + step);
        high = median(high - 2 * step, high - step, high);
    }
    median(low, middle, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// With redis-server 7.0.15: members at one of three places, GEORADIUS with ASC and COUNT.
    #[test]
    fn equal_ones_are_left_as_in_redis() {
        for (counts, wanted, expected) in [
            ([2, 1, 3], 3, &[0, 1, 2][..]),
            ([2, 3, 3], 2, &[1, 0]),
            ([4, 3, 5], 5, &[1, 2, 0, 3, 6]),
            ([13, 19, 18], 9, &[0, 8, 9, 10, 11, 12, 1, 2, 3]),
            ([1, 2, 1], 4, &[0, 1, 2, 3]),
        ] {
            let keys = (0..3).flat_map(|key| std::iter::repeat_n(key, counts[key]));
            let mut items: Vec<(usize, usize)> = keys.zip(0..).collect();
            partial_sort(&mut items, 0..wanted, |a, b| a.0.cmp(&b.0));
            let places: Vec<usize> = items[..wanted].iter().map(|item| item.1).collect();
            assert_eq!(places, expected, "{counts:?}");
        }
    }

    /// With redis-server 7.0.15: SORT BY ALPHA LIMIT of a list, with the keys that the digits are.
    #[test]
    fn equal_ones_of_any_order_are_left_as_in_redis() {
        for (keys, wanted, expected) in [
            ("2101201210", 0..10, &[2, 5, 9, 1, 3, 6, 8, 0, 4, 7][..]),
            ("2101201210", 3..10, &[6, 3, 1, 8, 4, 0, 7]),
            ("2101201210", 0..9, &[9, 2, 5, 6, 3, 1, 8, 4, 0]),
            ("0121222201021", 1..6, &[10, 8, 12, 1, 3]),
            ("1011012020020", 1..6, &[7, 10, 9, 4, 1]),
            ("1101000221002", 1..6, &[11, 10, 2, 4, 5]),
            ("2000010022201", 1..6, &[11, 2, 7, 4, 1]),
            ("0011011001012", 1..6, &[7, 8, 4, 10, 1]),
            ("2202221011110", 1..6, &[12, 2, 6, 8, 9]),
            ("0011200102111", 1..6, &[1, 5, 6, 8, 3]),
            ("1111201020200", 1..6, &[12, 7, 11, 9, 6]),
            ("0112121102211", 1..6, &[8, 2, 4, 6, 7]),
            ("01001221011220121100202211020022100221112100201100", 0..7, &[8, 19, 34, 21, 33, 29, 2]),
            ("01001221011220121100202211020022100221112100201100", 20..26, &[4, 7, 9, 10, 14, 16]),
            ("3433441143410321040433414040001140323414", 1..7, &[28, 33, 27, 25, 12, 16]),
            ("1230032340221420040302300011033330412202", 15..20, &[26, 27, 35, 39, 10]),
            ("203011000331413411330331024201134400113204223000", 40..46, &[22, 44, 33, 32, 26, 15]),
            ("1410422431434131121411141334030000421323432410113444021100233100", 3..9, &[62, 57, 28, 56, 52, 45]),
            ("1224410213244140032200403022100342012203030340433404000023234333", 30..36, &[2, 18, 19, 26, 27, 58]),
        ] {
            let mut items: Vec<(u8, usize)> = keys.bytes().zip(0..).collect();
            partial_sort(&mut items, wanted.clone(), |a, b| a.0.cmp(&b.0));
            let places: Vec<usize> = items[wanted.clone()].iter().map(|item| item.1).collect();
            assert_eq!(places, expected, "{keys} {wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_wanted_is_sorted(
            keys in prop_oneof![
                prop::collection::vec(0u8..4, 0..300), prop::collection::vec(any::<u8>(), 0..300),
                (0u8..200).prop_map(|length| (0..length).collect()),
                (0u8..200).prop_map(|length| (0..length).rev().collect()),
            ],
            (start, end) in (0usize..310, 0usize..310),
        ) {
            let mut items: Vec<(u8, usize)> = keys.into_iter().zip(0..).collect();
            let wanted = start.min(end).min(items.len())..end.max(start).min(items.len());
            let mut sorted = items.clone();
            sorted.sort();
            partial_sort(&mut items, wanted.clone(), |a, b| a.0.cmp(&b.0));
            let keys = |items: &[(u8, usize)]| items[wanted.clone()].iter().map(|item| item.0).collect::<Vec<_>>();
            prop_assert_eq!(keys(&items), keys(&sorted));
            items.sort();
            prop_assert_eq!(items, sorted);
        }
    }
}
