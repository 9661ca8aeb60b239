//! Tests of the stream.

use super::*;
use crate::types::stream::{Deliveries, Limits, NewId};

fn filled() -> Stream {
    let mut stream = Stream::new();
    for _ in 0..250 {
        stream.log_mut().add(NewId::Auto, 5, &["f", "v"], &Limits::default()).unwrap();
    }
    assert!(stream.create_group(b"g2", Id::MIN, None));
    assert!(stream.create_group(b"g1", Id::new(5, 3), Some(4)));
    assert!(!stream.create_group(b"g1", Id::MIN, None));
    let (group, log) = stream.group_mut(b"g1").unwrap();
    for name in ["a", "b"] {
        let (consumer, _) = group.create_consumer(name.as_bytes(), 7);
        for entry in log.range(group.last_id().next().unwrap(), Id::MAX).take(10) {
            group.deliver(log, entry.id(), Some(consumer), 8);
        }
    }
    stream
}

#[test]
fn groups_have_names_and_come_in_their_order() {
    let mut stream = filled();
    assert_eq!(stream.groups().map(|(name, _)| name.to_vec()).collect::<Vec<_>>(), [b"g1", b"g2"]);
    let group = stream.group(b"g1").unwrap();
    assert_eq!((group.pending_len(), group.last_id(), group.entries_read()), (20, Id::new(5, 23), Some(24)));
    assert_eq!(group.lag(stream.log()), Some(226));
    assert!(stream.delete_group(b"g1") && !stream.delete_group(b"g1"));
    assert!(stream.group(b"g1").is_none() && stream.group_mut(b"g1").is_none());
}

#[test]
fn a_copy_is_another_stream() {
    let stream = filled();
    let mut copy = stream.clone();
    copy.log_mut().delete(Id::new(5, 7));
    let (group, _) = copy.group_mut(b"g1").unwrap();
    let (consumer, is_new) = group.create_consumer(b"c", 9);
    assert!(is_new && group.claim(Id::new(5, 9), consumer, 9, Deliveries::Keep, false));
    assert!(stream.log().contains(Id::new(5, 7)));
    let group = stream.group(b"g1").unwrap();
    assert_eq!((group.consumers().len(), group.pending(Id::new(5, 9)).map(|pending| pending.delivered)), (2, Some(8)));
}

#[test]
fn freed_in_slices() {
    let mut stream = filled();
    // 3 nodes, 20 pending entries, 2 consumers, 2 groups.
    for _ in 0..26 {
        assert!(stream.free_some(1));
    }
    assert!(!stream.free_some(1));
    assert_eq!(stream.allocated(), 0);
    assert!(!Stream::new().free_some(1));
    let mut without_groups = filled();
    assert!(without_groups.delete_group(b"g1") && without_groups.delete_group(b"g2"));
    assert!(without_groups.free_some(2) && !without_groups.free_some(1));
    assert!(!filled().free_some(27));
}

#[test]
fn memory_is_counted() {
    let stream = filled();
    let blocks: usize = stream.log().nodes().map(|(_, block)| block.size()).sum();
    let without_groups = stream.log().allocated();
    assert!(without_groups >= blocks && stream.allocated() > without_groups + 20 * (16 + 16 + 24));
}
