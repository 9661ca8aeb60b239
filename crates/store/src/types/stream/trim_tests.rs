//! Tests of trimming.

use super::*;
use crate::types::stream::NewId;

/// Nodes of ten entries with the ids 1-1, 1-2 and so on.
fn filled(count: u64) -> EntryLog {
    let mut log = EntryLog::default();
    let limits = Limits { node_max_bytes: 0, node_max_entries: 10 };
    for _ in 0..count {
        log.add(NewId::Time(1), 0, &["f", "v"], &limits).unwrap();
    }
    log
}

fn trim(log: &mut EntryLog, threshold: Threshold, is_approximate: bool, limit: u64) -> (u64, u64, u64) {
    let gone = log.trim(&Trim { threshold, is_approximate, limit });
    (gone, log.len(), log.first_id().seq)
}

#[test]
fn the_newest_entries_stay() {
    let mut log = filled(35);
    assert_eq!(trim(&mut log, Threshold::MaxLen(35), false, 0), (0, 35, 0));
    assert_eq!(trim(&mut log, Threshold::MaxLen(22), false, 0), (13, 22, 13));
    assert_eq!(log.node_count(), 3);
    assert_eq!(trim(&mut log, Threshold::MinId(Id::new(1, 20)), false, 0), (7, 15, 20));
    assert_eq!(log.node_count(), 2);
    assert_eq!(trim(&mut log, Threshold::MaxLen(0), false, 0), (15, 0, 0));
    assert_eq!((log.node_count(), log.entries_added()), (0, 35));
    assert_eq!(log.max_deleted_id(), Id::MIN, "trimming is no deletion");
}

#[test]
fn whole_nodes_go() {
    let mut log = filled(35);
    assert_eq!(trim(&mut log, Threshold::MaxLen(25), true, 0), (10, 25, 10));
    assert_eq!(trim(&mut log, Threshold::MaxLen(22), true, 0), (0, 25, 10));
    assert_eq!(trim(&mut log, Threshold::MinId(Id::new(1, 20)), true, 0), (10, 15, 20));
    assert_eq!(trim(&mut log, Threshold::MinId(Id::new(1, 29)), true, 0), (0, 15, 20));
}

#[test]
fn no_more_than_the_limit() {
    let mut log = filled(55);
    assert_eq!(trim(&mut log, Threshold::MaxLen(0), true, 9), (0, 55, 0));
    assert_eq!(trim(&mut log, Threshold::MaxLen(0), true, 29), (20, 35, 20));
    log.delete(Id::new(1, 22));
    assert_eq!(trim(&mut log, Threshold::MaxLen(0), true, 9), (9, 25, 30));
    assert_eq!(Limits::default().default_trim_limit(), 10_000);
    assert_eq!(Limits { node_max_entries: 0, ..Limits::default() }.default_trim_limit(), 10_000);
    assert_eq!(Limits { node_max_entries: 20_000, ..Limits::default() }.default_trim_limit(), 1_000_000);
    assert_eq!(Limits { node_max_entries: usize::MAX, ..Limits::default() }.default_trim_limit(), 1_000_000);
}

#[test]
fn no_node_has_deleted_entries_only() {
    let mut log = filled(20);
    log.delete(Id::new(1, 9));
    assert_eq!(trim(&mut log, Threshold::MinId(Id::new(1, 9)), false, 0), (9, 10, 10));
    assert_eq!(log.node_count(), 1);
}
