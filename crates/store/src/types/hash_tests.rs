//! Tests of the hash.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SMALL: Limits = Limits { max_packed_entries: 8, max_packed_value: 10 };

/// A generator for tests.
fn generator(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    }
}

fn filled(count: usize, limits: &Limits) -> Hash {
    let mut hash = Hash::new();
    for i in 0..count {
        assert!(hash.set(format!("f{i}").as_bytes(), i.to_string().as_bytes(), limits));
    }
    hash
}

fn content(hash: &Hash) -> BTreeMap<Vec<u8>, Vec<u8>> {
    hash.iter().map(|(field, value)| (field.to_vec(), value.to_vec())).collect()
}

#[test]
fn converts_at_redis_s_limits_and_never_back() {
    let limits = Limits::default();
    let mut hash = filled(512, &limits);
    assert_eq!(hash.encoding(), "listpack");
    assert!(!hash.set(b"f0", &[b'x'; 64], &limits));
    assert_eq!(hash.encoding(), "listpack");
    assert!(hash.set(b"one more", b"", &limits));
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 513));
    for i in 1..512 {
        assert!(hash.remove(format!("f{i}").as_bytes()));
    }
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 2));

    for (field, value) in [(65, 1), (1, 65)] {
        let mut hash = filled(3, &limits);
        assert!(hash.set(&vec![b'a'; field], &vec![b'b'; value], &limits));
        assert_eq!((hash.encoding(), hash.len()), ("hashtable", 4));
    }
    // Also for a field that is there, and was not too long before.
    let mut hash = filled(3, &limits);
    assert!(!hash.set(b"f1", b"x", &Limits { max_packed_value: 1, ..limits }));
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 3));
    let mut hash = filled(3, &limits);
    assert!(!hash.set(b"f1", &[b'x'; 65], &limits));
    assert_eq!((hash.encoding(), hash.len(), hash.get(b"f1").unwrap().len()), ("hashtable", 3, 65));
}

#[test]
fn a_packed_hash_is_redis_s_listpack() {
    let mut hash = Hash::new();
    hash.set(b"b", b"1", &SMALL);
    hash.set(b"a", b"x", &SMALL);
    hash.set(b"b", b"2", &SMALL);
    let mut packed = Packed::new();
    packed.insert_all(None, &[b"b", b"2", b"a", b"x"]);
    assert_eq!(hash.as_packed(), Some(&packed));
    assert_eq!(content(&Hash::from_packed(packed.clone(), &SMALL).unwrap_or_default()), content(&hash));
    hash.remove(b"b");
    assert_eq!(hash.as_packed().unwrap().iter().map(|element| element.to_vec()).collect::<Vec<_>>(), [b"a", b"x"]);
}

#[test]
fn a_foreign_block_is_checked_and_converted() {
    let from = |texts: &[&[u8]]| {
        let mut packed = Packed::new();
        packed.insert_all(None, texts);
        Hash::from_packed(packed, &SMALL).map(|hash| (hash.encoding(), hash.len())).ok()
    };
    assert_eq!(from(&[]), Some(("listpack", 0)));
    assert_eq!(from(&[b"1", b"1", b"a", b"1"]), Some(("listpack", 2)));
    assert_eq!(from(&[b"a"]), None);
    assert_eq!(from(&[b"a", b"1", b"b"]), None);
    assert_eq!(from(&[b"a", b"1", b"b", b"1", b"a", b"2"]), None);
    assert_eq!(from(&[b"7", b"1", b"7", b"1"]), None);
    assert_eq!(from(&[b"a", b"1234567890"]), Some(("listpack", 1)));
    assert_eq!(from(&[b"a", b"12345678901"]), Some(("hashtable", 1)));
    assert_eq!(from(&[b"1234567890", b"a"]), Some(("listpack", 1)));
    assert_eq!(from(&[b"12345678901", b"a"]), Some(("hashtable", 1)));
    for (entries, encoding) in [(8, "listpack"), (9, "hashtable")] {
        let many: Vec<String> = (0..2 * entries).map(|i| i.to_string()).collect();
        assert_eq!(from(&many.iter().map(|text| text.as_bytes()).collect::<Vec<_>>()), Some((encoding, entries)));
    }
}

#[test]
fn a_field_is_not_taken_for_a_value() {
    let mut hash = Hash::new();
    hash.set(b"a", b"b", &SMALL);
    assert!(!hash.contains(b"b") && !hash.remove(b"b"));
    assert!(hash.set_if_absent(b"b", b"a", &SMALL));
    assert!(!hash.set_if_absent(b"b", b"c", &SMALL));
    assert_eq!(hash.get(b"b"), Some(Element::Text(b"a")));
}

#[test]
fn an_update_sees_the_value_and_may_fail() {
    for count in [3, 100] {
        let mut hash = filled(count, &SMALL);
        let increase = |value: Option<Element<'_>>| match value.map_or(Some(0), |value| value.as_integer()) {
            Some(value) => Ok((value + 5).to_string()),
            None => Err("not an integer"),
        };
        assert_eq!(hash.update(b"f2", &SMALL, increase), Ok(false));
        assert_eq!(hash.update(b"new", &SMALL, increase), Ok(true));
        assert_eq!((hash.get(b"f2"), hash.get(b"new")), (Some(Element::Integer(7)), Some(Element::Integer(5))));
        hash.set(b"f0", b"x", &SMALL);
        assert_eq!(hash.update(b"f0", &SMALL, increase), Err("not an integer"));
        assert_eq!((hash.get(b"f0"), hash.len()), (Some(Element::Text(b"x")), count + 1));
    }
}

#[test]
fn random_fields_come_with_their_values() {
    for count in [0, 1, 5, 40, 200] {
        let hash = filled(count, &SMALL);
        let check = |field: Element<'_>, value: Element<'_>| {
            assert_eq!(field.to_vec(), [b"f", value.to_vec().as_slice()].concat());
        };
        assert_eq!(hash.random(generator(1)).is_none(), count == 0);
        let mut number = generator(4);
        let mut any = std::collections::HashSet::new();
        for (field, value) in (0..4000).filter_map(|_| hash.random(&mut number)) {
            check(field, value);
            any.insert(field.to_vec());
        }
        assert_eq!(any.len(), count);
        let (mut repeated, mut seen) = (0, std::collections::HashSet::new());
        hash.random_repeated(4000, generator(2), |field, value| {
            check(field, value);
            repeated += 1;
            seen.insert(field.to_vec());
        });
        assert_eq!((repeated, seen.len()), (if count == 0 { 0 } else { 4000 }, count));
        for wanted in [0, 1, count / 4, count / 2, count, count + 1] {
            let mut distinct = std::collections::HashSet::new();
            hash.random_distinct(wanted, generator(3), |field, value| {
                check(field, value);
                assert!(distinct.insert(field.to_vec()));
            });
            assert_eq!(distinct.len(), wanted.min(count));
        }
    }
}

#[test]
fn a_scan_across_a_conversion_finds_what_stays() {
    let mut hash = filled(8, &SMALL);
    let mut seen = 0;
    assert_eq!(hash.scan(0, |_, _| seen += 1), 0);
    assert_eq!(seen, 8);
    for i in 8..500 {
        hash.set(format!("f{i}").as_bytes(), b"", &SMALL);
    }
    let (mut cursor, mut seen, mut next) = (0, std::collections::HashSet::new(), 500);
    loop {
        cursor = hash.scan(cursor, |field, _| {
            seen.insert(field.to_vec());
        });
        if cursor == 0 {
            break;
        }
        // Grows meanwhile, but not faster than the scan goes on.
        for _ in 0..if next < 5000 { 20 } else { 0 } {
            hash.set(format!("f{next}").as_bytes(), b"", &SMALL);
            next += 1;
        }
    }
    assert!((0..500).all(|i| seen.contains(format!("f{i}").as_bytes())));
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>, Vec<u8>),
    SetIfAbsent(Vec<u8>, Vec<u8>),
    Append(Vec<u8>),
    Remove(Vec<u8>),
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => (-20i64..20).prop_map(|value| value.to_string().into_bytes()),
        3 => prop::collection::vec(b'a'..b'd', 0..3),
        1 => (8usize..30).prop_map(|size| vec![b'x'; size]),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (text(), text()).prop_map(|(field, value)| Step::Set(field, value)),
        1 => (text(), text()).prop_map(|(field, value)| Step::SetIfAbsent(field, value)),
        1 => text().prop_map(Step::Append),
        2 => text().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #[test]
    fn behaves_like_a_map(steps in steps(), entries in 0usize..30, longest in 0usize..12, budget in 1usize..50) {
        let limits = Limits { max_packed_entries: entries, max_packed_value: longest };
        let mut hash = Hash::new();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        // Redis's rule: packed until an insertion breaks a limit.
        let mut packed = true;
        for step in steps {
            let mut written = None;
            match step {
                Step::Set(field, value) => {
                    let new = hash.set(&field, &value, &limits);
                    written = Some(field.len().max(value.len()));
                    prop_assert_eq!(new, model.insert(field, value).is_none());
                }
                Step::SetIfAbsent(field, value) => {
                    let new = hash.set_if_absent(&field, &value, &limits);
                    prop_assert_eq!(new, !model.contains_key(&field));
                    if new {
                        written = Some(field.len().max(value.len()));
                        model.insert(field, value);
                    }
                }
                Step::Append(field) => {
                    let old = model.get(&field).cloned();
                    let new = [old.clone().unwrap_or_default(), b"+".to_vec()].concat();
                    let added = hash.update(&field, &limits, |value| {
                        assert_eq!(value.map(|value| value.to_vec()), old);
                        Ok::<_, ()>(&new)
                    });
                    prop_assert_eq!(added, Ok(old.is_none()));
                    written = Some(field.len().max(new.len()));
                    model.insert(field, new);
                }
                Step::Remove(field) => prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
            }
            packed &= written.is_none_or(|size| size <= longest && model.len() <= entries);
            prop_assert_eq!(hash.encoding(), if packed { "listpack" } else { "hashtable" });
            prop_assert_eq!(hash.len(), model.len());
        }
        prop_assert_eq!(&content(&hash), &model);
        for (field, value) in &model {
            prop_assert_eq!(hash.get(field), Some(Element::of(value)));
        }
        if let Some(packed) = hash.as_packed() {
            let again = Hash::from_packed(packed.clone(), &limits).map(|hash| content(&hash));
            prop_assert_eq!(again.ok(), Some(model));
        }
        while hash.free_some(budget) {}
        prop_assert!(hash.is_empty());
    }
}
