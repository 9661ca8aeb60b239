//! Tests of the entries.

use super::*;
use crate::types::stream::{Bound, Threshold, Trim};
use proptest::prelude::*;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn id(seq: u64) -> Id {
    Id::new(1, seq)
}

fn of(entry: Entry<'_>) -> (Id, Pairs) {
    let pairs: Pairs = entry.fields().map(|(field, value)| (field.to_vec(), value.to_vec())).collect();
    assert_eq!(entry.len(), pairs.len());
    (entry.id(), pairs)
}

fn filled(count: u64, limits: &Limits) -> EntryLog {
    let mut log = EntryLog::default();
    for seq in 1..=count {
        log.add(NewId::Given(id(seq)), 0, &["f", &seq.to_string()], limits).unwrap();
    }
    log
}

#[test]
fn ids_of_the_present_time() {
    let mut log = EntryLog::default();
    let mut add = |new, now| log.add(new, now, &["f", "v"], &Limits::default());
    assert_eq!(add(NewId::Time(0), 0), Ok(Id::new(0, 1)));
    assert_eq!(add(NewId::Auto, 5), Ok(Id::new(5, 0)));
    assert_eq!(add(NewId::Auto, 5), Ok(Id::new(5, 1)));
    assert_eq!(add(NewId::Auto, -3), Ok(Id::new(5, 2)));
    assert_eq!(add(NewId::Time(5), 0), Ok(Id::new(5, 3)));
    assert_eq!(add(NewId::Time(4), 9), Err(AddError::NotLarger));
    assert_eq!(add(NewId::Given(Id::new(5, 3)), 9), Err(AddError::NotLarger));
    assert_eq!(add(NewId::Given(Id::new(7, u64::MAX)), 0), Ok(Id::new(7, u64::MAX)));
    assert_eq!(add(NewId::Time(7), 0), Err(AddError::NotLarger));
    assert_eq!(add(NewId::Auto, 7), Ok(Id::new(8, 0)));
    assert_eq!(add(NewId::Time(u64::MAX), 0), Ok(Id::new(u64::MAX, 0)));
    assert_eq!(add(NewId::Given(Id::MAX), 0), Ok(Id::MAX));
    for new in [NewId::Auto, NewId::Time(u64::MAX), NewId::Given(id(1))] {
        assert_eq!(add(new, 9), Err(AddError::Exhausted));
    }
    assert_eq!((log.len(), log.entries_added(), log.first_id()), (9, 9, Id::new(0, 1)));
}

#[test]
fn nodes_are_filled_as_redis_fills_them() {
    let lens = |log: &EntryLog| log.nodes.values().map(Node::len).collect::<Vec<_>>();
    assert_eq!(lens(&filled(250, &Limits::default())), [100, 100, 50]);
    let unlimited = Limits { node_max_bytes: 0, node_max_entries: 0 };
    assert_eq!(lens(&filled(2000, &unlimited)), [2000]);
    let mut log = EntryLog::default();
    let limits = Limits { node_max_bytes: 200, node_max_entries: 0 };
    for _ in 0..4 {
        log.add(NewId::Auto, 0, &["f", &"x".repeat(90)], &limits).unwrap();
    }
    // 21 bytes and the first value, then 91 more would be 205.
    assert_eq!(lens(&log), [1, 1, 1, 1]);
    let mut log = EntryLog::default();
    for _ in 0..4 {
        log.add(NewId::Auto, 0, &["f", &"x".repeat(80)], &limits).unwrap();
    }
    assert_eq!(lens(&log), [2, 2]);
    // As many bytes as the limit are too many.
    let size = log.nodes.last_key_value().map_or(0, |(_, node)| node.size());
    for (more, nodes) in [(0, 3), (1, 2)] {
        let limits = Limits { node_max_bytes: size + 4 + more, node_max_entries: 0 };
        let mut log = log.clone();
        log.add(NewId::Auto, 0, &["f", "123"], &limits).unwrap();
        assert_eq!(log.node_count(), nodes);
    }
    let mut log = filled(100, &Limits::default());
    assert!(log.delete(id(50)));
    log.add(NewId::Given(id(101)), 0, &["f", "v"], &Limits::default()).unwrap();
    assert_eq!(lens(&log), [99, 1], "deleted entries count");
}

#[test]
fn more_than_a_gibibyte_is_refused() {
    let (mut log, mib) = (filled(1, &Limits::default()), vec![0; 1 << 20]);
    let pairs = vec![&mib[..]; 1024];
    assert_eq!(log.add(NewId::Auto, 9, &pairs, &Limits::default()), Err(AddError::TooLarge));
    assert_eq!((log.len(), log.last_id()), (1, id(1)));
}

#[test]
fn full_nodes_have_no_spare_memory() {
    let log = filled(10_000, &Limits::default());
    let blocks: usize = log.nodes.values().map(Node::size).sum();
    // Except for what an allocator's sizes leave: an eighth at most.
    let most = blocks * 9 / 8 + 100 * 100 + 8192;
    assert!(log.allocated() < most, "{} for {blocks}", log.allocated());
    assert_eq!(log.clone().bytes, log.bytes);
}

#[test]
fn the_first_id_and_the_largest_deleted_one() {
    let mut log = filled(250, &Limits::default());
    assert!(!log.delete(id(251)) && !log.delete(Id::MIN));
    assert!(log.delete(id(7)) && !log.delete(id(7)));
    assert_eq!((log.first_id(), log.max_deleted_id(), log.len()), (id(1), id(7), 249));
    for seq in 1..=100 {
        log.delete(id(seq));
    }
    assert_eq!((log.first_id(), log.max_deleted_id(), log.node_count()), (id(101), id(100), 2));
    assert!(log.delete(id(250)));
    assert_eq!(log.last_entry().map(|entry| entry.id()), Some(id(249)));
    assert_eq!((log.last_id(), log.max_deleted_id()), (id(250), id(250)));
    for seq in 101..250 {
        assert!(log.delete(id(seq)));
    }
    assert!(log.is_empty() && log.nodes.is_empty() && log.bytes == 0);
    assert_eq!((log.first_id(), log.last_id(), log.entries_added()), (Id::MIN, id(250), 250));
    assert_eq!(log.add(NewId::Given(id(250)), 0, &["f", "v"], &Limits::default()), Err(AddError::NotLarger));
    assert_eq!(log.add(NewId::Given(id(251)), 0, &["f", "v"], &Limits::default()), Ok(id(251)));
    assert_eq!(log.first_id(), id(251));
}

#[test]
fn another_last_id() {
    let mut log = filled(10, &Limits::default());
    log.delete(id(10));
    log.delete(id(3));
    assert_eq!(log.set_id(id(12), None, id(13)), Err(SetIdError::BelowDeleted));
    assert_eq!(log.set_id(id(12), Some(7), Id::MIN), Err(SetIdError::AddedBelowLength));
    assert_eq!((log.last_id(), log.entries_added()), (id(10), 10));
    assert_eq!(log.set_id(id(12), Some(8), id(2)), Ok(()));
    assert_eq!((log.last_id(), log.entries_added(), log.max_deleted_id()), (id(12), 8, id(2)));
    assert_eq!(log.set_id(id(8), None, Id::MIN), Err(SetIdError::BelowLastEntry));
    assert_eq!(log.set_id(id(9), None, Id::MIN), Ok(()));
    assert_eq!((log.last_id(), log.entries_added(), log.max_deleted_id()), (id(9), 8, id(2)));
}

#[test]
fn an_id_that_was_deleted_can_come_again() {
    let limits = Limits { node_max_bytes: 0, node_max_entries: 4 };
    let mut log = filled(3, &limits);
    assert!(log.delete(id(3)) && log.set_id(id(2), None, Id::MIN) == Ok(()));
    assert_eq!(log.add(NewId::Given(id(3)), 0, &["f", "again"], &limits), Ok(id(3)));
    assert_eq!(log.get(id(3)).map(of), Some((id(3), vec![(b"f".to_vec(), b"again".to_vec())])));
    assert!(log.delete(id(3)) && log.set_id(id(2), None, Id::MIN) == Ok(()));
    assert_eq!(log.add(NewId::Given(id(3)), 0, &["f", "in a node of its own"], &limits), Ok(id(3)));
    assert_eq!((log.node_count(), log.range(id(2), id(3)).count(), log.range_back(id(2), id(3)).count()), (2, 2, 2));
    check(&log);
    assert!(log.delete(id(3)) && !log.contains(id(3)));
}

#[test]
fn nothing_is_in_an_empty_range() {
    let log = filled(250, &Limits::default());
    assert_eq!(log.range(id(7), id(6)).count(), 0);
    assert_eq!(log.range_back(Id::MAX, Id::MIN).count(), 0);
    assert_eq!(log.range(id(251), Id::MAX).count() + log.range(Id::MIN, id(0)).count(), 0);
    let mut ended = log.range(id(3), id(5));
    assert_eq!(ended.by_ref().count(), 3);
    assert!(ended.next().is_none());
    assert_eq!(EntryLog::default().range(Id::MIN, Id::MAX).count(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Add(NewId, i64, Pairs),
    Delete(Id),
    Trim(Threshold, bool, u64),
    SetId(Id, Option<u64>, Id),
}

fn some_id() -> impl Strategy<Value = Id> {
    (0u64..8, 0u64..6).prop_map(|(ms, seq)| Id::new(ms, seq))
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ab]{0,2}".prop_map(String::into_bytes),
        any::<i16>().prop_map(|value| value.to_string().into_bytes()),
        (0usize..100).prop_map(|length| vec![b'z'; length]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let new = prop_oneof![Just(NewId::Auto), (0u64..8).prop_map(NewId::Time), some_id().prop_map(NewId::Given)];
    let pairs = prop_oneof![
        text().prop_map(|value| vec![(b"f".to_vec(), value)]),
        prop::collection::vec(("[ab]".prop_map(String::into_bytes), text()), 1..4)
    ];
    let threshold = prop_oneof![(0u64..20).prop_map(Threshold::MaxLen), some_id().prop_map(Threshold::MinId)];
    prop_oneof![
        6 => (new, 0i64..8, pairs).prop_map(|(new, now, pairs)| Step::Add(new, now, pairs)),
        3 => some_id().prop_map(Step::Delete),
        1 => (threshold, any::<bool>(), 0u64..6).prop_map(|(what, about, limit)| Step::Trim(what, about, limit)),
        1 => (some_id(), prop::option::of(0u64..40), some_id()).prop_map(|(id, added, max)| Step::SetId(id, added, max)),
    ]
}

/// What is true of every log.
fn check(log: &EntryLog) {
    let (mut length, mut bytes) = (0, 0);
    for (master, node) in &log.nodes {
        let view = node.view(*master);
        assert_eq!(view.first().map(|slot| slot.id), Some(*master));
        assert!(Node::from_packed(*master, Packed::from_bytes(node.packed().as_bytes().to_vec()).unwrap()).is_ok());
        assert!(node.len() > 0);
        length += node.len() as u64;
        bytes += node.allocated();
    }
    assert_eq!((log.length, log.bytes), (length, bytes));
    assert_eq!(log.first_id, log.range(Id::MIN, Id::MAX).next().map_or(Id::MIN, |entry| entry.id()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn behaves_like_a_map(
        steps in prop::collection::vec(step(), 0..80),
        node_max_bytes in prop_oneof![Just(0usize), Just(4096), 30usize..300],
        node_max_entries in 0usize..8,
    ) {
        let limits = Limits { node_max_bytes, node_max_entries };
        let mut log = EntryLog::default();
        let mut model: BTreeMap<Id, Pairs> = BTreeMap::new();
        let (mut last, mut added, mut max_deleted) = (Id::MIN, 0, Id::MIN);
        for step in steps {
            match step {
                Step::Add(new, now, pairs) => {
                    let expected = match new {
                        NewId::Given(id) => Some(id),
                        NewId::Time(ms) if ms != last.ms => Some(Id::new(ms, 0)),
                        NewId::Auto if now as u64 > last.ms => Some(Id::new(now as u64, 0)),
                        _ => last.next(),
                    };
                    let expected = expected.filter(|id| *id > last);
                    let texts: Vec<_> = pairs.iter().flat_map(|(field, value)| [field, value]).collect();
                    let got = log.add(new, now, &texts, &limits);
                    prop_assert_eq!(got, expected.ok_or(AddError::NotLarger));
                    if let Ok(id) = got {
                        model.insert(id, pairs);
                        (last, added) = (id, added + 1);
                    }
                }
                Step::Delete(id) => {
                    let was_there = model.remove(&id).is_some();
                    prop_assert_eq!(log.delete(id), was_there);
                    if was_there {
                        max_deleted = max_deleted.max(id);
                    }
                }
                Step::Trim(threshold, is_approximate, limit) => {
                    let limit = if is_approximate { limit } else { 0 };
                    let before = model.len();
                    let gone = log.trim(&Trim { threshold, is_approximate, limit });
                    let most = match threshold {
                        Threshold::MaxLen(most) => before.saturating_sub(most as usize),
                        Threshold::MinId(least) => model.range(..least).count(),
                    };
                    prop_assert!(gone as usize <= most && (limit == 0 || gone <= limit));
                    // A deleted entry with a larger id than those behind it, which XSETID has set back, is in the way.
                    let is_in_the_way = matches!(threshold, Threshold::MinId(least) if log.nodes.iter().next().is_some_and(
                        |(master, node)| {
                            let view = node.view(*master);
                            std::iter::successors(view.first(), |slot| view.next(slot))
                                .any(|slot| slot.is_deleted() && slot.id >= least)
                        },
                    ));
                    prop_assert!(is_approximate || gone as usize == most || is_in_the_way);
                    if is_approximate && limit == 0 && (gone as usize) < most {
                        let (master, first) = log.nodes.first_key_value().unwrap();
                        let stays = match threshold {
                            Threshold::MaxLen(_) => gone as usize + first.len() > most,
                            Threshold::MinId(least) => first.view(*master).last().is_some_and(|last| last.id >= least),
                        };
                        prop_assert!(stays, "the first node could go as well");
                    }
                    for _ in 0..gone {
                        model.pop_first();
                    }
                }
                Step::SetId(id, new_added, new_max) => {
                    let top = model.keys().next_back().copied().unwrap_or_default();
                    let expected = if id < new_max {
                        Err(SetIdError::BelowDeleted)
                    } else if id < top {
                        Err(SetIdError::BelowLastEntry)
                    } else if new_added.is_some_and(|added| (added as usize) < model.len()) {
                        Err(SetIdError::AddedBelowLength)
                    } else {
                        last = id;
                        added = new_added.unwrap_or(added);
                        max_deleted = if new_max == Id::MIN { max_deleted } else { new_max };
                        Ok(())
                    };
                    prop_assert_eq!(log.set_id(id, new_added, new_max), expected);
                }
            }
            check(&log);
            prop_assert_eq!((log.last_id, log.entries_added, log.max_deleted_id), (last, added, max_deleted));
            prop_assert!(log.range(Id::MIN, Id::MAX).map(of).eq(model.clone()));
            prop_assert!(log.range_back(Id::MIN, Id::MAX).map(of).eq(model.clone().into_iter().rev()));
        }
        check(&log.clone());
        for text in ["-", "+", "3", "(3-2", "4-9", "(0-1", "7-3"] {
            for other in ["+", "5-0", "(5-2", "2", "(6"] {
                let first = Bound::parse(text.as_bytes(), 0).unwrap().start().unwrap();
                let end = Bound::parse(other.as_bytes(), u64::MAX).unwrap().end().unwrap();
                let expected: Vec<_> = model.iter().filter(|(id, _)| (first..=end).contains(id)).map(|(id, _)| *id).collect();
                let ids: Vec<_> = log.range(first, end).map(|entry| entry.id()).collect();
                prop_assert_eq!(&ids, &expected);
                let mut ids: Vec<_> = log.range_back(first, end).map(|entry| entry.id()).collect();
                ids.reverse();
                prop_assert_eq!(&ids, &expected);
            }
        }
        for ms in 0..9 {
            for seq in 0..7 {
                let id = Id::new(ms, seq);
                prop_assert_eq!(log.get(id).map(of), model.get(&id).map(|pairs| (id, pairs.clone())));
            }
        }
    }
}
