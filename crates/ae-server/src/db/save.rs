//! Saving everything: what there is at one moment, in slices, or at once.

use super::databases::Databases;
use super::snapshot::{Noted, PORTION, Snapshot, usage_of};
use rdb::{Entry, FileWriter};
use std::time::{Duration, Instant};
use store::Keyspace;

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
            freed: Vec::new(),
            open: None,
            gone: Vec::new(),
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
        let done = loop {
            if !snapshot.write_open(|db, id| self.keyspace(db).value(id), may_go_on) {
                break false;
            }
            let in_use =
                (0..self.len()).all(|db| snapshot.walk(snapshot.numbers[db], self.keyspace_mut(db), may_go_on));
            if in_use && snapshot.walk_kept(may_go_on) {
                break true;
            }
            if snapshot.open.is_none() {
                break false;
            }
        };
        snapshot.freed.drain(..).for_each(|value| self.garbage.add(value));
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
        let (values, keyspaces) = snapshot.into_garbage();
        values.into_iter().for_each(|value| self.garbage.add(value));
        keyspaces
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
                let Some(value) = keyspace.value(id) else { continue };
                let usage = usage_of(keyspace, id, noted, &self.usage, now);
                let entry = Entry { key: keyspace.key(id), value, deadline: keyspace.deadline(id), usage };
                let mut more = writer.begin_entry(&entry, PORTION);
                loop {
                    if writer.pending() >= DRAIN_AT {
                        drain(writer)?;
                    }
                    if !more {
                        break;
                    }
                    more = writer.go_on(value, PORTION);
                }
            }
        }
        writer.finish();
        drain(writer)
    }
}

#[cfg(test)]
#[path = "save_tests.rs"]
mod tests;
