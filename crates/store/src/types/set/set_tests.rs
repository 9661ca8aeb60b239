//! Tests of the set.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// A generator for tests.
fn generator(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    }
}

fn content(set: &Set) -> BTreeSet<Vec<u8>> {
    set.iter().map(|member| member.to_vec()).collect()
}

#[test]
fn converts_at_redis_s_limit_or_the_first_text_and_never_back() {
    let limits = Limits::default();
    let mut set = Set::new();
    for i in 0..512 {
        assert!(set.add(i.to_string().as_bytes(), &limits));
    }
    assert!(!set.add(b"511", &limits));
    assert_eq!(set.encoding(), "intset");
    assert!(set.add(b"512", &limits));
    assert_eq!((set.encoding(), set.len()), ("hashtable", 513));
    assert!(set.remove(b"512"));
    assert_eq!(set.encoding(), "hashtable");

    for text in ["a", "", "01", "+1", " 1", "-0", "9223372036854775808"] {
        let mut set = Set::new();
        set.add(b"1", &limits);
        assert!(!set.contains(text.as_bytes()) && !set.remove(text.as_bytes()));
        assert!(set.add(text.as_bytes(), &limits));
        assert_eq!((set.encoding(), set.len()), ("hashtable", 2), "{text:?}");
        assert!(set.contains(text.as_bytes()) && set.contains(b"1"));
    }
}

#[test]
fn a_block_of_somebody_else_s_is_converted_if_too_long() {
    let mut integers = IntSet::new();
    (0..600).for_each(|value| assert!(integers.insert(value)));
    let set = Set::from_integers(integers.clone(), &Limits::default());
    assert_eq!((set.encoding(), set.len()), ("hashtable", 600));
    let set = Set::from_integers(integers.clone(), &Limits { max_intset_entries: 600 });
    assert_eq!((set.encoding(), set.as_integers()), ("intset", Some(&integers)));
}

#[test]
fn a_member_of_a_table_is_the_same_element_as_one_of_a_block() {
    let mut set = Set::new();
    set.add(b"x", &Limits::default());
    set.add(b"12", &Limits::default());
    assert!(set.iter().any(|member| member == Element::Integer(12)));
    assert!(set.contains_element(Element::Integer(12)) && !set.contains_element(Element::Integer(1)));
}

#[test]
fn each_member_is_picked_as_often() {
    let mut text = Set::new();
    let mut block = Set::new();
    for i in 0..20 {
        text.add(format!("m{i}").as_bytes(), &Limits::default());
        block.add(i.to_string().as_bytes(), &Limits::default());
    }
    for set in [text, block] {
        let mut picked: HashMap<Vec<u8>, u32> = HashMap::new();
        set.random_repeated(20_000, generator(1), |member| *picked.entry(member.to_vec()).or_default() += 1);
        for round in 0..4000 {
            set.random_distinct(5, generator(round), |member| *picked.entry(member.to_vec()).or_default() += 1);
        }
        assert_eq!(picked.len(), 20);
        assert!(picked.values().all(|n| (1800..2200).contains(n)), "{picked:?}");
    }
    let empty = Set::new();
    empty.random_repeated(5, generator(1), |_| panic!("there is none"));
    assert_eq!(empty.random(generator(1)), None);
}

#[test]
fn small_sets_of_texts_stay_small_in_memory() {
    let mut set = Set::new();
    set.add(b"red", &Limits::default());
    set.add(b"blue", &Limits::default());
    assert!(set.allocated() < 100, "{}", set.allocated());
    assert_eq!(set.encoding(), "hashtable");
}

#[test]
fn members_from_a_place_on() {
    for len in [5, 40, 200] {
        let mut set = Set::new();
        (0..len).for_each(|i| _ = set.add(format!("m{i}").as_bytes(), &Limits::default()));
        let all: Vec<_> = set.iter_from(0).map(|(place, member)| (place, member.to_vec())).collect();
        assert_eq!(all.iter().map(|(_, member)| member.clone()).collect::<BTreeSet<_>>(), content(&set));
        for (at, (place, _)) in all.iter().enumerate() {
            let rest: Vec<_> = set.iter_from(*place).map(|(place, member)| (place, member.to_vec())).collect();
            assert_eq!(rest, all[at..]);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<u8>),
    Remove(Vec<u8>),
    Pop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let member = || {
        prop_oneof![
            40 => (-300i64..300).prop_map(|value| value.to_string().into_bytes()),
            1 => prop::collection::vec(b'a'..b'd', 0..30),
        ]
    };
    let step = prop_oneof![
        4 => member().prop_map(Step::Add),
        1 => member().prop_map(Step::Remove),
        1 => Just(Step::Pop),
    ];
    prop::collection::vec(step, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn behaves_like_a_set(steps in steps(), max in 0usize..100, seed: u64, budget in 1usize..50) {
        let limits = Limits { max_intset_entries: max };
        let mut set = Set::new();
        let mut model = BTreeSet::new();
        let mut random = generator(seed);
        let mut block = true;
        for step in steps {
            match step {
                Step::Add(member) => {
                    let integer = number::parse(&member).is_some();
                    prop_assert_eq!(set.add(&member, &limits), model.insert(member));
                    block &= integer && model.len() <= max;
                }
                Step::Remove(member) => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                Step::Pop => {
                    let popped = set.pop(&mut random);
                    prop_assert_eq!(popped.is_none(), model.is_empty());
                    prop_assert!(popped.is_none_or(|member| model.remove(member.as_slice())));
                }
            }
            prop_assert_eq!(set.encoding(), if block { "intset" } else { "hashtable" });
            prop_assert_eq!(set.len(), model.len());
        }
        prop_assert_eq!(&content(&set), &model);
        prop_assert!(model.iter().all(|member| set.contains(member)));
        let mut scanned = BTreeSet::new();
        let mut cursor = 0;
        loop {
            cursor = set.scan(cursor, |member| {
                scanned.insert(member.to_vec());
            });
            if cursor == 0 {
                break;
            }
        }
        prop_assert_eq!(&scanned, &model);
        for count in [0, 1, model.len() / 4, model.len() / 2, model.len(), usize::MAX] {
            let mut distinct = BTreeSet::new();
            set.random_distinct(count, &mut random, |member| assert!(distinct.insert(member.to_vec())));
            prop_assert_eq!(distinct.len(), count.min(model.len()));
            prop_assert!(distinct.is_subset(&model));
        }
        while set.free_some(budget) {}
        prop_assert!(set.is_empty());
    }
}
