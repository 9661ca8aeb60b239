//! Tests of the longest common subsequence. The fixed matches are redis-server 7.0.15's.

use super::*;
use proptest::prelude::*;

fn compare_text<'a>(first: &'a str, second: &'a str) -> Comparison<'a> {
    Comparison::new(first.as_bytes(), second.as_bytes(), Limits::default()).unwrap()
}

fn matches(first: &str, second: &str) -> Vec<(Range<usize>, Range<usize>)> {
    compare_text(first, second).matches().map(|found| (found.first, found.second)).collect()
}

#[test]
fn the_matches_are_redis_s() {
    let comparison = compare_text("ohmytext", "mynewtext");
    assert_eq!((comparison.length(), comparison.sequence()), (6, b"mytext".to_vec()));
    assert_eq!(matches("ohmytext", "mynewtext"), [(4..8, 5..9), (2..4, 0..2)]);
    assert_eq!(matches("abcbdab", "bdcaba"), [(5..7, 3..5), (3..5, 0..2)]);
    assert_eq!(matches("aaa", "aa"), [(1..3, 0..2)]);
    assert_eq!(matches("ab", "ba"), [(1..2, 0..1)]);
    assert_eq!(matches("same", "same"), [(0..4, 0..4)]);
    for (first, second) in [("", ""), ("", "a"), ("a", ""), ("abc", "xyz")] {
        assert_eq!((matches(first, second), compare_text(first, second).sequence()), (vec![], vec![]));
    }
}

#[test]
fn a_long_part_without_the_byte_between_two_with_it() {
    let long = format!("a{}a", "b".repeat(127));
    assert_eq!(matches("a", &long), [(0..1, 128..129)]);
    assert_eq!(compare_text("a", &long).sequence(), b"a");
}

#[test]
fn limits() {
    let limits = Limits { table_bytes: 4 * 6 * 4 };
    assert_eq!(length(b"abcde", b"bcd", limits), Ok(3));
    assert_eq!(length(b"abcde", b"bcde", limits), Err(TooLong::Table));
    assert_eq!(Comparison::new(b"abcdef", b"bcd", limits).err(), Some(TooLong::Table));
    assert_eq!(check(&[], &[], Limits { table_bytes: 3 }), Err(TooLong::Table));
}

/// The table as it is written down, with a number in each cell.
fn table(first: &[u8], second: &[u8]) -> Vec<Vec<u32>> {
    let mut table = vec![vec![0; second.len() + 1]; first.len() + 1];
    for (i, a) in first.iter().enumerate() {
        for (j, b) in second.iter().enumerate() {
            table[i + 1][j + 1] = if a == b { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
        }
    }
    table
}

/// The pairs that are found on the way back through the table: up only where the length is greater there than on the
/// left.
fn pairs(first: &[u8], second: &[u8]) -> Vec<(usize, usize)> {
    let table = table(first, second);
    let (mut i, mut j, mut pairs) = (first.len(), second.len(), Vec::new());
    while i > 0 && j > 0 {
        if first[i - 1] == second[j - 1] {
            (i, j) = (i - 1, j - 1);
            pairs.push((i, j));
        } else if table[i - 1][j] > table[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    pairs
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let letters = |letters: &'static [u8]| prop::collection::vec(prop::sample::select(letters), 0..150);
    prop_oneof![letters(b"ab"), letters(b"abcdef"), prop::collection::vec(any::<u8>(), 0..150)]
}

proptest! {
    #[test]
    fn like_the_whole_table(first in text(), second in text()) {
        let comparison = Comparison::new(&first, &second, Limits::default()).unwrap();
        let expected = table(&first, &second)[first.len()][second.len()] as usize;
        prop_assert_eq!(comparison.length(), expected);
        prop_assert_eq!(length(&first, &second, Limits::default()), Ok(expected));
        let (mut found, mut before) = (Vec::new(), None);
        for Match { first, second } in comparison.matches() {
            prop_assert!(!first.is_empty() && first.len() == second.len());
            prop_assert!(before != Some((first.end, second.end)), "two parts could be one");
            before = Some((first.start, second.start));
            found.extend(first.rev().zip(second.rev()));
        }
        let expected = pairs(&first, &second);
        let sequence: Vec<u8> = expected.iter().rev().map(|(at, _)| first[*at]).collect();
        prop_assert_eq!(comparison.sequence(), sequence);
        prop_assert_eq!(found, expected);
    }
}
