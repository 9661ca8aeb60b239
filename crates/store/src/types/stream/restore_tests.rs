//! Tests of reading a stream from its parts.

use super::*;
use crate::types::stream::{Limits, NewId};

fn filled() -> EntryLog {
    let mut log = EntryLog::default();
    for ms in 1..=250 {
        log.add(NewId::Given(Id::new(ms, 0)), 0, &["f", "v"], &Limits::default()).unwrap();
    }
    log.delete(Id::new(1, 0));
    log.delete(Id::new(250, 0));
    log
}

fn counters(log: &EntryLog) -> Counters {
    Counters {
        length: log.len(),
        last_id: log.last_id(),
        max_deleted_id: log.max_deleted_id(),
        entries_added: log.entries_added(),
    }
}

fn nodes(log: &EntryLog) -> Vec<(Id, Vec<u8>)> {
    log.nodes().map(|(id, block)| (id, block.as_bytes().to_vec())).collect()
}

#[test]
fn the_parts_make_the_same_log() {
    let log = filled();
    let mut read = EntryLog::default();
    for (id, block) in nodes(&log) {
        read.restore_node(id, block).unwrap();
    }
    assert!(read.restore_counters(counters(&log)));
    assert_eq!(nodes(&read), nodes(&log));
    assert_eq!(counters(&read), counters(&log));
    assert_eq!(read.first_id(), Id::new(2, 0));
    assert_eq!(read.add(NewId::Given(Id::new(251, 0)), 0, &["f", "v"], &Limits::default()), Ok(Id::new(251, 0)));
}

#[test]
fn parts_that_contradict_each_other_are_refused() {
    let log = filled();
    let parts = nodes(&log);
    let mut read = EntryLog::default();
    assert_eq!(read.restore_node(Id::MIN, parts[0].1[1..].to_vec()), Err(Corrupt(0)));
    read.restore_node(parts[0].0, parts[0].1.clone()).unwrap();
    // The first node ends with 100-0.
    assert_eq!(read.restore_node(Id::new(100, 0), parts[1].1.clone()), Err(Corrupt(0)));
    read.restore_node(parts[1].0, parts[1].1.clone()).unwrap();
    let right = Counters { length: 199, ..counters(&log) };
    assert!(!read.restore_counters(Counters { length: 200, ..right }));
    assert!(!read.restore_counters(Counters { last_id: Id::new(199, 9), ..right }));
    assert_eq!(read.last_id(), Id::MIN);
    assert!(read.restore_counters(right));
}

#[test]
fn nodes_without_entries_are_left_out() {
    let mut block = Packed::new();
    for number in ["0", "1", "1", "7", "0", "3", "0", "0", "70", "4"] {
        block.push(number.as_bytes());
    }
    let mut read = EntryLog::default();
    assert_eq!(read.restore_node(Id::new(1, 0), block.as_bytes().to_vec()), Ok(()));
    assert_eq!((read.node_count(), read.len()), (0, 0));
}

#[test]
fn each_pending_entry_has_one_consumer() {
    let mut group = Group::new(Id::new(5, 0), Some(5));
    assert!(group.restore_pending(Id::new(1, 0), 70, 3) && group.restore_pending(Id::new(2, 0), 71, 1));
    assert!(!group.restore_pending(Id::new(1, 0), 70, 3));
    let (one, _) = group.create_consumer(b"one", 60);
    let (two, _) = group.create_consumer(b"two", 61);
    assert!(group.restore_owner(Id::new(1, 0), two) && !group.is_whole());
    assert!(!group.restore_owner(Id::new(1, 0), one) && !group.restore_owner(Id::new(3, 0), one));
    assert!(group.restore_owner(Id::new(2, 0), one) && group.is_whole());
    assert_eq!(group.pending(Id::new(1, 0)), Some(&Pending { consumer: two, delivered: 70, deliveries: 3 }));
    assert_eq!(group.consumer(two).map(|consumer| (consumer.seen(), consumer.pending_len())), Some((61, 1)));
}
