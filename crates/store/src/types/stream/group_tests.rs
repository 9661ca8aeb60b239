//! Tests of the consumer groups.

use super::*;
use crate::types::stream::{Limits, NewId, Threshold, Trim};
use proptest::prelude::*;
use std::collections::HashMap;

fn id(seq: u64) -> Id {
    Id::new(1, seq)
}

/// Entries with the ids from 1-1 to 1-`count`.
fn filled(count: u64) -> EntryLog {
    let mut log = EntryLog::default();
    for seq in 1..=count {
        log.add(NewId::Given(id(seq)), 0, &["f", "v"], &Limits::default()).unwrap();
    }
    log
}

#[test]
fn nobody_knows_how_many_were_read_while_a_deleted_one_is_ahead() {
    let mut log = filled(5);
    let mut group = Group::new(Id::MIN, Some(0));
    group.deliver(&log, id(1), None, 0);
    log.delete(id(3));
    group.deliver(&log, id(2), None, 0);
    assert_eq!((group.entries_read(), group.lag(&log)), (None, None));
}

/// As redis-server 7.0.15 replies.
#[test]
fn the_lag_where_deleted_entries_meet_what_was_read() {
    let with_read = |seq, read| Group::new(id(seq), Some(read));
    let mut log = filled(5);
    log.delete(id(3));
    assert_eq!(with_read(3, 3).lag(&log), None, "the last one that was read was deleted");
    for seq in [1, 2, 4, 5] {
        log.delete(id(seq));
    }
    assert_eq!(with_read(2, 2).lag(&log), Some(3), "all were deleted");
    assert_eq!(with_read(0, 5).lag(&EntryLog::default()), Some(0), "none was ever added");
    assert_eq!(EntryLog::default().added_up_to(id(5)), Some(0));
    let mut log = filled(5);
    log.set_id(id(5), Some(5), id(1)).unwrap();
    assert_eq!(with_read(1, 1).lag(&log), None, "the first one is said to be deleted");
    assert_eq!(Group::new(id(1), None).lag(&log), None);
}

/// What is no news is not told to replicas.
#[test]
fn only_a_larger_id_is_news_to_a_group() {
    let mut group = Group::new(id(5), None);
    for (seq, is_news) in [(4, false), (5, false), (6, true), (6, false)] {
        assert_eq!(group.raise_last_id(id(seq)), is_news, "{seq}");
        assert_eq!(group.last_id(), id(seq.max(5)));
    }
}

#[test]
fn each_consumer_is_counted_in_the_memory() {
    let mut group = Group::new(Id::MIN, None);
    let sizes: Vec<_> = (0..4)
        .map(|number| {
            group.create_consumer(format!("consumer {number}").as_bytes(), 0);
            group.allocated()
        })
        .collect();
    let one = sizes[1] - sizes[0];
    assert!(one > size_of::<Consumer>() + "consumer 0".len());
    assert_eq!(sizes[3], sizes[1] + 2 * one);
    group.create_consumer(&[b'c'; 1010], 0);
    assert_eq!(group.allocated(), sizes[3] + one + 1000);
}

#[test]
fn the_lag_is_counted_while_nothing_was_deleted() {
    let mut log = filled(5);
    let mut group = Group::new(Id::MIN, None);
    assert_eq!(group.lag(&EntryLog::default()), Some(0));
    assert_eq!((group.entries_read(), group.lag(&log)), (None, Some(5)));
    group.deliver(&log, id(1), None, 0);
    assert_eq!((group.entries_read(), group.lag(&log)), (Some(1), Some(4)));
    group.deliver(&log, id(2), None, 0);
    assert_eq!((group.entries_read(), group.lag(&log)), (Some(2), Some(3)));
    log.delete(id(3));
    assert_eq!(group.lag(&log), None);
    group.deliver(&log, id(4), None, 0);
    assert_eq!((group.entries_read(), group.lag(&log)), (Some(3), Some(2)), "the deleted one is behind");
    group.deliver(&log, id(5), None, 0);
    assert_eq!((group.entries_read(), group.lag(&log)), (Some(4), Some(1)));
    assert!(!group.deliver(&log, id(4), None, 0));
    assert_eq!((group.last_id(), group.entries_read()), (id(5), Some(4)));
}

#[test]
fn the_counters_tell_where_an_id_is() {
    let mut log = filled(10);
    let at = |log: &EntryLog, seq| Group::new(id(seq), None).lag(log);
    assert_eq!(
        [at(&log, 0), at(&log, 1), at(&log, 2), at(&log, 10), at(&log, 11)],
        [Some(10), Some(9), None, Some(0), None]
    );
    log.trim(&Trim { threshold: Threshold::MaxLen(4), is_approximate: false, limit: 0 });
    assert_eq!([at(&log, 2), at(&log, 7), at(&log, 8)], [Some(4), Some(3), None]);
    log.delete(id(8));
    assert_eq!([at(&log, 2), at(&log, 7), at(&log, 10)], [None, None, Some(0)]);
    log.delete(id(7));
    assert_eq!([at(&log, 2), at(&log, 9), at(&log, 10)], [Some(2), Some(1), Some(0)], "all gaps are in front");
    let mut group = Group::new(id(9), Some(100));
    assert_eq!(group.lag(&log), Some(-90));
    group.set_id(id(2), Some(3));
    assert_eq!((group.last_id(), group.entries_read(), group.lag(&log)), (id(2), Some(3), Some(7)));
    log.delete(id(9));
    log.delete(id(10));
    assert_eq!([at(&log, 2), at(&log, 10), at(&log, 11)], [Some(0), Some(0), None]);
}

#[test]
fn consumers_have_names_and_come_in_their_order() {
    let mut group = Group::new(Id::MIN, None);
    let (bob, is_new) = group.create_consumer(b"bob", 5);
    assert!(is_new);
    let (alice, _) = group.create_consumer(b"alice", 6);
    assert_eq!(group.create_consumer(b"bob", 9), (bob, false));
    assert_eq!(group.consumer(bob).map(Consumer::seen), Some(5));
    group.see(bob, 9);
    assert_eq!(group.consumer(bob).map(Consumer::seen), Some(9));
    let names: Vec<_> = group.consumers().map(|(_, consumer)| consumer.name().to_vec()).collect();
    assert_eq!(names, [b"alice".to_vec(), b"bob".to_vec()]);
    assert_eq!(group.delete_consumer(b"bob"), Some(0));
    assert_eq!(group.delete_consumer(b"bob"), None);
    let (again, is_new) = group.create_consumer(b"bob", 1);
    assert!(is_new && again != bob && again != alice);
    assert!(group.consumer(bob).is_none());
}

#[test]
fn claims_count_deliveries() {
    let mut group = Group::new(Id::MIN, None);
    let (one, _) = group.create_consumer(b"one", 0);
    let (two, _) = group.create_consumer(b"two", 0);
    assert!(!group.claim(id(1), one, 10, Deliveries::Increment, false));
    assert!(group.claim(id(1), one, 10, Deliveries::Keep, true));
    assert_eq!(group.pending(id(1)), Some(&Pending { consumer: one, delivered: 10, deliveries: 1 }));
    assert!(group.claim(id(1), two, 20, Deliveries::Increment, false));
    assert_eq!(group.pending(id(1)), Some(&Pending { consumer: two, delivered: 20, deliveries: 2 }));
    assert!(group.claim(id(1), two, 5, Deliveries::Set(9), false) && group.redeliver(id(1), 7));
    assert_eq!(group.pending(id(1)), Some(&Pending { consumer: two, delivered: 7, deliveries: 10 }));
    assert!(!group.redeliver(id(2), 7));
    let pending = |consumer| group.consumer(consumer).map(Consumer::pending_len);
    assert_eq!((pending(one), pending(two)), (Some(0), Some(1)));
    assert!(group.raise_last_id(id(3)) && !group.raise_last_id(id(2)));
    assert_eq!(group.last_id(), id(3));
}

#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Delete(u8),
    Deliver(u64, u8),
    Redeliver(u64),
    Claim(u64, u8, bool),
    Acknowledge(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let (seq, name) = (0u64..20, 0u8..4);
    prop_oneof![
        2 => name.clone().prop_map(Step::Create),
        1 => name.clone().prop_map(Step::Delete),
        6 => (seq.clone(), name.clone()).prop_map(|(seq, name)| Step::Deliver(seq, name)),
        1 => seq.clone().prop_map(Step::Redeliver),
        3 => (seq.clone(), name, any::<bool>()).prop_map(|(seq, name, force)| Step::Claim(seq, name, force)),
        3 => seq.prop_map(Step::Acknowledge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn pending_entries_are_those_of_the_consumers(steps in prop::collection::vec(step(), 0..100)) {
        let log = filled(20);
        let mut group = Group::new(Id::MIN, None);
        let mut consumers: HashMap<u8, ConsumerId> = HashMap::new();
        // Whose an entry is, when it was delivered, how often.
        let mut model: BTreeMap<Id, (u8, i64, u64)> = BTreeMap::new();
        for (now, step) in steps.into_iter().enumerate() {
            let now = now as i64;
            match step {
                Step::Create(name) => {
                    let (consumer, is_new) = group.create_consumer(&[name], now);
                    prop_assert_eq!(consumers.insert(name, consumer).is_none(), is_new);
                }
                Step::Delete(name) => {
                    let had = model.values().filter(|pending| pending.0 == name).count();
                    let was_there = consumers.remove(&name).is_some();
                    prop_assert_eq!(group.delete_consumer(&[name]), was_there.then_some(had));
                    model.retain(|_, pending| pending.0 != name);
                }
                Step::Deliver(seq, name) => {
                    let Some(consumer) = consumers.get(&name) else { continue };
                    let is_news = id(seq) > group.last_id();
                    prop_assert_eq!(group.deliver(&log, id(seq), Some(*consumer), now), is_news);
                    model.insert(id(seq), (name, now, 1));
                }
                Step::Redeliver(seq) => {
                    let pending = model.get_mut(&id(seq));
                    prop_assert_eq!(group.redeliver(id(seq), now), pending.is_some());
                    pending.into_iter().for_each(|pending| (pending.1, pending.2) = (now, pending.2 + 1));
                }
                Step::Claim(seq, name, force) => {
                    let Some(consumer) = consumers.get(&name) else { continue };
                    let before = model.get(&id(seq)).map(|pending| pending.2).or(force.then_some(1));
                    let claimed = group.claim(id(seq), *consumer, now, Deliveries::Increment, force);
                    prop_assert_eq!(claimed, before.is_some());
                    model.extend(before.map(|before| (id(seq), (name, now, before + 1))));
                }
                Step::Acknowledge(seq) => {
                    prop_assert_eq!(group.acknowledge(id(seq)), model.remove(&id(seq)).is_some());
                }
            }
            prop_assert!(group.is_whole());
            prop_assert_eq!(group.pending_len(), model.len());
        }
        let with_name = |(id, pending): (Id, &Pending)| {
            let name = group.consumer(pending.consumer).unwrap().name()[0];
            (id, (name, pending.delivered, pending.deliveries))
        };
        prop_assert!(group.pending_range(Id::MIN, Id::MAX).map(with_name).eq(model.clone()));
        let (first, last) = (id(5), id(12));
        let inside = || model.clone().into_iter().filter(|(id, _)| (first..=last).contains(id));
        prop_assert!(group.pending_range(first, last).map(with_name).eq(inside()));
        prop_assert_eq!(group.pending_range(last, first).count(), 0);
        prop_assert_eq!(group.pending_range(first, first).count(), usize::from(model.contains_key(&first)));
        prop_assert_eq!(group.next_pending(first).map(with_name), model.clone().into_iter().find(|(id, _)| *id >= first));
        for (name, consumer) in consumers {
            let own = inside().filter(|(_, pending)| pending.0 == name);
            prop_assert!(group.pending_range_of(consumer, first, last).map(with_name).eq(own));
            prop_assert_eq!(group.pending_range_of(consumer, last, first).count(), 0);
            let has_first = model.get(&first).is_some_and(|pending| pending.0 == name);
            prop_assert_eq!(group.pending_range_of(consumer, first, first).count(), usize::from(has_first));
        }
    }
}
