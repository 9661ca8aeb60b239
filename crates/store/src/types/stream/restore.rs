//! Putting a stream together from the parts that a file has, none of which is trusted.

use super::entry_log::EntryLog;
use super::group::{ConsumerId, Group, Pending};
use super::id::Id;
use super::node::Node;
use crate::types::packed::{Corrupt, Packed};

/// What a file tells about the entries besides the entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counters {
    /// How many entries there are.
    pub length: u64,
    /// The last id.
    pub last_id: Id,
    /// The largest id that was deleted. Files of before Redis 7.0 do not have it: 0-0.
    pub max_deleted_id: Id,
    /// How many entries were ever added. Files of before Redis 7.0 do not have it: as many as there are.
    pub entries_added: u64,
}

impl EntryLog {
    /// Adds the node with an id, which is larger than those of the entries that are there. The error has the offset in the
    /// block of what is wrong; 0 if it is the id. Nodes without entries, which Redis may have, are left out.
    pub fn restore_node(&mut self, master: Id, block: Vec<u8>) -> Result<(), Corrupt> {
        let node = Node::from_packed(master, Packed::from_bytes(block)?)?;
        if self.last_entry().is_some_and(|last| master <= last.id()) {
            return Err(Corrupt(0));
        }
        if node.len() > 0 {
            self.length += node.len() as u64;
            self.insert_node(master, node);
        }
        Ok(())
    }

    /// Sets what the file tells besides, after all nodes; false, and nothing is set, if it contradicts the entries.
    pub fn restore_counters(&mut self, counters: Counters) -> bool {
        let last = self.last_entry().map_or(Id::MIN, |entry| entry.id());
        if counters.length != self.length || counters.last_id < last {
            return false;
        }
        self.last_id = counters.last_id;
        self.max_deleted_id = counters.max_deleted_id;
        self.entries_added = counters.entries_added;
        self.find_first_id();
        true
    }
}

impl Group {
    /// Adds a pending entry that no consumer has yet; false if it is there.
    pub fn restore_pending(&mut self, id: Id, delivered: i64, deliveries: u64) -> bool {
        let pending = Pending { consumer: ConsumerId::NOBODY, delivered, deliveries };
        let is_new = !self.pending.contains_key(&id);
        if is_new {
            self.pending.insert(id, pending);
        }
        is_new
    }

    /// Gives a pending entry that no consumer has to one; false if there is no such entry.
    pub fn restore_owner(&mut self, id: Id, consumer: ConsumerId) -> bool {
        let pending = self.pending.get(&id).filter(|pending| pending.consumer == ConsumerId::NOBODY).copied();
        pending.map(|pending| self.assign(id, Pending { consumer, ..pending })).is_some()
    }

    /// Whether each pending entry has its consumer.
    pub fn is_whole(&self) -> bool {
        self.pending.len() == self.consumers().map(|(_, consumer)| consumer.pending_len()).sum::<usize>()
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
