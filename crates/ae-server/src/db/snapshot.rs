//! All data as they were at one moment, in the form of an RDB file, while they go on changing.
//!
//! No fork: the databases are walked in slices between requests. What is about to change for the first time since the
//! beginning is written first, out of turn; [`Databases::changing`] sees to that. What is new since then is left out.

use super::databases::Databases;
use super::usage::Usage;
use rdb::{Entry, FileWriter};
use std::time::{Duration, Instant};
use store::{EntryId, Keyspace};

/// Places looked at between two looks at the clock.
const STEPS: usize = 64;

/// What a snapshot says about the uses of keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noted {
    Nothing,
    /// For how long they have not been used.
    Idle,
    /// How often they are used.
    Frequency,
}

/// The snapshot under way.
pub(super) struct Snapshot {
    writer: FileWriter,
    noted: Noted,
    usage: Usage,
    /// When it began, in Unix milliseconds.
    now: i64,
    /// Which database each was at the beginning; they may have been exchanged since.
    numbers: Vec<usize>,
    /// How many keys each had at the beginning, and how many of them expire, until that is written.
    sizes: Vec<Option<(usize, usize)>>,
    /// What was in databases that have been emptied since, and which they were.
    kept: Vec<(usize, Keyspace)>,
    /// What nobody needs any more.
    discarded: Vec<Keyspace>,
    /// The database that the next entry is in unless another is named.
    selected: Option<usize>,
    entries: u64,
    total: u64,
    /// All is written, with the end.
    finished: bool,
}

impl Snapshot {
    /// Writes an entry that is about to change.
    pub fn save_first(&mut self, db: usize, keyspace: &mut Keyspace, id: EntryId) {
        keyspace.mark_saved(id);
        self.write(self.numbers[db], keyspace, id);
    }

    fn write(&mut self, number: usize, keyspace: &Keyspace, id: EntryId) {
        if self.selected != Some(number) {
            self.selected = Some(number);
            match self.sizes[number].take() {
                Some((keys, volatile)) => self.writer.database(number as u64, keys as u64, volatile as u64),
                None => self.writer.select(number as u64),
            }
        }
        write_entry(&mut self.writer, keyspace, id, self.noted, &self.usage, self.now);
        self.entries += 1;
    }

    pub fn swap(&mut self, one: usize, other: usize) {
        self.numbers.swap(one, other);
    }

    /// Keeps what was taken out of a database until it is written.
    pub fn keep(&mut self, db: usize, keyspace: Keyspace) {
        self.kept.push((self.numbers[db], keyspace));
    }
}

fn write_entry(writer: &mut FileWriter, keyspace: &Keyspace, id: EntryId, noted: Noted, usage: &Usage, now: i64) {
    let Some(value) = keyspace.value(id) else { return };
    let usage = match noted {
        Noted::Nothing => None,
        Noted::Idle => Some(rdb::Usage::Idle(usage.idle_time(keyspace.access(id), now) as u64)),
        Noted::Frequency => Some(rdb::Usage::Frequency(usage.frequency(keyspace.access(id), now))),
    };
    writer.entry(&Entry { key: keyspace.key(id), value, deadline: keyspace.deadline(id), usage });
}

/// How far a snapshot is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Progress {
    pub entries: u64,
    /// How many entries there are in all.
    pub total: u64,
    /// Bytes written so far.
    pub bytes: u64,
}

impl Databases {
    /// Begins a snapshot of what there is now. `writer` has written what comes before the first database.
    pub fn begin_snapshot(&mut self, writer: FileWriter, noted: Noted, now: i64) {
        self.end_snapshot();
        let mut sizes = Vec::new();
        for db in 0..self.len() {
            let keyspace = self.keyspace_mut(db);
            keyspace.begin_snapshot();
            sizes.push(Some((keyspace.len(), keyspace.volatile_len())));
        }
        self.snapshot = Some(Snapshot {
            writer,
            noted,
            usage: self.usage,
            now,
            numbers: (0..self.len()).collect(),
            total: sizes.iter().flatten().map(|(keys, _)| *keys as u64).sum(),
            sizes,
            kept: Vec::new(),
            discarded: Vec::new(),
            selected: None,
            entries: 0,
            finished: false,
        });
    }

    /// Writes some entries, for a bounded time, up to so many bytes that wait to be taken away, or entries. True when all
    /// are written, and the end.
    pub fn step_snapshot(&mut self, time: Duration, bytes: usize, entries: u64) -> bool {
        let Some(mut snapshot) = self.snapshot.take() else { return true };
        let (start, until) = (Instant::now(), snapshot.entries.saturating_add(entries));
        let may_go_on = |snapshot: &Snapshot| {
            snapshot.writer.pending() < bytes && snapshot.entries < until && start.elapsed() < time
        };
        let mut done = true;
        for db in 0..self.len() {
            done = done && snapshot.walk(snapshot.numbers[db], self.keyspace_mut(db), may_go_on);
        }
        while done && let Some((number, mut keyspace)) = snapshot.kept.pop() {
            done = snapshot.walk(number, &mut keyspace, may_go_on);
            match done {
                true => snapshot.discarded.push(keyspace),
                false => snapshot.kept.push((number, keyspace)),
            }
        }
        if done && !snapshot.finished {
            snapshot.finished = true;
            snapshot.writer.finish();
        }
        self.snapshot = Some(snapshot);
        done
    }

    /// What has been written, and emptied databases that the snapshot no longer needs.
    pub fn take_snapshot_bytes(&mut self) -> (Vec<u8>, Vec<Keyspace>) {
        let Some(snapshot) = &mut self.snapshot else { return (Vec::new(), Vec::new()) };
        (snapshot.writer.take(), std::mem::take(&mut snapshot.discarded))
    }

    /// How many bytes of the snapshot wait to be taken away.
    pub fn snapshot_pending(&self) -> usize {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.writer.pending())
    }

    /// How far the snapshot is; None without one.
    pub fn snapshot_progress(&self) -> Option<Progress> {
        let Snapshot { entries, total, writer, .. } = self.snapshot.as_ref()?;
        Some(Progress { entries: *entries, total: *total, bytes: writer.written() })
    }

    /// Ends the snapshot, or gives it up. Returns emptied databases that it had kept.
    pub fn end_snapshot(&mut self) -> Vec<Keyspace> {
        for db in 0..self.len() {
            self.keyspace_mut(db).end_snapshot();
        }
        let Some(snapshot) = self.snapshot.take() else { return Vec::new() };
        snapshot.discarded.into_iter().chain(snapshot.kept.into_iter().map(|(_, keyspace)| keyspace)).collect()
    }

    /// Writes everything at once, and the end. `drain` is called now and then to take away what there is; its first error
    /// ends it.
    pub fn write_all<E>(
        &self,
        writer: &mut FileWriter,
        noted: Noted,
        now: i64,
        mut drain: impl FnMut(&mut FileWriter) -> Result<(), E>,
    ) -> Result<(), E> {
        const DRAIN_AT: usize = 256 * 1024;
        for (db, keyspace) in self.iter().enumerate().filter(|(_, keyspace)| !keyspace.is_empty()) {
            writer.database(db as u64, keyspace.len() as u64, keyspace.volatile_len() as u64);
            for id in keyspace.ids() {
                write_entry(writer, keyspace, id, noted, &self.usage, now);
                if writer.pending() >= DRAIN_AT {
                    drain(writer)?;
                }
            }
        }
        writer.finish();
        drain(writer)
    }
}

impl Snapshot {
    /// Writes entries of a database. True when there are no more.
    fn walk(&mut self, number: usize, keyspace: &mut Keyspace, may_go_on: impl Fn(&Snapshot) -> bool) -> bool {
        while keyspace.has_snapshot() {
            if !may_go_on(self) {
                return false;
            }
            let mut steps = STEPS;
            if let Some(id) = keyspace.next_unsaved(&mut steps) {
                self.write(number, keyspace, id);
            }
        }
        true
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
