//! Cutting off the oldest entries.

use super::entry_log::{EntryLog, Limits};
use super::id::Id;

/// What may stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Threshold {
    /// So many entries: MAXLEN.
    MaxLen(u64),
    /// Entries with this id or a larger one: MINID.
    MinId(Id),
}

/// How entries are cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trim {
    /// What may stay.
    pub threshold: Threshold,
    /// Only whole nodes go, so that more may stay: `~`.
    pub is_approximate: bool,
    /// The most entries that go: LIMIT. 0: unlimited.
    pub limit: u64,
}

impl Limits {
    /// The LIMIT of an approximate trimming that has none.
    pub fn default_trim_limit(&self) -> u64 {
        match 100u64.saturating_mul(self.node_max_entries as u64) {
            0 => 10_000,
            limit => limit.min(1_000_000),
        }
    }
}

impl EntryLog {
    /// Cuts off the oldest entries and says how many that were.
    pub fn trim(&mut self, trim: &Trim) -> u64 {
        let before = self.length;
        while self.exceeds(trim.threshold)
            && let Some((&master, node)) = self.nodes.first_key_value()
        {
            let entries = node.len() as u64;
            if trim.limit > 0 && before - self.length + entries > trim.limit {
                break;
            }
            let is_wholly_outside = match trim.threshold {
                Threshold::MaxLen(most) => self.length - entries >= most,
                Threshold::MinId(least) => node.view(master).last().is_none_or(|last| last.id < least),
            };
            if is_wholly_outside {
                self.remove_node(master);
                self.length -= entries;
                continue;
            }
            if !trim.is_approximate {
                self.trim_node(master, trim.threshold);
            }
            break;
        }
        if self.length != before {
            self.find_first_id();
        }
        before - self.length
    }

    fn exceeds(&self, threshold: Threshold) -> bool {
        match threshold {
            Threshold::MaxLen(most) => self.length > most,
            Threshold::MinId(_) => true,
        }
    }

    /// Deletes the first entries of a node of which others stay.
    fn trim_node(&mut self, master: Id, threshold: Threshold) {
        let view = self.nodes[&master].view(master);
        let mut slots = Vec::new();
        let mut next = view.first();
        while let Some(slot) = next {
            let stays = match threshold {
                Threshold::MaxLen(most) => self.length - slots.len() as u64 <= most,
                Threshold::MinId(least) => slot.id >= least,
            };
            if stays {
                break;
            }
            if !slot.is_deleted() {
                slots.push(slot);
            }
            next = view.next(&slot);
        }
        if slots.len() == self.nodes[&master].len() {
            // Only entries that were deleted before are left. Redis keeps such a node, and can lose entries by it: after
            // XSETID has set the last id back, a new node can get the same id.
            self.remove_node(master);
        } else {
            self.edit(master, |node| node.delete(&slots));
        }
        self.length -= slots.len() as u64;
    }
}

#[cfg(test)]
#[path = "trim_tests.rs"]
mod tests;
