//! Tests of union, intersection and difference.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

type Model = BTreeSet<Vec<u8>>;

fn of<T: AsRef<[u8]>>(members: impl IntoIterator<Item = T>) -> Set {
    let mut set = Set::new();
    for member in members {
        set.add(member.as_ref(), &Limits { max_intset_entries: 20 });
    }
    set
}

/// The members, which must be different ones.
fn collect<'a>(members: impl Iterator<Item = Element<'a>>) -> Model {
    let mut all = Model::new();
    members.for_each(|member| assert!(all.insert(member.to_vec()), "came twice"));
    all
}

#[test]
fn no_sets_and_empty_sets() {
    let (empty, some) = (Set::new(), of(["1", "2"]));
    assert_eq!(union(&[]).count(), 0);
    assert_eq!(intersection(&[]).count(), 0);
    assert_eq!(union(&[&empty, &some, &empty]).count(), 2);
    assert_eq!(intersection(&[&empty, &some]).count(), 0);
    assert_eq!(intersection(&[&some]).count(), 2);
    assert_eq!(difference(&some, &[]).count(), 2);
    assert_eq!(difference(&some, &[&empty]).count(), 2);
    assert_eq!(difference(&empty, &[&some]).count(), 0);
}

#[test]
fn a_set_with_itself() {
    let set = of(["1", "a", "b"]);
    assert_eq!(union(&[&set, &set]).count(), 3);
    assert_eq!(intersection(&[&set, &set, &set]).count(), 3);
    assert_eq!(difference(&set, &[&set]).count(), 0);
    let other = of(["1"]);
    let looked_into: Vec<usize> = distinct(&[&set, &other, &set, &other]).iter().map(|set| set.len()).collect();
    assert_eq!(looked_into, [3, 1]);
}

#[test]
fn integers_of_a_block_and_of_a_table_are_the_same() {
    let (block, table) = (of(["1", "2", "3"]), of(["2", "3", "x"]));
    assert_eq!(collect(intersection(&[&table, &block])), collect(of(["2", "3"]).iter()));
    assert_eq!(collect(difference(&block, &[&table])), collect(of(["1"]).iter()));
    assert_eq!(union(&[&block, &table]).count(), 4);
}

#[test]
fn both_ways_of_a_difference() {
    let numbers = |from: u32, to: u32| of((from..to).map(|i| i.to_string()));
    let first = numbers(0, 1000);
    let tiny: Vec<Set> = (0..100).map(|i| numbers(i * 20, i * 20 + 3)).collect();
    // Many small ones, which are looked for in the first; and one large one, in which the first is looked for.
    assert_eq!(difference(&first, &tiny.iter().collect::<Vec<_>>()).count(), 1000 - 50 * 3);
    assert_eq!(difference(&numbers(0, 10), &[&numbers(5, 5000)]).count(), 5);
}

#[test]
fn an_intersection_stops_at_a_limit() {
    let (a, b) = (of((0..1000).map(|i| i.to_string())), of((500..5000).map(|i| i.to_string())));
    assert_eq!(intersection(&[&a, &b]).take(10).count(), 10);
    assert_eq!(intersection(&[&a, &b]).count(), 500);
}

fn sets() -> impl Strategy<Value = Vec<Model>> {
    let member = prop_oneof![
        3 => (0u8..60).prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(b'a'..b'd', 0..4),
    ];
    let set = prop_oneof![
        prop::collection::btree_set(member, 0..60),
        prop::collection::btree_set((0u8..60).prop_map(|value| value.to_string().into_bytes()), 0..20),
    ];
    prop::collection::vec(set, 1..14)
}

proptest! {
    #[test]
    fn as_the_standard_library_s(models in sets()) {
        let sets: Vec<Set> = models.iter().map(of).collect();
        let sets: Vec<&Set> = sets.iter().collect();
        let all = models.iter().flatten().cloned().collect::<Model>();
        prop_assert_eq!(collect(union(&sets)), all);
        let common = models.iter().skip(1).fold(models[0].clone(), |common, set| &common & set);
        prop_assert_eq!(collect(intersection(&sets)), common);
        let rest = models.iter().skip(1).fold(models[0].clone(), |rest, set| &rest - set);
        prop_assert_eq!(collect(difference(sets[0], &sets[1..])), rest);
    }
}
