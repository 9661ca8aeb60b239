//! Lists, sets, hashes and sorted sets: packed ones are written as they are.

use super::writer::Writer;
use crate::code::{PACKED_NODE, PLAIN_NODE};
use store::types::hash::Hash;
use store::types::list::{List, NodeRef};
use store::types::set::Set;
use store::types::zset::SortedSet;

pub fn list(list: &List, writer: &mut Writer<'_>) {
    writer.length(list.nodes(0).count() as u64);
    for node in list.nodes(0) {
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
    }
}

pub fn set(set: &Set, writer: &mut Writer<'_>) {
    if let Some(integers) = set.as_integers() {
        return writer.string(integers.as_bytes());
    }
    writer.length(set.len() as u64);
    set.iter().for_each(|member| writer.element(member));
}

pub fn hash(hash: &Hash, writer: &mut Writer<'_>) {
    if let Some(packed) = hash.as_packed() {
        return writer.string(packed.as_bytes());
    }
    writer.length(hash.len() as u64);
    for (field, value) in hash.iter() {
        writer.element(field);
        writer.element(value);
    }
}

pub fn sorted_set(set: &SortedSet, writer: &mut Writer<'_>) {
    if let Some(packed) = set.as_packed() {
        return writer.string(packed.as_bytes());
    }
    writer.length(set.len() as u64);
    // From the last on, so that a reader adds each in front of all that it has.
    for entry in set.iter().rev() {
        writer.element(entry.member);
        writer.double(entry.score.get());
    }
}
