//! Writing what has changed to the last increment, and syncing it.

use super::disk::DiskFile;
use super::syncer::Syncer;
use crate::config::choices::Fsync;
use crate::config::format::reason;
use crate::log::{Level, log};
use std::io;
use std::sync::Arc;

/// How long a write waits for a sync under way, in milliseconds.
const PATIENCE: i64 = 2000;
const SYNC_EVERY: i64 = 1000;
/// How long after a failure it is tried again, in milliseconds.
const RETRY_AFTER: i64 = 100;
/// How often failures are logged, in milliseconds.
const COMPLAIN_EVERY: i64 = 30_000;

/// How a flush is to be done.
#[derive(Clone, Copy)]
pub struct Flush {
    pub fsync: Fsync,
    /// Nothing is synced: `no-appendfsync-on-rewrite`, while a rewrite is running.
    pub skip_sync: bool,
    /// The server's ticks.
    pub ticks: i64,
    /// Nothing may be put off.
    pub urgent: bool,
}

/// What keeps changes from being safe.
#[derive(Debug)]
enum Failure {
    Write(String),
    Sync(String),
}

/// The last increment, and what has yet to be written to it.
pub struct Log {
    syncer: Syncer,
    file: Arc<DiskFile>,
    /// How long it is without a write that was cut short.
    len: u64,
    pending: Vec<u8>,
    /// Something has been written since the last sync began.
    unsynced: bool,
    /// In ticks.
    last_sync: i64,
    postponed_since: Option<i64>,
    /// How many writes took place though a sync was running.
    pub delayed: u64,
    failure: Option<Failure>,
    failed_at: i64,
    complained_at: Option<i64>,
    /// A sync by the thread failed. What the system had in memory for the file may be lost to the disk though later syncs
    /// succeed, so that a rewrite has to make everything whole again.
    pub has_gap: bool,
    held: Option<Held>,
}

/// Where to go on when there is a base that has what could not be written.
struct Held {
    /// So many of the pending bytes are in the base.
    len: usize,
    next: DiskFile,
}

impl Log {
    pub fn new(file: DiskFile, syncer: Syncer) -> io::Result<Log> {
        Ok(Log {
            len: file.len()?,
            file: Arc::new(file),
            syncer,
            pending: Vec::new(),
            unsynced: false,
            last_sync: 0,
            postponed_since: None,
            delayed: 0,
            failure: None,
            failed_at: 0,
            complained_at: None,
            has_gap: false,
            held: None,
        })
    }

    /// Why requests that change something are refused, in the system's words.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_ref().map(|(Failure::Write(why) | Failure::Sync(why))| why.as_str())
    }

    /// Whether it is writing that fails.
    #[cfg(test)]
    pub fn fails_to_write(&self) -> bool {
        matches!(self.failure, Some(Failure::Write(_)))
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    /// How many bytes have yet to be written.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many bytes of memory hold them.
    pub fn memory(&self) -> usize {
        self.pending.capacity()
    }

    pub fn syncer(&self) -> &Syncer {
        &self.syncer
    }

    /// Takes what has changed; [`Log::flush`] writes it.
    pub fn add(&mut self, bytes: &mut Vec<u8>) {
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, bytes);
        } else {
            self.pending.append(bytes);
        }
    }

    /// Writes what is pending, and has it synced as `how` says. False if replies to what has changed may not leave.
    pub fn flush(&mut self, how: Flush) -> bool {
        let always = how.fsync == Fsync::Always && !how.skip_sync;
        self.note_syncs(how);
        if self.held.is_some() {
            return !always;
        }
        if self.pending.is_empty() && !self.unsynced {
            return true;
        }
        if self.failure.is_some() && !how.urgent && how.ticks - self.failed_at < RETRY_AFTER {
            return !always;
        }
        if !self.pending.is_empty() {
            if how.fsync == Fsync::EverySecond && !how.urgent && self.waits_for_sync(how.ticks) {
                return true;
            }
            self.postponed_since = None;
            let start = self.len;
            if let Err(error) = self.write() {
                self.fail(Failure::Write(reason(&error)), how.ticks);
                return !always;
            }
            if always {
                return self.sync_now(start, how.ticks);
            }
            self.pending.clear();
            self.pending.shrink_to(PENDING_KEPT);
            self.recover_from(|failure| matches!(failure, Failure::Write(_)));
        } else if always {
            return self.sync_now(self.len, how.ticks);
        }
        // Only a sync can show that the disk works again.
        let syncs = how.fsync == Fsync::EverySecond || matches!(self.failure, Some(Failure::Sync(_)));
        if syncs && !how.skip_sync && how.ticks - self.last_sync >= SYNC_EVERY {
            self.start_sync(how.ticks);
        }
        true
    }

    /// Whether a write is put off because a sync is running, for which the system might make it wait.
    fn waits_for_sync(&mut self, ticks: i64) -> bool {
        if self.syncer.running() == 0 {
            return false;
        }
        let since = *self.postponed_since.get_or_insert(ticks);
        if ticks - since < PATIENCE {
            return true;
        }
        self.delayed += 1;
        log(
            Level::Notice,
            format_args!(
                "a sync of the append-only file takes more than {} s: the disk is busy, and writes may wait for it",
                PATIENCE / 1000
            ),
        );
        false
    }

    /// Writes all that is pending, and leaves it there. A part of it is taken back.
    fn write(&mut self) -> io::Result<()> {
        let mut done = 0;
        while done < self.pending.len() {
            match self.file.write(&self.pending[done..]) {
                Ok(len @ 1..) => done += len,
                result => {
                    if done > 0 && self.file.cut(self.len).is_err() {
                        // It stays, and what is missing will follow it.
                        self.len += done as u64;
                        self.pending.drain(..done);
                        self.unsynced = true;
                    }
                    return Err(result.err().unwrap_or(io::ErrorKind::WriteZero.into()));
                }
            }
        }
        self.len += done as u64;
        self.unsynced = true;
        Ok(())
    }

    /// Syncs before anybody goes on. What was pending has just been written at `start`. If this fails, it is unknown what
    /// the disk has got, and another sync would not tell; so it is cut off again, and will be written anew.
    fn sync_now(&mut self, start: u64, ticks: i64) -> bool {
        if let Err(error) = self.file.sync() {
            if self.file.cut(start).is_ok() {
                self.len = start;
            } else {
                self.pending.clear();
                self.has_gap = true;
            }
            self.fail(Failure::Sync(reason(&error)), ticks);
            return false;
        }
        self.pending.clear();
        self.pending.shrink_to(PENDING_KEPT);
        self.unsynced = false;
        self.last_sync = ticks;
        self.recover_from(|_| true);
        true
    }

    fn start_sync(&mut self, ticks: i64) {
        if self.unsynced && self.syncer.running() == 0 {
            self.syncer.sync(self.file.clone());
            self.unsynced = false;
        }
        self.last_sync = ticks;
    }

    /// Looks how the thread's syncs have ended.
    fn note_syncs(&mut self, how: Flush) {
        match self.syncer.take_result() {
            Some(Err(error)) => {
                self.unsynced = true;
                self.has_gap = true;
                self.fail(Failure::Sync(reason(&error)), how.ticks);
            }
            Some(Ok(())) => self.recover_from(|failure| matches!(failure, Failure::Sync(_))),
            None => {}
        }
    }

    fn fail(&mut self, failure: Failure, ticks: i64) {
        self.failed_at = ticks;
        if self.complains(ticks) {
            let (what, why) = match &failure {
                Failure::Write(why) => ("write to", why),
                Failure::Sync(why) => ("sync", why),
            };
            log(Level::Warning, format_args!("cannot {what} the append-only file: {why}. Changes are refused."));
        }
        self.failure = Some(failure);
    }

    /// Whether a failure is to be logged: the first one, and one every half a minute.
    fn complains(&mut self, ticks: i64) -> bool {
        let complains = self.complained_at.is_none_or(|at| ticks - at >= COMPLAIN_EVERY);
        if complains {
            self.complained_at = Some(ticks);
        }
        complains
    }

    fn recover_from(&mut self, over: impl Fn(&Failure) -> bool) {
        if self.failure.take_if(|failure| over(failure)).is_some() {
            self.complained_at = None;
            log(Level::Warning, format_args!("the append-only file can be written again"));
        }
    }

    /// Goes on in another file. What was written to this one and is not synced yet, the thread syncs.
    pub fn switch(&mut self, file: DiskFile) {
        let old = std::mem::replace(&mut self.file, Arc::new(file));
        if self.unsynced {
            self.syncer.finish(old);
        }
        self.len = 0;
        self.unsynced = false;
    }

    /// The file cannot be written, and a base is being made that has what is pending now. Nothing is written meanwhile:
    /// behind that base it would count twice.
    pub fn hold(&mut self, next: DiskFile) {
        self.held = Some(Held { len: self.pending.len(), next });
    }

    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// There is that base, and the file behind it is the next.
    pub fn take_up(&mut self) {
        if let Some(Held { len, next }) = self.held.take() {
            self.pending.drain(..len);
            self.switch(next);
            self.recover_from(|_| true);
        }
    }

    /// There is no such base: the file stays what it was.
    pub fn let_go(&mut self) {
        self.held = None;
    }

    /// Writes and syncs everything. True if that has been done.
    pub fn finish(&mut self, ticks: i64) -> bool {
        // The thread's result is about what it had.
        self.flush(Flush { fsync: Fsync::Always, skip_sync: false, ticks, urgent: true })
    }
}

/// Memory kept for what is to be written next.
const PENDING_KEPT: usize = 1 << 20;

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
