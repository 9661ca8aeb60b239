//! The RDB file: saving at once, in the background, and at save points.

use super::snapshots::{Busy, Ended, Purpose};
use super::state::Server;
use crate::config::groups::SavePoint;
use crate::log::{Level, log};
use crate::persist::file_sink::{FileSink, NewFile};
use std::path::{Path, PathBuf};
use std::time::Instant;

impl Server {
    /// Where the RDB file is, absolute.
    pub fn rdb_path(&self) -> PathBuf {
        let path = self.config.path(Path::new(&self.config.saving.file));
        // It fails where there is no working directory; whoever uses the path is told.
        std::path::absolute(&path).unwrap_or(path)
    }

    /// How many changes there have been since everything was saved.
    pub fn unsaved_changes(&self) -> u64 {
        self.databases.dirty.saturating_sub(self.status.saved_changes)
    }

    /// Whether a background save is under way.
    pub fn is_saving(&self) -> bool {
        self.snapshot_purpose() == Some(Purpose::File)
    }

    /// Saves everything, while everybody waits.
    pub fn save(&mut self) -> Result<(), String> {
        let aux = self.history_aux();
        self.save_with(&aux)
    }

    fn save_with(&mut self, aux: &[(&str, String)]) -> Result<(), String> {
        self.status.saves += 1;
        let result = self.write_file(&self.rdb_path(), aux);
        match &result {
            Ok(()) => {
                self.read_clock();
                self.status.saved(self.databases.dirty, self.now);
                log(Level::Notice, format_args!("DB saved on disk"));
            }
            Err(error) => log(Level::Warning, format_args!("Error trying to save the DB: {error}")),
        }
        result
    }

    /// Writes everything into a file, at once. `aux` are names and values for it.
    pub fn write_file(&self, path: &Path, aux: &[(&str, String)]) -> Result<(), String> {
        let mut file = NewFile::create(path, self.config.saving.incremental_sync)?;
        let mut writer = self.file_writer(aux, false);
        self.databases.write_all(&mut writer, self.noted(), self.now, |writer| file.write(&writer.take()))?;
        file.finish()
    }

    /// Begins to save everything in the background.
    pub fn begin_saving(&mut self) -> Result<(), Busy> {
        let path = self.rdb_path();
        let (changes, started) = (self.databases.dirty, Instant::now());
        if self.snapshot.is_some() || self.is_loading() {
            return Err(Busy);
        }
        let sink = FileSink::create(path, self.config.saving.incremental_sync, self.waker.clone());
        let done = move |server: &mut Server, ended| server.saving_ended(ended, changes, started);
        let aux = self.history_aux();
        self.begin_snapshot(Purpose::File, &aux, Box::new(sink), Box::new(done))?;
        self.status.saves += 1;
        self.status.last_try = self.now / 1000;
        self.status.scheduled = false;
        log(Level::Notice, format_args!("Background saving started"));
        Ok(())
    }

    fn saving_ended(&mut self, ended: Ended, changes: u64, started: Instant) {
        match ended {
            Ended::Done => {
                self.status.saved(changes, self.now);
                self.status.ended(started, true);
                log(Level::Notice, format_args!("Background saving terminated with success"));
            }
            Ended::Failed(error) => {
                self.status.ended(started, false);
                log(Level::Warning, format_args!("Background saving error: {error}"));
            }
            // Nobody is to blame, so writes go on.
            Ended::Abandoned => {
                self.status.ended(started, self.status.last_ok);
                log(Level::Notice, format_args!("Background saving was given up"));
            }
        }
    }

    /// Begins a background save if one is due.
    pub(super) fn save_when_due(&mut self) {
        if self.snapshot.is_some() || self.is_loading() || !self.status.may_try(self.now) {
            return;
        }
        let (changes, elapsed) = (self.unsaved_changes() as i64, self.now / 1000 - self.status.last_save);
        let is_due = |point: &&SavePoint| changes >= point.changes && elapsed > point.seconds;
        let due = self.config.saving.points.iter().find(is_due);
        if let Some(point) = due {
            log(Level::Notice, format_args!("{} changes in {} seconds. Saving...", point.changes, point.seconds));
        }
        if due.is_some() || self.status.scheduled {
            // Nothing is under way.
            let _ = self.begin_saving();
        }
    }

    /// Everything is about to go: a file of it is no longer wanted.
    pub fn before_flush(&mut self) {
        if self.is_saving() {
            self.abandon_snapshot();
        }
    }

    /// Everything has gone, and that is saved, too, as with Redis.
    pub fn after_flush(&mut self) {
        if !self.config.saving.points.is_empty() && !self.is_loading() {
            // If it fails, it is in the log. The stream does not say yet that everything has gone.
            let _ = self.save_with(&[]);
        }
    }

    /// Why writes are refused, if they are.
    pub fn refusal_of_writes(&self) -> Option<String> {
        self.write_refusal().map(String::from).or_else(|| {
            let why = self.append_only.failure()?;
            Some(format!("MISCONF Errors writing to the AOF file: {why}"))
        })
    }

    /// Why nothing may change: the last snapshot failed.
    fn write_refusal(&self) -> Option<&'static str> {
        const SAVING_FAILED: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to \
            persist to disk. Commands that may modify the data set are disabled, because this instance is configured to \
            report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check \
            the Redis logs for details about the RDB error.";
        let saving = &self.config.saving;
        let refused = saving.stop_writes_on_error && !saving.points.is_empty() && !self.status.last_ok;
        refused.then_some(SAVING_FAILED)
    }
}

#[cfg(test)]
#[path = "saving_tests.rs"]
mod tests;
