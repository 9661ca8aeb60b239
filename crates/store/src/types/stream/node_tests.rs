//! Tests of the nodes' blocks.

use super::*;

const MASTER: Id = Id::new(1000, 5);

fn node() -> Node {
    let mut node = Node::new(&["a", "1", "b", "x"]);
    node.append(MASTER, Id::new(1000, 6), &["a", "2", "b", "y"]);
    node.append(MASTER, Id::new(1001, 0), &["c", "3"]);
    node.append(MASTER, Id::new(1300, 0), &["a", "4", "c", "z"]);
    node
}

fn slots(node: &Node) -> Vec<Slot> {
    let view = node.view(MASTER);
    std::iter::successors(view.first(), |slot| view.next(slot)).collect()
}

#[test]
fn the_block_is_redis_s() {
    let mut node = node();
    node.delete(&slots(&node)[1..2]);
    let expected: &[&[u8]] = &[
        &[node.size() as u8, 0, 0, 0, 34, 0],
        b"\x03\x01\x01\x01\x02\x01\x81a\x02\x81b\x02\0\x01",
        b"\x02\x01\0\x01\0\x01\x01\x01\x81x\x02\x05\x01",
        b"\x03\x01\0\x01\x01\x01\x02\x01\x81y\x02\x05\x01",
        b"\0\x01\x01\x01\xdf\xfb\x02\x01\x01\x81c\x02\x03\x01\x06\x01",
        b"\0\x01\xc1\x2c\x02\xdf\xfb\x02\x02\x01\x81a\x02\x04\x01\x81c\x02\x81z\x02\x08\x01",
        b"\xff",
    ];
    assert_eq!(node.packed().as_bytes(), expected.concat());
    assert_eq!((node.len(), node.deleted()), (3, 1));
    assert!(Node::from_packed(MASTER, node.packed().clone()).is_ok());
}

#[test]
fn read_forwards_and_backwards() {
    let node = node();
    let found: Vec<_> = slots(&node).iter().map(|slot| (slot.id, slot.fields, slot.has_same_fields())).collect();
    let expected =
        [(MASTER, 2, true), (Id::new(1000, 6), 2, true), (Id::new(1001, 0), 1, false), (Id::new(1300, 0), 2, false)];
    assert_eq!(found, expected);
    let view = node.view(MASTER);
    let backwards = std::iter::successors(view.last(), |slot| view.previous(slot));
    assert!(backwards.map(|slot| slot.id).eq(expected.iter().rev().map(|slot| slot.0)));
}

#[test]
fn the_counts_can_take_more_bytes() {
    let mut node = Node::new(&["f", "v"]);
    for i in 1..300 {
        node.append(MASTER, Id::new(1000, 5 + i), &["f", "v"]);
    }
    let all = slots(&node);
    node.delete(&all[20..220]);
    assert_eq!((node.len(), node.deleted()), (100, 200));
    assert!(Node::from_packed(MASTER, node.packed().clone()).is_ok());
    let deleted: Vec<_> = slots(&node).iter().map(Slot::is_deleted).collect();
    assert!((0..300).all(|i| deleted[i] == (20..220).contains(&i)));
}

/// A block of these elements.
fn block(elements: &[i64]) -> Packed {
    let mut packed = Packed::new();
    elements.iter().for_each(|element| packed.push(element.to_string().as_bytes()));
    packed
}

#[test]
fn blocks_that_are_no_node_are_refused() {
    let good = [2, 1, 1, 7, 0, 2, 0, 0, 70, 4, 1, 0, 1, 1, 8, 80, 6, 2, 1, -5, 70, 4];
    let read = |elements: &[i64]| Node::from_packed(MASTER, block(elements));
    assert!(read(&good).is_ok());
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err(), "{length}");
    }
    assert!(read(&[&good[..], &[1]].concat()).is_err());
    let with = |at: usize, value| {
        let mut block = good;
        block[at] = value;
        read(&block).map_err(|Corrupt(offset)| offset)
    };
    // Counts, flags, lengths.
    for at in [0, 1, 2, 4, 5, 9, 10, 13, 16, 17, 21] {
        for value in [-1, 9, i64::MAX, i64::MIN] {
            assert!(with(at, value).is_err(), "{value} at {at}");
        }
    }
    // Ids: before the node's own, twice, out of order.
    for (at, value) in [(6, -1), (6, 1), (6, 2), (18, 0), (18, -1)] {
        assert!(with(at, value).is_err(), "{value} at {at}");
    }
    let twice = [&good[..18], &[0, 0], &good[20..]].concat();
    assert!(read(&twice).is_err(), "two entries with the node's own id");
    assert!(with(11, -1).is_ok() && with(12, 0).is_ok() && with(12, 1 << 62).is_ok(), "deleted ones need no order");
    // The field, and values.
    for at in [3, 8, 14, 15, 20] {
        assert!(with(at, -7).is_ok(), "{at}");
    }
    let mut text = Packed::new();
    text.push(b"x");
    assert_eq!(Node::from_packed(MASTER, text).err(), Some(Corrupt(6)));
    assert!(read(&[0, 0, 1, 7, 0]).is_err(), "a node without entries");
    assert!(read(&[0, 1, 1, 7, 0, 3, 0, 0, 70, 4]).is_ok(), "one whose entries are deleted");
}
