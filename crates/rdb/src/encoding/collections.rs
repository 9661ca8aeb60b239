//! Lists, sets, hashes and sorted sets: packed ones are written as they are, others from a place on until the budget is
//! spent. What is returned is the place of the rest.

use super::budget::Budget;
use super::writer::Writer;
use crate::code::{PACKED_NODE, PLAIN_NODE};
use store::types::hash::Hash;
use store::types::list::{List, NodeRef};
use store::types::set::Set;
use store::types::zset::SortedSet;

pub fn list(list: &List, first: u32, budget: &mut Budget, writer: &mut Writer<'_>) -> Option<u32> {
    if first == 0 {
        writer.length(list.node_count() as u64);
    }
    for (at, node) in (first..).zip(list.nodes(first as usize)) {
        let before = writer.len();
        match node {
            NodeRef::Packed(packed) => {
                writer.length(PACKED_NODE);
                writer.string(packed.as_bytes());
            }
            NodeRef::Plain(element) => {
                writer.length(PLAIN_NODE);
                writer.string(element);
            }
        }
        if budget.spend(writer.len() - before) {
            return Some(at + 1);
        }
    }
    None
}

pub fn set(set: &Set, first: u32, budget: &mut Budget, writer: &mut Writer<'_>) -> Option<u32> {
    if let Some(integers) = set.as_integers() {
        writer.string(integers.as_bytes());
        return None;
    }
    if first == 0 {
        writer.length(set.len() as u64);
    }
    for (at, member) in set.iter_from(first) {
        let before = writer.len();
        writer.element(member);
        if budget.spend(writer.len() - before) {
            return Some(at + 1);
        }
    }
    None
}

pub fn hash(hash: &Hash, first: u32, budget: &mut Budget, writer: &mut Writer<'_>) -> Option<u32> {
    if let Some(packed) = hash.as_packed() {
        writer.string(packed.as_bytes());
        return None;
    }
    if first == 0 {
        writer.length(hash.len() as u64);
    }
    for (at, field, value) in hash.iter_from(first) {
        let before = writer.len();
        writer.element(field);
        writer.element(value);
        if budget.spend(writer.len() - before) {
            return Some(at + 1);
        }
    }
    None
}

pub fn sorted_set(set: &SortedSet, first: u32, budget: &mut Budget, writer: &mut Writer<'_>) -> Option<u32> {
    if let Some(packed) = set.as_packed() {
        writer.string(packed.as_bytes());
        return None;
    }
    if first == 0 {
        writer.length(set.len() as u64);
    }
    // From the last on, so that a reader adds each in front of all that it has.
    let rest = set.range(0..set.len().saturating_sub(first as usize));
    for (at, entry) in (first..).zip(rest.rev()) {
        let before = writer.len();
        writer.element(entry.member);
        writer.double(entry.score.get());
        if budget.spend(writer.len() - before) {
            return Some(at + 1);
        }
    }
    None
}
