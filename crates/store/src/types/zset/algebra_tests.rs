use super::super::sorted_set::Limits;
use super::*;
use crate::types::set;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sorted(entries: &[(&str, f64)]) -> SortedSet {
    let mut set = SortedSet::new();
    for (member, score) in entries {
        set.insert(member.as_bytes(), Score::new(*score).unwrap(), &Limits::default());
    }
    set
}

fn plain(members: &[&str]) -> Set {
    let mut set = Set::new();
    for member in members {
        set.add(member.as_bytes(), &set::Limits::default());
    }
    set
}

fn weighted<'a>(source: Source<'a>, weight: f64) -> Weighted<'a> {
    Weighted { source, weight }
}

fn listed<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<(String, f64)> {
    let text = |member: Element<'_>| String::from_utf8(member.to_vec()).unwrap();
    in_order(entries).into_iter().map(|entry| (text(entry.member), entry.score.get())).collect()
}

fn expected(entries: &[(&str, f64)]) -> Vec<(String, f64)> {
    entries.iter().map(|(member, score)| ((*member).into(), *score)).collect()
}

/// An infinity less itself is 0, at once: what comes after it is added to that. The sets come in the order of their sizes.
#[test]
fn infinities_that_meet_are_nothing() {
    const INF: f64 = f64::INFINITY;
    let sums = |sets: &[&[(&str, f64)]], weights: &[f64]| {
        let sets: Vec<_> = sets.iter().map(|entries| sorted(entries)).collect();
        let sets: Vec<_> = sets.iter().zip(weights).map(|(set, by)| weighted(Source::Sorted(set), *by)).collect();
        let of_a = |all: Vec<(String, f64)>| all.into_iter().find(|(member, _)| member == "a").map(|(_, score)| score);
        [of_a(listed(union(&sets, Aggregate::Sum))), of_a(listed(intersection(&sets, Aggregate::Sum)))]
    };
    assert_eq!(sums(&[&[("a", INF)], &[("a", -INF)]], &[1.0, 1.0]), [Some(0.0); 2]);
    assert_eq!(sums(&[&[("a", INF)], &[("a", -INF)], &[("a", 1.0)]], &[1.0; 3]), [Some(1.0); 2]);
    assert_eq!(sums(&[&[("a", INF)]], &[0.0]), [Some(0.0); 2]);
    assert_eq!(sums(&[&[("a", INF)], &[("a", INF)]], &[1.0, -1.0]), [Some(0.0); 2]);
    let many = [("a", INF), ("b", 0.0), ("c", 0.0)];
    assert_eq!(sums(&[&many, &[("a", -INF)], &[("a", 1.0), ("b", 0.0)]], &[1.0; 3]), [Some(0.0); 2]);
}

#[test]
fn equal_scores_are_in_the_order_of_members() {
    let members: Vec<String> = (10..40).map(|number| format!("m{number}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let found = listed(union(&[weighted(Source::Plain(&plain(&members)), 1.0)], Aggregate::Sum));
    assert!(found.iter().map(|(member, _)| member).eq(&members));
}

#[test]
fn weights_and_aggregates() {
    let (one, other) = (sorted(&[("a", 1.0), ("b", 2.0), ("7", 3.0)]), sorted(&[("b", 5.0), ("7", -1.0), ("c", 0.0)]));
    let sets = [weighted(Source::Sorted(&one), 2.0), weighted(Source::Sorted(&other), 1.0)];
    assert_eq!(listed(union(&sets, Aggregate::Sum)), expected(&[("c", 0.0), ("a", 2.0), ("7", 5.0), ("b", 9.0)]));
    assert_eq!(listed(union(&sets, Aggregate::Min)), expected(&[("7", -1.0), ("c", 0.0), ("a", 2.0), ("b", 4.0)]));
    assert_eq!(listed(union(&sets, Aggregate::Max)), expected(&[("c", 0.0), ("a", 2.0), ("b", 5.0), ("7", 6.0)]));
    assert_eq!(listed(intersection(&sets, Aggregate::Sum)), expected(&[("7", 5.0), ("b", 9.0)]));
    assert_eq!(listed(intersection(&sets, Aggregate::Min)), expected(&[("7", -1.0), ("b", 4.0)]));
    assert_eq!(listed(difference(Source::Sorted(&one), &[Source::Sorted(&other)])), expected(&[("a", 1.0)]));
}

#[test]
fn sets_and_nothing() {
    let (zset, set) = (sorted(&[("1", 5.0), ("a", 1.0)]), plain(&["1", "2"]));
    let sets = [weighted(Source::Sorted(&zset), 1.0), weighted(Source::Plain(&set), 10.0)];
    assert_eq!(listed(union(&sets, Aggregate::Sum)), expected(&[("a", 1.0), ("2", 10.0), ("1", 15.0)]));
    assert_eq!(listed(intersection(&sets, Aggregate::Sum)), expected(&[("1", 15.0)]));
    assert_eq!(listed(difference(Source::Plain(&set), &[Source::Sorted(&zset)])), expected(&[("2", 1.0)]));
    let sets = [sets[0], weighted(Source::Empty, 1.0)];
    assert_eq!(listed(union(&sets, Aggregate::Sum)), expected(&[("a", 1.0), ("1", 5.0)]));
    assert_eq!(listed(intersection(&sets, Aggregate::Sum)), []);
    assert_eq!(listed(intersection(&[], Aggregate::Sum)), []);
    assert_eq!(listed(difference(Source::Empty, &[Source::Sorted(&zset)])), []);
}

#[test]
fn infinities_that_have_no_sum() {
    let (low, high) = (sorted(&[("a", f64::NEG_INFINITY)]), sorted(&[("a", f64::INFINITY)]));
    let both = |one, other| [weighted(Source::Sorted(&low), one), weighted(Source::Sorted(&high), other)];
    for sets in [both(1.0, 1.0), both(0.0, 0.0), both(-1.0, -1.0)] {
        assert_eq!(listed(union(&sets, Aggregate::Sum)), expected(&[("a", 0.0)]));
        assert_eq!(listed(intersection(&sets, Aggregate::Sum)), expected(&[("a", 0.0)]));
    }
    // The second weight makes nothing a number: a union calls it 0, an intersection passes over it.
    assert_eq!(listed(union(&both(1.0, 0.0), Aggregate::Max)), expected(&[("a", 0.0)]));
    assert_eq!(listed(intersection(&both(1.0, 0.0), Aggregate::Max)), expected(&[("a", f64::NEG_INFINITY)]));
}

proptest! {
    /// Both ways of subtracting, with the first set among the others and without.
    #[test]
    fn differences(
        first in vec((0..200u8, -5..5i8), 0..100),
        others in vec(vec(0..200u8, 0..20), 0..12),
        itself: bool,
    ) {
        let model: BTreeMap<u8, i8> = first.iter().copied().collect();
        let mut set = SortedSet::new();
        for (member, score) in &first {
            set.insert(member.to_string().as_bytes(), Score::new((*score).into()).unwrap(), &Limits::default());
        }
        let sets: Vec<Set> = others.iter().map(|members| {
            let members: Vec<String> = members.iter().map(u8::to_string).collect();
            plain(&members.iter().map(String::as_str).collect::<Vec<_>>())
        }).collect();
        let mut sources: Vec<Source<'_>> = sets.iter().map(Source::Plain).collect();
        if itself {
            sources.push(Source::Sorted(&set));
        }
        let left = model.iter().filter(|(member, _)| !itself && !others.iter().any(|other| other.contains(member)));
        let mut left: Vec<(String, f64)> = left.map(|(member, score)| (member.to_string(), (*score).into())).collect();
        left.sort_by(|one, other| one.1.total_cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
        prop_assert_eq!(listed(difference(Source::Sorted(&set), &sources)), left);
    }
}
