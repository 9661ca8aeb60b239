//! The stream: its entries, and the groups that read them.

use super::entry_log::EntryLog;
use super::group::Group;
use super::id::Id;
use std::collections::BTreeMap;

/// A stream. Unlike collections, a key may hold one without entries.
#[derive(Clone, Default)]
pub struct Stream {
    log: EntryLog,
    groups: BTreeMap<Box<[u8]>, Group>,
}

impl Stream {
    /// One without entries and groups.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// A stream of entries that were read from a file.
    pub fn from_log(log: EntryLog) -> Stream {
        Stream { log, groups: BTreeMap::new() }
    }

    /// The name that OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        "stream"
    }

    /// How many bytes of memory it has besides itself, as well as is known.
    pub fn allocated(&self) -> usize {
        // A tree's nodes are two thirds full.
        let groups = self.groups.len() * size_of::<(Box<[u8]>, Group)>() * 3 / 2;
        let of_groups = self.groups.iter().map(|(name, group)| name.len() + group.allocated());
        self.log.allocated() + groups + of_groups.sum::<usize>()
    }

    /// Its entries.
    pub fn log(&self) -> &EntryLog {
        &self.log
    }

    /// Its entries, to be changed.
    pub fn log_mut(&mut self) -> &mut EntryLog {
        &mut self.log
    }

    /// The group with a name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The group with a name, to be changed, and the entries that it reads.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<(&mut Group, &EntryLog)> {
        Some((self.groups.get_mut(name)?, &self.log))
    }

    /// All groups, in the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&name[..], group))
    }

    /// Creates a group that has read up to an id (see [`Group::new`]); false if there is one with the name.
    pub fn create_group(&mut self, name: &[u8], last_id: Id, entries_read: Option<i64>) -> bool {
        self.add_group(name, Group::new(last_id, entries_read))
    }

    /// Adds a group; false if there is one with the name.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        let is_new = !self.groups.contains_key(name);
        if is_new {
            self.groups.insert(name.into(), group);
        }
        is_new
    }

    /// Deletes a group, with what is pending in it; false if there is none with the name.
    pub fn delete_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    /// Drops at most `budget` nodes, pending entries, consumers and groups, and says whether something is left. For a
    /// stream that is no longer used.
    pub fn free_some(&mut self, budget: usize) -> bool {
        for _ in 0..budget {
            if self.log.free_node() {
                continue;
            }
            let Some(mut group) = self.groups.last_entry() else { return false };
            if !group.get_mut().free_one() {
                group.remove();
            }
        }
        self.log.node_count() > 0 || !self.groups.is_empty()
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
