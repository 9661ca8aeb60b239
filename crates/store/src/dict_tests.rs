use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn put(dict: &mut Dict<u32>, key: &[u8], value: u32) {
    let hash = dict.hash(key);
    match dict.find(hash, key) {
        Some(id) => *dict.get_mut(id).unwrap() = value,
        None => {
            dict.insert(hash, key, value);
        }
    }
}

fn take(dict: &mut Dict<u32>, key: &[u8]) -> Option<u32> {
    let id = dict.find(dict.hash(key), key)?;
    dict.remove(id)
}

fn filled(count: u32) -> Dict<u32> {
    let mut dict = Dict::new();
    for i in 0..count {
        put(&mut dict, &i.to_le_bytes(), i);
    }
    dict
}

#[test]
fn grows_and_shrinks() {
    let mut dict = filled(10_000);
    while dict.step() {}
    assert_eq!(dict.tables[0].len(), 16384);
    for i in 0..9_990u32 {
        assert_eq!(take(&mut dict, &i.to_le_bytes()), Some(i));
        assert_eq!(take(&mut dict, &i.to_le_bytes()), None);
    }
    while dict.step() {}
    assert!(dict.tables[0].len() <= 128, "{} buckets for 10 entries", dict.tables[0].len());
    assert_eq!(dict.len(), 10);
    for i in 9_990..10_000u32 {
        assert_eq!(
            dict.find(dict.hash(&i.to_le_bytes()), &i.to_le_bytes()).map(|id| dict.get(id).unwrap().value),
            Some(i)
        );
    }
}

#[test]
fn no_change_gets_or_frees_more_than_a_few_segments() {
    let segments = |dict: &Dict<u32>| dict.tables.iter().map(|table| table.segments_in_use()).sum::<usize>();
    let mut dict = Dict::new();
    let mut before = 0;
    let mut check = |dict: &Dict<u32>| {
        let now = segments(dict);
        assert!(now.abs_diff(before) <= 3, "{before} and then {now} segments");
        before = now;
    };
    for i in 0..5_000u32 {
        put(&mut dict, &i.to_le_bytes(), i);
        check(&dict);
    }
    for i in 0..5_000u32 {
        take(&mut dict, &i.to_le_bytes());
        check(&dict);
    }
    let mut dict = filled(5_000);
    before = segments(&dict);
    while dict.drop_some(3) {
        let now = segments(&dict);
        assert!(before - now <= 6, "{before} and then {now} segments");
        before = now;
    }
    assert_eq!(before, 0);
}

#[test]
fn no_insert_moves_more_than_a_few_buckets() {
    let mut dict = Dict::new();
    let mut last = 0;
    for i in 0..100_000u32 {
        put(&mut dict, &i.to_le_bytes(), i);
        let moved = dict.moved.unwrap_or(0);
        assert!(moved <= last + EMPTY_VISITS);
        last = moved;
        // A resize ends before the next one is due.
        assert!(dict.len() <= 2 * dict.tables[0].len());
    }
}

#[test]
fn keys_with_the_same_hash_are_told_apart() {
    let mut dict = Dict::new();
    let ids = [&b"one"[..], b"two", b"three"].map(|key| dict.insert(7, key, key.len()));
    assert_eq!(
        [&b"one"[..], b"two", b"three", b"four"].map(|key| dict.find(7, key)),
        [Some(ids[0]), Some(ids[1]), Some(ids[2]), None]
    );
    assert_eq!(dict.remove(ids[1]), Some(3));
    assert_eq!(
        (dict.find(7, b"one"), dict.find(7, b"two"), dict.find(7, b"three")),
        (Some(ids[0]), None, Some(ids[2]))
    );
}

#[test]
fn random_reaches_every_entry() {
    let mut dict = filled(300);
    for i in 0..250u32 {
        take(&mut dict, &i.to_le_bytes());
    }
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    let mut seen = HashSet::new();
    for _ in 0..5000 {
        let id = dict.random(&mut random).unwrap();
        seen.insert(dict.get(id).unwrap().value);
    }
    assert_eq!(seen, (250..300).collect());
    assert_eq!(Dict::<u32>::new().random(random), None);
}

#[test]
fn random_finds_the_last_entry_of_a_table_that_was_large() {
    let mut dict = filled(50_000);
    for i in 0..49_999u32 {
        let id = dict.find(dict.hash(&i.to_le_bytes()), &i.to_le_bytes()).unwrap();
        // Without the steps of a resize, as if it had been lagging.
        let node = dict.nodes.get(id).unwrap();
        let (hash, next) = (node.hash, node.next);
        dict.unlink(hash, id + 1, next);
        dict.nodes.remove(id);
        dict.len -= 1;
    }
    for seed in 0..20u64 {
        let mut state = seed;
        let id = dict.random(|| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        });
        assert_eq!(dict.get(id.unwrap()).unwrap().value, 49_999);
    }
}

#[test]
fn random_is_uniform_in_a_dense_table_and_in_a_sparse_one() {
    // Those that stay are the first ones, or are everywhere.
    for (count, left, each) in [(200, 200, 1), (256, 30, 1), (10_000, 40, 1), (10_000, 300, 1), (10_000, 40, 250)] {
        let mut dict = filled(count);
        for i in (0..count).filter(|i| i % each != 0 || i / each >= left) {
            take(&mut dict, &i.to_le_bytes());
        }
        // Buckets are fewer once the resizes are over.
        while each > 1 && dict.step() {}
        let mut picked = vec![0f64; left as usize];
        let mut state = 7u64;
        let (draws, mut tries) = (500 * left, 0);
        for _ in 0..draws {
            let id = dict.random(|| {
                tries += 1;
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                state >> 33
            });
            picked[(dict.get(id.unwrap()).unwrap().value / each) as usize] += 1.0;
        }
        // Chi-squared: the mean is one less than the number of entries, the deviation the root of twice that.
        let chi: f64 = picked.iter().map(|&n| (n - 500.0) * (n - 500.0) / 500.0).sum();
        let freedom = f64::from(left - 1);
        assert!(chi < freedom + 6.0 * (2.0 * freedom).sqrt(), "{chi} for {left} of {count}");
        assert!(each == 1 || tries / draws < 100, "{tries} for {draws} picks");
    }
}

#[test]
fn is_dropped_in_pieces() {
    let mut dict = filled(1000);
    let mut calls = 1;
    while dict.drop_some(300) {
        calls += 1;
        assert_eq!((dict.len(), dict.iter_from(0).count()), (1000 - 300 * (calls - 1), 1000 - 300 * (calls - 1)));
        assert_eq!(dict.find(dict.hash(&0u32.to_le_bytes()), &0u32.to_le_bytes()), None);
        assert!(dict.random(|| 12345).is_some());
    }
    assert_eq!((calls, dict.len()), (4, 0));
    put(&mut dict, b"again", 1);
    assert_eq!(take(&mut dict, b"again"), Some(1));
}

/// Runs a whole scan and calls `between` after each step.
fn scan(dict: &mut Dict<u32>, mut between: impl FnMut(&mut Dict<u32>)) -> HashSet<u32> {
    let mut seen = HashSet::new();
    let mut cursor = 0;
    for _ in 0..1_000_000 {
        cursor = dict.scan(cursor, |node| {
            seen.insert(node.value);
        });
        if cursor == 0 {
            return seen;
        }
        between(dict);
    }
    panic!("the scan did not end");
}

#[test]
fn a_scan_of_a_quiet_table_sees_everything() {
    for count in [0, 1, 2, 15, 16, 17, 1000] {
        let mut dict = filled(count);
        while dict.step() {}
        assert_eq!(scan(&mut dict, |_| {}), (0..count).collect());
    }
}

#[test]
fn any_cursor_is_harmless() {
    let dict = filled(1000);
    for cursor in [1, 7, 1 << 20, u64::MAX, u64::MAX - 1, 1 << 63] {
        dict.scan(cursor, |_| {});
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u16, u32),
    Take(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u16..500, any::<u32>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => (0u16..500).prop_map(Step::Take),
    ];
    vec(step, 0..3000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn behaves_like_a_map(steps in steps()) {
        let mut dict = Dict::new();
        let mut model = HashMap::new();
        for step in steps {
            match step {
                Step::Put(key, value) => {
                    put(&mut dict, &key.to_le_bytes(), value);
                    model.insert(key, value);
                }
                Step::Take(key) => prop_assert_eq!(take(&mut dict, &key.to_le_bytes()), model.remove(&key)),
            }
            prop_assert_eq!(dict.len(), model.len());
        }
        let found: HashMap<u16, u32> = dict
            .iter_from(0)
            .map(|(_, node)| (u16::from_le_bytes(node.key.as_slice().try_into().unwrap()), node.value))
            .collect();
        prop_assert_eq!(&found, &model);
        for (key, value) in model {
            let id = dict.find(dict.hash(&key.to_le_bytes()), &key.to_le_bytes());
            prop_assert_eq!(id.map(|id| dict.get(id).unwrap().value), Some(value));
        }
    }

    /// Entries below `stay` are there all the time; others come and go by the hundreds between the steps of the
    /// scan, so that it meets tables growing, shrinking and half moved.
    #[test]
    fn a_scan_finds_what_stays(
        stay in 0u32..300,
        others in 0u32..3000,
        waves in vec((any::<bool>(), 0u32..2000, 0usize..50), 1..40),
    ) {
        let mut dict = filled(stay);
        for i in 0..others {
            put(&mut dict, &(1_000_000 + i).to_le_bytes(), 1_000_000 + i);
        }
        let mut waves = waves.into_iter().cycle().take(200);
        let seen = scan(&mut dict, |dict| {
            let Some((add, count, steps)) = waves.next() else { return };
            for i in 0..count {
                let key = 1_000_000 + i;
                if add {
                    put(dict, &key.to_le_bytes(), key);
                } else {
                    take(dict, &key.to_le_bytes());
                }
            }
            for _ in 0..steps {
                dict.step();
            }
        });
        for key in 0..stay {
            prop_assert!(seen.contains(&key), "{} was missed", key);
        }
    }
}
