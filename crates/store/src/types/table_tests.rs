//! Tests of the table.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// A generator for tests.
fn generator(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    }
}

fn filled(count: u32) -> Table<()> {
    let mut table = Table::new();
    for i in 0..count {
        table.insert(&i.to_le_bytes(), ());
    }
    table
}

#[test]
fn few_entries_take_little_memory() {
    assert!(filled(2).allocated() <= 4 * 24);
    assert!(matches!(filled(FEW as u32).form, Form::Few(_)));
    assert!(matches!(filled(FEW as u32 + 1).form, Form::Many(_)));
}

#[test]
fn a_choice_of_distinct_entries_is_uniform() {
    let mut random = generator(3);
    for (len, count) in [(10, 4), (FEW as u32, 60), (200, 5), (200, 150), (200, 66)] {
        let table = filled(len);
        let mut picked: HashMap<u32, u32> = HashMap::new();
        let rounds = 1000 * len / count as u32;
        for _ in 0..rounds {
            let mut seen = HashSet::new();
            table.random_distinct(count, &mut random, |key, ()| {
                assert!(seen.insert(key.to_vec()));
                *picked.entry(u32::from_le_bytes(key.try_into().unwrap())).or_default() += 1;
            });
            assert_eq!(seen.len(), count);
        }
        // About a thousand each, with a deviation of at most the root of that.
        assert_eq!(picked.len(), len as usize);
        for n in picked.values() {
            assert!((800..1200).contains(n), "{n} of {rounds} for {count} of {len}");
        }
    }
}

#[test]
fn more_than_there_is_are_all() {
    for len in [0, 1, FEW as u32, 300] {
        for count in [len as usize, usize::MAX] {
            let mut found = 0;
            filled(len).random_distinct(count, generator(1), |_, ()| found += 1);
            assert_eq!(found, len);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u16, usize),
    Take(u16),
    TakeRandom,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u16..200, prop_oneof![0usize..60, 16_380usize..16_390]).prop_map(|(key, size)| Step::Put(key, size)),
        1 => (0u16..200).prop_map(Step::Take),
        1 => Just(Step::TakeRandom),
    ];
    prop::collection::vec(step, 0..400)
}

fn key(key: u16) -> Vec<u8> {
    // Some are longer than fits in an entry.
    key.to_string().repeat(usize::from(key % 15) + 1).into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn behaves_like_a_map(steps in steps(), budget in 1usize..100, seed: u64) {
        let mut table: Table<Bytes> = Table::new();
        let mut model: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let mut random = generator(seed);
        for step in steps {
            match step {
                Step::Put(number, size) => {
                    let key = key(number);
                    let content = vec![b'x'; size];
                    match table.find(&key) {
                        Some(place) => table.update(place, |value| value.assign(Content::Borrowed(&content))),
                        None => table.insert(&key, Bytes::from(Content::Borrowed(&content))),
                    }
                    model.insert(key, size);
                }
                Step::Take(number) => {
                    let key = key(number);
                    let taken = table.find(&key).and_then(|place| table.remove(place));
                    prop_assert_eq!(taken.map(|(_, value)| value.len()), model.remove(&key));
                }
                Step::TakeRandom => {
                    let taken = table.random(&mut random).and_then(|place| table.remove(place));
                    prop_assert_eq!(taken.is_none(), model.is_empty());
                    if let Some((key, value)) = taken {
                        prop_assert_eq!(Some(value.len()), model.remove(key.as_slice()));
                    }
                }
            }
            prop_assert_eq!(table.len(), model.len());
        }
        let content: usize = table.iter().map(|(key, value)| {
            Bytes::from(Content::Borrowed(key)).allocated() + value.allocated()
        }).sum();
        prop_assert_eq!(table.content, content);
        let found: BTreeMap<_, _> = table.iter().map(|(key, value)| (key.to_vec(), value.len())).collect();
        prop_assert_eq!(&found, &model);
        let mut scanned = BTreeMap::new();
        let mut cursor = 0;
        loop {
            cursor = table.scan(cursor, |key, value| {
                scanned.insert(key.to_vec(), value.len());
            });
            if cursor == 0 {
                break;
            }
        }
        prop_assert_eq!(&scanned, &model);
        let mut left = model.len();
        while table.free_some(budget) {
            left -= budget;
            prop_assert_eq!(table.len(), left);
        }
        prop_assert!(left <= budget && table.len() == 0 && table.content == 0);
    }
}
