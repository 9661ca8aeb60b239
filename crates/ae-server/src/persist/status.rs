//! When what was saved and loaded, and how that ended.

use std::time::{Duration, Instant};

/// After a failure the next attempt by itself waits so many seconds.
pub const RETRY_AFTER: i64 = 5;

/// What is known of saving and loading.
pub struct Status {
    /// When all data were last on disk, in Unix seconds; until they are, when the server started.
    pub last_save: i64,
    /// How many changes there had been then.
    pub saved_changes: u64,
    /// When a background save was last tried, in Unix seconds.
    pub last_try: i64,
    /// How the last one ended.
    pub last_ok: bool,
    /// How long it took; None before the first one.
    pub last_duration: Option<Duration>,
    /// Files that have been written.
    pub saves: u64,
    /// A background save is to begin as soon as it can.
    pub scheduled: bool,
    /// Of the last file that was loaded: what was skipped because its time had come, and what was not.
    pub keys_expired: u64,
    pub keys_loaded: u64,
    /// What the server begins with is not there yet, whatever it is read from.
    pub starting: bool,
}

impl Status {
    pub fn new(now: i64) -> Status {
        Status {
            last_save: now / 1000,
            saved_changes: 0,
            last_try: 0,
            last_ok: true,
            last_duration: None,
            saves: 0,
            scheduled: false,
            keys_expired: 0,
            keys_loaded: 0,
            starting: false,
        }
    }

    /// Whether another attempt may be made without anybody asking for it.
    pub fn may_try(&self, now: i64) -> bool {
        self.last_ok || now / 1000 - self.last_try > RETRY_AFTER
    }

    /// All data, as they were after so many changes, are on disk.
    pub fn saved(&mut self, changes: u64, now: i64) {
        self.saved_changes = changes;
        self.last_save = now / 1000;
        self.last_ok = true;
    }

    /// A background save has ended.
    pub fn ended(&mut self, started: Instant, ok: bool) {
        self.last_duration = Some(started.elapsed());
        self.last_ok = ok;
    }
}
