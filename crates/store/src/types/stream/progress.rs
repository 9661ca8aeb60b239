//! How far a reader has come: how many entries were ever added up to an id.

use super::entry_log::EntryLog;
use super::id::Id;

impl EntryLog {
    /// Whether an entry behind `id`, or that one itself, may have been deleted from among those that are there.
    pub(super) fn has_gaps_from(&self, id: Id) -> bool {
        self.length > 0
            && self.max_deleted_id != Id::MIN
            && self.first_id <= self.max_deleted_id
            && id <= self.max_deleted_id
    }

    /// How many entries were ever added up to an id, if that can be told from the counters.
    pub fn added_up_to(&self, id: Id) -> Option<i64> {
        let added = self.entries_added as i64;
        if added == 0 || id == self.last_id || self.length == 0 && id < self.last_id {
            return Some(added);
        }
        if self.max_deleted_id != Id::MIN && self.max_deleted_id >= self.first_id {
            return None;
        }
        let before_first = added.wrapping_sub(self.length as i64);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less => Some(before_first),
            std::cmp::Ordering::Equal => Some(before_first.wrapping_add(1)),
            std::cmp::Ordering::Greater => None,
        }
    }
}
