//! The entries of a stream, and what is counted about them.

use super::entries::{Entries, Entry};
use super::id::{Id, NewId};
use super::node::{Node, cost_bound};
use super::radix::radix_nodes;
use crate::types::packed::{MAX_BYTES, Packed};
use std::collections::BTreeMap;

/// When a stream begins another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `stream-node-max-bytes`: a node with so many bytes takes no further entry. 0: 1 GiB.
    pub node_max_bytes: usize,
    /// `stream-node-max-entries`: a node with so many entries, deleted ones included, takes no further one. 0: unlimited.
    pub node_max_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { node_max_bytes: 4096, node_max_entries: 100 }
    }
}

/// Why an entry is not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddError {
    /// The last id is the largest there is.
    Exhausted,
    /// The id is not larger than the last one.
    NotLarger,
    /// Fields and values have more than 1 GiB.
    TooLarge,
}

/// Why a stream does not get another last id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetIdError {
    /// It is smaller than the largest deleted id that is given with it.
    BelowDeleted,
    /// It is smaller than that of the last entry.
    BelowLastEntry,
    /// More entries are there than were added.
    AddedBelowLength,
}

/// The entries, ordered by id, in nodes.
#[derive(Clone, Default)]
pub struct EntryLog {
    /// By the id of a node's first entry, deleted or not. Each node has an entry that is not.
    pub(super) nodes: BTreeMap<Id, Node>,
    /// How many bytes the nodes' blocks have allocated.
    bytes: usize,
    pub(super) length: u64,
    pub(super) last_id: Id,
    pub(super) first_id: Id,
    pub(super) max_deleted_id: Id,
    pub(super) entries_added: u64,
}

impl EntryLog {
    /// How many entries there are.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The last id that was given to an entry, or set: a new one is larger.
    pub fn last_id(&self) -> Id {
        self.last_id
    }

    /// The id of the first entry; 0-0 if there is none.
    pub fn first_id(&self) -> Id {
        self.first_id
    }

    /// The largest id of those that were deleted (trimming does not count); 0-0 if there is none.
    pub fn max_deleted_id(&self) -> Id {
        self.max_deleted_id
    }

    /// How many entries were ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// How many nodes there are: the keys of Redis's radix tree.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many nodes Redis's radix tree would have. Looks at the ids of all nodes.
    pub fn radix_node_count(&self) -> usize {
        radix_nodes(self.nodes.keys().copied())
    }

    /// The nodes' ids and blocks in order, as they are written to a file.
    pub fn nodes(&self) -> impl Iterator<Item = (Id, &Packed)> {
        self.nodes_from(Id::MIN)
    }

    /// As [`EntryLog::nodes`], from an id on.
    pub fn nodes_from(&self, first: Id) -> impl Iterator<Item = (Id, &Packed)> {
        self.nodes.range(first..).map(|(id, node)| (*id, node.packed()))
    }

    /// How many bytes of memory it has besides itself, as well as is known.
    pub fn allocated(&self) -> usize {
        // The tree's own nodes are two thirds full.
        self.bytes + self.nodes.len() * size_of::<(Id, Node)>() * 3 / 2
    }

    /// The id that a new entry gets. `now` is in ms since 1970.
    pub fn next_id(&self, new: NewId, now: i64) -> Result<Id, AddError> {
        let last = self.last_id;
        let after_last = last.next().ok_or(AddError::Exhausted)?;
        let now = now.max(0) as u64;
        let id = match new {
            NewId::Auto if now > last.ms => Id::new(now, 0),
            NewId::Auto => after_last,
            NewId::Time(ms) if ms == last.ms => Id::new(ms, last.seq.checked_add(1).ok_or(AddError::NotLarger)?),
            NewId::Time(ms) => Id::new(ms, 0),
            NewId::Given(id) => id,
        };
        if id > last { Ok(id) } else { Err(AddError::NotLarger) }
    }

    /// Adds an entry with the fields and values of `pairs`, by turns, and says which id it has got.
    pub fn add<T: AsRef<[u8]>>(&mut self, new: NewId, now: i64, pairs: &[T], limits: &Limits) -> Result<Id, AddError> {
        debug_assert!(pairs.len().is_multiple_of(2));
        let id = self.next_id(new, now)?;
        let bytes: usize = pairs.iter().map(|text| text.as_ref().len()).sum();
        if cost_bound(bytes, pairs.len()) > MAX_BYTES {
            return Err(AddError::TooLarge);
        }
        let max_bytes = if limits.node_max_bytes == 0 { MAX_BYTES } else { limits.node_max_bytes.min(MAX_BYTES) };
        let max_entries = if limits.node_max_entries == 0 { usize::MAX } else { limits.node_max_entries };
        let last = self.nodes.last_key_value().filter(|(_, node)| {
            node.size() + bytes < max_bytes
                && node.len() + node.deleted() < max_entries
                && node.has_room(bytes, pairs.len())
        });
        if let Some((&master, _)) = last {
            self.edit(master, |node| node.append(master, id, pairs));
        } else {
            self.insert_node(id, Node::new(pairs));
        }
        self.length += 1;
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
        Ok(id)
    }

    /// Deletes an entry, and says whether it was there.
    pub fn delete(&mut self, id: Id) -> bool {
        let Some((master, slot)) = self.get(id).map(|entry| entry.place()) else { return false };
        if self.nodes[&master].len() == 1 {
            self.remove_node(master);
        } else {
            self.edit(master, |node| node.delete(&[slot]));
        }
        self.length -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if id == self.first_id {
            self.find_first_id();
        }
        true
    }

    /// The entry with an id.
    pub fn get(&self, id: Id) -> Option<Entry<'_>> {
        if id < self.first_id || id > self.last_id {
            return None;
        }
        // Whether it comes behind a node's entries is told by the last one; walking through all of them takes long.
        let (master, node) = self.nodes.range(..=id).next_back()?;
        let last = node.view(*master).last()?;
        if id <= last.id { self.range(id, id).next() } else { None }
    }

    /// Whether there is an entry with this id.
    pub fn contains(&self, id: Id) -> bool {
        self.get(id).is_some()
    }

    /// The last entry, whose id may be smaller than [`EntryLog::last_id`].
    pub fn last_entry(&self) -> Option<Entry<'_>> {
        self.range_back(Id::MIN, Id::MAX).next()
    }

    /// All entries with ids from `first` to `last`, both included.
    pub fn range(&self, first: Id, last: Id) -> Entries<'_> {
        self.entries(first, last, false)
    }

    /// As [`EntryLog::range`], from the last one to the first.
    pub fn range_back(&self, first: Id, last: Id) -> Entries<'_> {
        self.entries(first, last, true)
    }

    fn entries(&self, first: Id, last: Id, is_reverse: bool) -> Entries<'_> {
        let start = self.nodes.range(..=first).next_back().map_or(Id::MIN, |(master, _)| *master);
        let nodes = match (first <= last, is_reverse) {
            (false, _) => Default::default(),
            (true, false) => self.nodes.range(start..),
            (true, true) => self.nodes.range(start..=last),
        };
        Entries::new(nodes, first, last, is_reverse)
    }

    /// Sets the last id, and if they are given how many entries were ever added and the largest id that was deleted (0-0:
    /// not given). As in Redis 7.0 the last id may be below one that was deleted before, and is then given once more.
    pub fn set_id(&mut self, last: Id, entries_added: Option<u64>, max_deleted: Id) -> Result<(), SetIdError> {
        if last < max_deleted {
            return Err(SetIdError::BelowDeleted);
        }
        if self.last_entry().is_some_and(|entry| last < entry.id()) {
            return Err(SetIdError::BelowLastEntry);
        }
        if entries_added.is_some_and(|added| added < self.length) {
            return Err(SetIdError::AddedBelowLength);
        }
        self.last_id = last;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        if max_deleted != Id::MIN {
            self.max_deleted_id = max_deleted;
        }
        Ok(())
    }

    pub(super) fn find_first_id(&mut self) {
        self.first_id = self.range(Id::MIN, Id::MAX).next().map_or(Id::MIN, |entry| entry.id());
    }

    pub(super) fn insert_node(&mut self, master: Id, node: Node) {
        self.bytes += node.allocated();
        self.nodes.insert(master, node);
    }

    pub(super) fn remove_node(&mut self, master: Id) {
        if let Some(node) = self.nodes.remove(&master) {
            self.bytes -= node.allocated();
        }
    }

    pub(super) fn edit(&mut self, master: Id, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(&master) {
            self.bytes -= node.allocated();
            change(node);
            self.bytes += node.allocated();
        }
    }

    /// Drops a node and says whether there was one. For a stream that is no longer used.
    pub(super) fn free_node(&mut self) -> bool {
        let node = self.nodes.pop_last();
        self.bytes -= node.as_ref().map_or(0, |(_, node)| node.allocated());
        node.is_some()
    }
}

#[cfg(test)]
#[path = "entry_log_tests.rs"]
mod tests;
