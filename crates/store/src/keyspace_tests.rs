use super::*;
use crate::number::Digits;
use crate::value::Kind;
use std::collections::HashSet;

fn content(keyspace: &Keyspace, id: EntryId) -> Vec<u8> {
    match keyspace.value(id) {
        Some(ValueRef::String(value)) => value.as_slice(&mut Digits::new()).to_vec(),
        _ => panic!("no such string"),
    }
}

#[test]
fn setting_again_takes_the_deadline_away_unless_kept() {
    for len in [1, 1000] {
        let text = |letter: &str| letter.repeat(len).into_bytes();
        let mut keyspace = Keyspace::new();
        let id = keyspace.set_string(b"k", &text("1")[..], false);
        let id = keyspace.set_deadline(id, 100);
        assert_eq!(keyspace.set_string(b"k", &text("2")[..], true), id);
        assert_eq!(keyspace.deadline(id), Some(100));
        let id = keyspace.set_string(b"k", &text("3")[..], false);
        assert_eq!((keyspace.deadline(id), keyspace.volatile_len()), (None, 0));
        assert_eq!(content(&keyspace, id), text("3"));
    }
}

#[test]
fn a_value_of_any_kind_keeps_the_deadline_of_another_if_it_is_told_to() {
    let list = || Value::from(crate::types::list::List::new());
    type Set = fn(&mut Keyspace, Value, bool) -> EntryId;
    let integer: Set = |keyspace, _, keep| keyspace.set_integer_at(keyspace.place(b"k"), b"k", 12, keep);
    let short: Set = |keyspace, _, keep| keyspace.set_string(b"k", b"short", keep);
    let long: Set = |keyspace, _, keep| keyspace.set_string(b"k", &[b'x'; 1000], keep);
    let collection: Set = |keyspace, list, keep| keyspace.set(b"k", list, keep);
    let kinds = [integer, short, long, collection];
    for (old, new) in (0..kinds.len()).flat_map(|old| (0..kinds.len()).map(move |new| (old, new))) {
        for (keep, deadline) in [(true, Some(100)), (false, None)] {
            let mut keyspace = Keyspace::new();
            let id = kinds[old](&mut keyspace, list(), false);
            keyspace.set_deadline(id, 100);
            let id = kinds[new](&mut keyspace, list(), keep);
            let found = (keyspace.deadline(id), keyspace.volatile_len());
            assert_eq!(found, (deadline, usize::from(keep)), "{old} {new} {keep}");
        }
    }
}

#[test]
fn the_memory_of_an_entry_has_its_key_and_its_value_in_it() {
    let mut keyspace = Keyspace::new();
    let id = keyspace.set_string(b"k", b"v", false);
    assert!((8..40).contains(&keyspace.entry_memory(id)), "{}", keyspace.entry_memory(id));
    let id = keyspace.set_string(&[b'k'; 1000], b"v", false);
    assert!((1000..1080).contains(&keyspace.entry_memory(id)), "{}", keyspace.entry_memory(id));
    let id = keyspace.set_string(b"k", &[b'v'; 1000], false);
    let least = 1000 + size_of::<Value>();
    assert!((least..least + 40).contains(&keyspace.entry_memory(id)), "{}", keyspace.entry_memory(id));
}

/// Removes what is due, up to `max` entries, and returns how many.
fn expire(keyspace: &mut Keyspace, now: i64, max: usize) -> usize {
    (0..max).take_while(|_| keyspace.due(now).is_some_and(|id| keyspace.remove(id).is_some())).count()
}

#[test]
fn what_is_due_comes_earliest_first() {
    let mut keyspace = Keyspace::new();
    for i in 0..100u8 {
        let id = keyspace.set_string(&[i], b"", false);
        if i % 2 == 0 {
            keyspace.set_deadline(id, i64::from(i));
        }
    }
    assert_eq!(expire(&mut keyspace, 49, 10), 10);
    assert!(keyspace.find(&[18]).is_none() && keyspace.find(&[20]).is_some());
    assert_eq!(expire(&mut keyspace, 49, 100), 15);
    assert_eq!(expire(&mut keyspace, 49, 100), 0);
    let first = keyspace.find(&[50]).unwrap();
    assert_eq!(keyspace.first_deadline(), Some((50, first)));
    assert_eq!((keyspace.due(50), keyspace.due(51)), (None, Some(first)));
    // The mean of 50, 52 and so on to 98.
    assert_eq!((keyspace.average_ttl(70), keyspace.average_ttl(100)), (4, 0));
    assert_eq!((keyspace.len(), keyspace.volatile_len()), (75, 25));
    for i in 0..100u8 {
        assert_eq!(keyspace.find(&[i]).is_some(), i % 2 == 1 || i >= 50, "{i}");
    }
}

#[test]
fn a_lookup_tells_what_has_expired() {
    let mut keyspace = Keyspace::new();
    let id = keyspace.set_string(b"k", b"", false);
    let id = keyspace.set_deadline(id, 100);
    assert_eq!(keyspace.lookup(b"k", 100), Found::Live(id));
    assert_eq!(keyspace.lookup(b"k", 101), Found::Expired(id));
    assert_eq!(keyspace.lookup(b"other", 100), Found::Missing);
}

#[test]
fn an_access_is_noted_until_the_entry_goes() {
    let mut keyspace = Keyspace::new();
    let id = keyspace.set_string(b"k", b"", false);
    keyspace.note_access(id, 9);
    keyspace.note_access(id, 7);
    assert_eq!(keyspace.access(id), 7);
    let id = keyspace.set_string(b"k", b"another", false);
    assert_eq!(keyspace.access(id), 7);
    keyspace.remove(id);
    let id = keyspace.set_string(b"k", b"", false);
    assert_eq!(keyspace.access(id), 0);
}

#[test]
fn removing_an_entry_removes_its_deadline() {
    let mut keyspace = Keyspace::new();
    let with_deadline = |i: u8| {
        let id = keyspace.set_string(&[i], b"", false);
        keyspace.set_deadline(id, 10 - i64::from(i))
    };
    let ids: Vec<EntryId> = (0..10u8).map(with_deadline).collect();
    for &id in &ids[..5] {
        assert!(keyspace.remove(id).is_some());
        assert!(keyspace.remove(id).is_none());
    }
    assert_eq!(keyspace.volatile_len(), 5);
    assert_eq!(keyspace.deadline(ids[9]), Some(1));
    assert!(keyspace.clear_deadline(ids[9]));
    assert!(!keyspace.find(&[9]).is_none_or(|id| keyspace.clear_deadline(id)));
    assert_eq!(expire(&mut keyspace, i64::MAX, 100), 4);
    assert_eq!(keyspace.len(), 1);
}

#[test]
fn every_entry_comes_by_chance_among_many_and_when_few_are_left() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 33
    };
    let mut keyspace = Keyspace::new();
    assert_eq!((keyspace.random(&mut random), keyspace.random_volatile(&mut random)), (None, None));
    let volatile = |i: u16| {
        let id = keyspace.set_string(&i.to_le_bytes(), b"", false);
        keyspace.set_deadline(id, 100)
    };
    let ids: Vec<EntryId> = (0..1000).map(volatile).collect();
    for left in [1000, 10, 1] {
        ids[left..].iter().for_each(|id| drop(keyspace.remove(*id)));
        let mut seen = [HashSet::new(), HashSet::new()];
        for _ in 0..20_000 {
            seen[0].extend(keyspace.random(&mut random));
            seen[1].extend(keyspace.random_volatile(&mut random));
        }
        let expected: HashSet<EntryId> = ids[..left].iter().copied().collect();
        assert!(seen.iter().all(|seen| *seen == expected), "{left}: {}, {}", seen[0].len(), seen[1].len());
    }
}

/// Sixteen bytes of key and of value, at every length of the table in a doubling.
#[test]
fn a_key_takes_few_bytes() {
    const MOST: usize = 51;
    const MOST_WITH_DEADLINE: usize = 59;
    for (ttl, most) in [(false, MOST), (true, MOST_WITH_DEADLINE)] {
        let mut keyspace = Keyspace::new();
        for number in 0..200_000 {
            let id = keyspace.set_string(format!("key:{number:012}").as_bytes(), b"sixteen bytes...", false);
            if ttl {
                keyspace.set_deadline(id, 1_800_000_000_000 + number / 100);
            }
            if number >= 50_000 && number % 1000 == 0 {
                let (table, deadlines) = keyspace.allocated();
                let each = (table + deadlines) / keyspace.len();
                assert!(each <= most, "{each} bytes a key at {number}, with a deadline: {ttl}");
            }
        }
        let full = keyspace.allocated().0;
        for number in (0..200_000).step_by(2) {
            let id = keyspace.find(format!("key:{number:012}").as_bytes()).expect("it is there");
            keyspace.delete(id);
        }
        for number in 0..200_000 {
            keyspace.set_string(format!("key:{number:012}").as_bytes(), b"sixteen bytes...", true);
        }
        assert!(keyspace.allocated().0 <= full * 12 / 10);
    }
}

/// A short number, a long text, a collection and back: everything is given back that is not needed.
#[test]
fn values_of_all_kinds_in_one_entry() {
    let mut keyspace = Keyspace::new();
    let long_key = vec![b'k'; 300];
    for key in [&b"k"[..], &long_key] {
        for text in [&b""[..], b"12", &[b'x'; 100], &[b'y'; 500], &[b'z'; 20_000], b"short"] {
            for deadline in [None, Some(5), Some(i64::MAX)] {
                let id = keyspace.set_string(key, text, true);
                let id = deadline.map_or(id, |at| keyspace.set_deadline(id, at));
                assert_eq!((keyspace.find(key), keyspace.key(id)), (Some(id), key));
                assert_eq!(content(&keyspace, id), text);
                assert_eq!(keyspace.stored(id).is_some(), text.len() > 450);
                let id = keyspace.set(key, StringValue::Integer(-3).into(), true);
                assert_eq!((content(&keyspace, id), keyspace.deadline(id)), (b"-3".to_vec(), deadline));
                let id = keyspace.replace(id, crate::types::list::List::empty(), false);
                assert_eq!(keyspace.value(id).map(ValueRef::type_name), Some("list"));
                assert!(keyspace.value_mut(id).is_some() && keyspace.deadline(id).is_none());
            }
        }
        let id = keyspace.find(key).expect("it is there");
        assert!(keyspace.remove(id).is_some());
        assert_eq!((keyspace.find(key), keyspace.len(), keyspace.volatile_len()), (None, 0, 0));
    }
    assert_eq!((keyspace.values.iter_from(0).count(), keyspace.keys.iter_from(0).count()), (0, 0));
    assert_eq!(keyspace.entries.ids().count(), 0);
}

/// A snapshot taken in steps while the content changes, as its owner does it: what is about to change is saved first.
mod snapshots {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Content = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

    #[derive(Clone, Debug)]
    enum Change {
        Set(u16, u8),
        Expire(u16, i64),
        Remove(u16),
        /// All keys in a range are added or removed, so that the table is resized.
        Many(u16, bool),
        /// The walk goes on.
        Walk(usize),
        /// The entries go to another keyspace, and with them the snapshot.
        Take,
        Restart,
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let key = 0u16..2000;
        let change = prop_oneof![
            8 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Change::Set(key, value)),
            2 => (key.clone(), 0i64..100).prop_map(|(key, at)| Change::Expire(key, at)),
            8 => key.clone().prop_map(Change::Remove),
            1 => (key, any::<bool>()).prop_map(|(from, added)| Change::Many(from, added)),
            8 => (0usize..300).prop_map(Change::Walk),
            1 => Just(Change::Take),
            1 => Just(Change::Restart),
        ];
        prop::collection::vec(change, 0..120)
    }

    fn save(keyspace: &Keyspace, id: EntryId, saved: &mut Content) {
        let old = saved.insert(keyspace.key(id).to_vec(), (content(keyspace, id), keyspace.deadline(id)));
        assert!(old.is_none(), "an entry was saved twice");
    }

    fn save_first(keyspace: &mut Keyspace, key: &[u8], saved: &mut Content) -> Option<EntryId> {
        let id = keyspace.find(key)?;
        if keyspace.is_unsaved(id) {
            save(keyspace, id, saved);
            keyspace.mark_saved(id);
            assert!(!keyspace.is_unsaved(id));
        }
        Some(id)
    }

    fn all(keyspace: &Keyspace) -> Content {
        let ids = keyspace.iter().map(|(key, _)| keyspace.find(key).expect("it is there"));
        ids.map(|id| (keyspace.key(id).to_vec(), (content(keyspace, id), keyspace.deadline(id)))).collect()
    }

    /// Saves up to so many steps, and returns how many of them are left.
    fn walk(keyspace: &mut Keyspace, mut steps: usize, saved: &mut Content) -> usize {
        while let Some(id) = keyspace.next_unsaved(&mut steps) {
            save(keyspace, id, saved);
        }
        steps
    }

    fn key(number: u16) -> Vec<u8> {
        format!("key {number}").into_bytes()
    }

    proptest! {
        #[test]
        fn what_is_saved_is_what_there_was(changes in changes(), len in 0u16..1500) {
            let mut keyspace = Keyspace::new();
            (0..len).for_each(|i| _ = keyspace.set_string(&key(i), &i.to_le_bytes(), false));
            let mut beginning = all(&keyspace);
            let mut saved = Content::new();
            keyspace.begin_snapshot();
            for change in changes {
                match change {
                    Change::Set(number, value) => {
                        save_first(&mut keyspace, &key(number), &mut saved);
                        // Values of many lengths, and some that are numbers.
                        let value = value.to_string().repeat(usize::from(value) % 20);
                        keyspace.set_string(&key(number), value.as_bytes(), false);
                    }
                    Change::Expire(number, at) => {
                        if let Some(id) = save_first(&mut keyspace, &key(number), &mut saved) {
                            keyspace.set_deadline(id, at);
                        }
                    }
                    Change::Remove(number) => {
                        if let Some(id) = save_first(&mut keyspace, &key(number), &mut saved) {
                            keyspace.remove(id);
                        }
                    }
                    Change::Many(from, added) => {
                        for number in from..from + 500 {
                            match save_first(&mut keyspace, &key(number), &mut saved) {
                                _ if added => _ = keyspace.set_string(&key(number), b"new", false),
                                Some(id) => _ = keyspace.remove(id),
                                None => {}
                            }
                        }
                    }
                    Change::Walk(steps) => {
                        let left = walk(&mut keyspace, steps, &mut saved);
                        prop_assert!(left == 0 || !keyspace.has_snapshot(), "it stopped before its time");
                    }
                    Change::Take => {
                        let mut other = keyspace.take();
                        prop_assert!(!keyspace.has_snapshot());
                        keyspace.set_string(b"other", b"", false);
                        std::mem::swap(&mut keyspace, &mut other);
                    }
                    Change::Restart => {
                        keyspace.end_snapshot();
                        (beginning, saved) = (all(&keyspace), Content::new());
                        keyspace.begin_snapshot();
                    }
                }
            }
            walk(&mut keyspace, usize::MAX, &mut saved);
            prop_assert!(!keyspace.has_snapshot());
            prop_assert_eq!(&saved, &beginning);
        }
    }

    #[test]
    fn a_walk_is_bounded_by_its_steps() {
        let mut keyspace = Keyspace::new();
        let ids: Vec<EntryId> = (0..100_000).map(|i: u32| keyspace.set_string(&i.to_le_bytes(), b"", false)).collect();
        keyspace.begin_snapshot();
        ids.iter().for_each(|id| keyspace.mark_saved(*id));
        let mut rounds = 0;
        while keyspace.has_snapshot() {
            let mut steps = 1000;
            assert_eq!(keyspace.next_unsaved(&mut steps), None);
            rounds += 1;
        }
        assert!(rounds >= 100, "saved entries were passed in {rounds} rounds");
    }

    #[test]
    fn a_walk_passes_over_many_entries_that_are_gone() {
        let mut keyspace = Keyspace::new();
        let ids: Vec<EntryId> = (0..100_000).map(|i: u32| keyspace.set_string(&i.to_le_bytes(), b"", false)).collect();
        ids[..99_999].iter().for_each(|id| _ = keyspace.remove(*id));
        keyspace.begin_snapshot();
        let mut steps = 2000;
        assert_eq!(keyspace.next_unsaved(&mut steps), Some(ids[99_999]));
        assert_eq!((keyspace.next_unsaved(&mut steps), keyspace.has_snapshot()), (None, false));
    }
}
