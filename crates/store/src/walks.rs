//! Ways through a database's entries: scans, picks at random, all of them, and the walk of a snapshot.

use crate::keyspace::{EntryId, Keyspace, key_of};
use crate::snapshot::Snapshot;
use crate::view::ValueRef;

impl Keyspace {
    /// One step of a scan: see `Index::scan`. Calls `found` with each entry's key, value and deadline.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(&[u8], ValueRef<'_>, Option<i64>)) -> u64 {
        self.index.scan(cursor, |id| {
            if let Some(entry) = self.entry(id)
                && let Some(value) = self.value_of(entry)
            {
                found(key_of(&self.keys, entry), value, entry.deadline());
            }
        })
    }

    /// Any entry, all with the same probability.
    ///
    /// An id is picked until there is an entry with it, or, when few are left of many, places in the index, which become
    /// fewer with the entries.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<EntryId> {
        // One id in so many has to be in use.
        const IDS: usize = 16;
        const TRIES: usize = 500;
        let end = self.entries.end();
        let is_dense = self.len() >= end as usize / IDS;
        let pick = |number| match is_dense {
            true => Some((number % u64::from(end)) as u32).filter(|id| self.entries.get(*id).is_some()),
            false => self.index.at_random(number),
        };
        if self.is_empty() {
            return None;
        }
        let found = (0..TRIES).find_map(|_| pick(random()));
        found.or_else(|| self.entries.nth((random() % self.len() as u64) as usize))
    }

    /// An entry that has a deadline, all with the same probability.
    pub fn random_volatile(&self, mut random: impl FnMut() -> u64) -> Option<EntryId> {
        const TRIES: usize = 500;
        let (_, first) = self.deadlines.first()?;
        (0..TRIES).find_map(|_| self.deadlines.at_random(random())).or(Some(first))
    }

    /// Every key with its deadline.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<i64>)> {
        self.entries.ids().filter_map(|id| self.entry(id)).map(|entry| (key_of(&self.keys, entry), entry.deadline()))
    }

    /// Every entry.
    pub fn ids(&self) -> impl Iterator<Item = EntryId> {
        self.entries.ids()
    }

    /// Begins a snapshot of what there is: every entry is unsaved, and each has to be saved before it changes or goes. One
    /// that was under way is given up.
    pub fn begin_snapshot(&mut self) {
        self.snapshot = Some(Snapshot::new(self.entries.end()));
    }

    /// Gives up the snapshot under way, if there is one.
    pub fn end_snapshot(&mut self) {
        self.snapshot = None;
    }

    /// Whether a snapshot is under way: it ends when [`Keyspace::next_unsaved`] has passed every entry.
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Whether an entry has still to be saved in the snapshot under way.
    pub fn is_unsaved(&self, id: EntryId) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| snapshot.is_unsaved(id))
    }

    /// Says that an entry has been saved, before its turn.
    pub fn mark_saved(&mut self, id: EntryId) {
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.mark_saved(id);
        }
    }

    /// The next entry to save; it counts as saved from now on. Looks at up to `steps` places for entries, which it counts
    /// down. With None the steps are used up, or the snapshot has ended.
    pub fn next_unsaved(&mut self, steps: &mut usize) -> Option<EntryId> {
        let snapshot = self.snapshot.as_mut()?;
        while *steps > 0
            && let Some((id, is_unsaved)) = snapshot.walk()
        {
            *steps -= 1;
            if self.entries.get(id).is_none() {
                snapshot.skip_to(self.entries.next_place(id));
            } else if is_unsaved {
                return Some(id);
            }
        }
        if snapshot.is_done() {
            self.snapshot = None;
        }
        None
    }
}
