//! A consumer group: how far it has read, and which entries its consumers have got and not acknowledged.

use super::entry_log::EntryLog;
use super::id::Id;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A consumer of a group, for as long as it is not deleted. No other one of the group ever gets the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConsumerId(u64);

impl ConsumerId {
    /// Of no consumer, while a group is read from a file.
    pub(super) const NOBODY: ConsumerId = ConsumerId(0);
}

/// An entry that was delivered and not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    /// Whom it was delivered to last.
    pub consumer: ConsumerId,
    /// When, in ms since 1970.
    pub delivered: i64,
    /// How often.
    pub deliveries: u64,
}

/// A consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Arc<[u8]>,
    seen: i64,
    pending: BTreeSet<Id>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// When it was last heard of, in ms since 1970.
    pub fn seen(&self) -> i64 {
        self.seen
    }

    /// How many entries are pending for it.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }
}

/// What a claim makes of the number of deliveries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deliveries {
    /// As many as before.
    Keep,
    /// One more.
    Increment,
    /// So many.
    Set(u64),
}

/// A consumer group.
#[derive(Clone, Debug)]
pub struct Group {
    last_id: Id,
    entries_read: Option<i64>,
    pub(super) pending: BTreeMap<Id, Pending>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    names: BTreeMap<Arc<[u8]>, ConsumerId>,
    last_consumer: ConsumerId,
}

impl Group {
    /// A group without consumers that has read up to an id. `entries_read`: how many entries were added up to there
    /// (none for Redis's -1, "not known").
    pub fn new(last_id: Id, entries_read: Option<i64>) -> Group {
        Group {
            last_id,
            entries_read,
            pending: BTreeMap::new(),
            consumers: BTreeMap::new(),
            names: BTreeMap::new(),
            last_consumer: ConsumerId::NOBODY,
        }
    }

    /// The last id that was delivered.
    pub fn last_id(&self) -> Id {
        self.last_id
    }

    /// How many entries were added up to the last delivered id; none if that is not known.
    pub fn entries_read(&self) -> Option<i64> {
        self.entries_read
    }

    /// XGROUP SETID.
    pub fn set_id(&mut self, last_id: Id, entries_read: Option<i64>) {
        (self.last_id, self.entries_read) = (last_id, entries_read);
    }

    /// Has read up to an id at least: XCLAIM's LASTID. Says whether it had not.
    pub fn raise_last_id(&mut self, id: Id) -> bool {
        let is_news = id > self.last_id;
        self.last_id = self.last_id.max(id);
        is_news
    }

    /// How many entries are still to be read; none if that cannot be told.
    pub fn lag(&self, log: &EntryLog) -> Option<i64> {
        let added = log.entries_added() as i64;
        if added == 0 {
            return Some(0);
        }
        let exact = self.entries_read.filter(|_| !log.has_gaps_from(self.last_id));
        exact.or_else(|| log.added_up_to(self.last_id)).map(|read| added.wrapping_sub(read))
    }

    /// How many bytes of memory it has besides itself, as well as is known.
    pub fn allocated(&self) -> usize {
        // Each pending entry is in two trees, each name in one of two and once by itself. What comes behind all others, as
        // ids do, leaves nodes that are half full.
        let pending = self.pending.len() * (size_of::<(Id, Pending)>() + size_of::<Id>());
        let consumer = size_of::<(ConsumerId, Consumer)>() + size_of::<(Arc<[u8]>, ConsumerId)>();
        let names: usize = self.names.keys().map(|name| size_of::<[usize; 2]>() + name.len()).sum();
        (pending + self.consumers.len() * consumer) * 2 + names
    }

    /// The consumer with a name.
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// Creates a consumer unless there is one with the name, and says which it is and whether it is new.
    pub fn create_consumer(&mut self, name: &[u8], now: i64) -> (ConsumerId, bool) {
        if let Some(id) = self.find_consumer(name) {
            return (id, false);
        }
        self.last_consumer.0 += 1;
        let (id, name) = (self.last_consumer, Arc::<[u8]>::from(name));
        self.names.insert(name.clone(), id);
        self.consumers.insert(id, Consumer { name, seen: now, pending: BTreeSet::new() });
        (id, true)
    }

    /// Deletes a consumer, and forgets what is pending for it; says how many entries that were.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let consumer = self.consumers.remove(&self.names.remove(name)?)?;
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// A consumer.
    pub fn consumer(&self, id: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(&id)
    }

    /// All consumers, in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (ConsumerId, &Consumer)> {
        self.names.values().map(|id| (*id, &self.consumers[id]))
    }

    /// A consumer was heard of.
    pub fn see(&mut self, id: ConsumerId, now: i64) {
        if let Some(consumer) = self.consumers.get_mut(&id) {
            consumer.seen = now;
        }
    }

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// A pending entry.
    pub fn pending(&self, id: Id) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// The first pending entry with this id or a larger one.
    pub fn next_pending(&self, from: Id) -> Option<(Id, &Pending)> {
        self.pending.range(from..).next().map(|(id, pending)| (*id, pending))
    }

    /// The pending entries with ids from `first` to `last`, both included.
    pub fn pending_range(&self, first: Id, last: Id) -> impl DoubleEndedIterator<Item = (Id, &Pending)> {
        let range = if first <= last { self.pending.range(first..=last) } else { Default::default() };
        range.map(|(id, pending)| (*id, pending))
    }

    /// As [`Group::pending_range`], of one consumer.
    pub fn pending_range_of(
        &self,
        consumer: ConsumerId,
        first: Id,
        last: Id,
    ) -> impl DoubleEndedIterator<Item = (Id, &Pending)> {
        let owned = self.consumers.get(&consumer).filter(|_| first <= last).map(|own| own.pending.range(first..=last));
        owned.into_iter().flatten().filter_map(|id| self.pending.get(id).map(|pending| (*id, pending)))
    }

    /// An entry of `log` is delivered as new: the group has read up to it, and it is pending for `to`, whoever had it
    /// before (none: with NOACK). Says whether the group has come further.
    pub fn deliver(&mut self, log: &EntryLog, id: Id, to: Option<ConsumerId>, now: i64) -> bool {
        let is_news = id > self.last_id;
        if is_news {
            self.entries_read = match self.entries_read {
                Some(read) if !log.has_gaps_from(id) => Some(read.wrapping_add(1)),
                _ => log.added_up_to(id),
            };
            self.last_id = id;
        }
        if let Some(consumer) = to {
            self.assign(id, Pending { consumer, delivered: now, deliveries: 1 });
        }
        is_news
    }

    /// A pending entry is delivered once more to the consumer that has it; false if it is not pending.
    pub fn redeliver(&mut self, id: Id, now: i64) -> bool {
        let pending = self.pending.get_mut(&id);
        pending
            .map(|pending| (pending.delivered, pending.deliveries) = (now, pending.deliveries.wrapping_add(1)))
            .is_some()
    }

    /// Gives a pending entry to a consumer. One that is not pending becomes so if `force` is set, as after a first
    /// delivery; otherwise the answer is false.
    pub fn claim(&mut self, id: Id, to: ConsumerId, delivered: i64, deliveries: Deliveries, force: bool) -> bool {
        let before = match self.pending.get(&id) {
            Some(pending) => pending.deliveries,
            None if force => 1,
            None => return false,
        };
        let deliveries = match deliveries {
            Deliveries::Keep => before,
            Deliveries::Increment => before.wrapping_add(1),
            Deliveries::Set(count) => count,
        };
        self.assign(id, Pending { consumer: to, delivered, deliveries });
        true
    }

    /// An entry is pending no longer; false if it was not.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        true
    }

    /// Makes an entry pending, for a consumer that is there; others have it no longer.
    pub(super) fn assign(&mut self, id: Id, pending: Pending) {
        let Some(consumer) = self.consumers.get_mut(&pending.consumer) else {
            debug_assert!(false, "the consumer is there");
            return;
        };
        consumer.pending.insert(id);
        if let Some(before) = self.pending.insert(id, pending)
            && before.consumer != pending.consumer
            && let Some(other) = self.consumers.get_mut(&before.consumer)
        {
            other.pending.remove(&id);
        }
    }

    /// Drops a pending entry or a consumer and says whether there was one. For a group that is no longer used.
    pub(super) fn free_one(&mut self) -> bool {
        let Some((id, pending)) = self.pending.pop_last() else {
            self.names.pop_last();
            return self.consumers.pop_last().is_some();
        };
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        true
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
