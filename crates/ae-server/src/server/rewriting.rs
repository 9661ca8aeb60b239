//! Rewriting the append-only file: a snapshot becomes its base, and what changes meanwhile goes to a new increment.

use super::snapshots::{Ended, Purpose};
use super::state::Server;
use crate::config::format::reason;
use crate::log::{Level, log};
use crate::persist::aof::log::Log;
use crate::persist::aof::request_sink::RequestSink;
use crate::persist::aof::stage::Stage;
use crate::persist::aof::syncer::Syncer;
use crate::persist::file_sink::FileSink;
use crate::persist::sink::Sink;
use std::io;
use std::time::Instant;

/// A rewrite is running already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AlreadyRunning;

impl Server {
    pub fn is_rewriting(&self) -> bool {
        self.append_only.rewrites.running_since.is_some()
    }

    /// Has a rewrite begin before the loop sleeps, when everything that has changed is written; or after the snapshot
    /// under way, in which case this is false. Earlier failures do not keep it waiting.
    pub fn ask_for_rewrite(&mut self) -> Result<bool, AlreadyRunning> {
        if self.is_rewriting() {
            return Err(AlreadyRunning);
        }
        self.append_only.rewrites.scheduled = true;
        self.append_only.rewrites.failures = 0;
        Ok(self.snapshot.is_none())
    }

    /// Asks for a rewrite if one is due.
    pub(super) fn rewrite_when_due(&mut self) {
        let (file, settings) = (&self.append_only, &self.config.append_only);
        if self.is_rewriting() || file.rewrites.scheduled || !file.rewrites.may_begin() {
            return;
        }
        let due = match file.stage {
            Stage::Off => false,
            Stage::WaitsForBase => true,
            Stage::On => {
                file.log.as_ref().is_some_and(|log| log.has_gap)
                    || file.has_grown(settings.rewrite_percentage, settings.rewrite_min_size)
            }
        };
        if due {
            let (now, before) = (file.len(), file.len_at_rewrite);
            log(
                Level::Notice,
                format_args!("append-only file: {now} bytes, {before} after the last rewrite. Rewriting..."),
            );
            self.append_only.rewrites.scheduled = true;
        }
    }

    /// Begins the rewrite that has been asked for, if it can begin now.
    pub fn begin_scheduled_rewrite(&mut self) {
        if !self.append_only.rewrites.scheduled || self.snapshot.is_some() || self.is_loading() {
            return;
        }
        // What has changed up to here belongs into the files up to here. If they cannot be written, it is in the base.
        let written = self.flush_log_as(true) && self.append_only.log.as_ref().is_none_or(|log| log.pending() == 0);
        self.append_only.rewrites.scheduled = false;
        self.append_only.rewrites.running_since = Some(Instant::now());
        let gap = self.append_only.log.as_mut().is_some_and(|log| std::mem::take(&mut log.has_gap));
        self.append_only.rewrites.mends_gap = gap;
        if let Err(error) = self.begin_rewrite(written) {
            self.rewrite_failed(&reason(&error));
        }
    }

    fn begin_rewrite(&mut self, written: bool) -> io::Result<()> {
        self.find_folder()?;
        let (stage, len) = (self.append_only.stage, self.append_only.len());
        let file = &mut self.append_only;
        let Some(folder) = &mut file.folder else { return Ok(()) };
        match stage {
            _ if !written => {
                let detached = folder.begin_detached()?;
                if let Some(log) = &mut file.log {
                    log.hold(detached);
                }
                self.stream_to_log();
                return self.begin_base(Stage::WaitsForBase);
            }
            Stage::Off => folder.make()?,
            Stage::On => {
                let next = folder.begin_increment()?;
                if let Some(log) = &mut file.log {
                    log.switch(next);
                }
                file.earlier_len = len;
                self.stream_to_log();
            }
            Stage::WaitsForBase => {
                let detached = folder.begin_detached()?;
                match &mut file.log {
                    Some(log) => log.switch(detached),
                    None => file.log = Some(Log::new(detached, Syncer::start()?)?),
                }
                file.earlier_len = 0;
                self.stream_to_log();
            }
        }
        self.begin_base(stage)
    }

    /// Has the folder be the one in the working directory. After CONFIG SET dir that is another one, and somebody may have
    /// removed it: what was written stays where it is, and what is written from here on counts when a base is in the new
    /// place.
    fn find_folder(&mut self) -> io::Result<()> {
        let parent = self.log_parent().map_err(io::Error::other)?;
        if self.append_only.folder.as_ref().is_some_and(|folder| folder.parent() == parent && folder.is_there()) {
            return Ok(());
        }
        let folder = self.open_folder().map_err(io::Error::other)?;
        folder.make()?;
        self.append_only.folder = Some(folder);
        if self.append_only.stage == Stage::On {
            self.append_only.stage = Stage::WaitsForBase;
        }
        Ok(())
    }

    fn begin_base(&mut self, stage: Stage) -> io::Result<()> {
        let settings = &self.config.append_only;
        let Some(folder) = &self.append_only.folder else { return Ok(()) };
        let (path, is_rdb, often) = (folder.temporary_base(), settings.rdb_preamble, settings.incremental_fsync);
        let sink: Box<dyn Sink> = if is_rdb {
            Box::new(FileSink::create(path, often, self.waker.clone()))
        } else {
            let stamp = settings.timestamps.then_some(self.now / 1000);
            Box::new(RequestSink::create(path, often, stamp, self.rdb_limits(), self.waker.clone())?)
        };
        let done = move |server: &mut Server, ended: Ended| server.rewrite_ended(stage, is_rdb, ended);
        self.begin_snapshot(Purpose::Log, &[], sink, Box::new(done))
            .map_err(|_| io::Error::other("another snapshot is under way"))
    }

    fn rewrite_ended(&mut self, began_in: Stage, is_rdb: bool, ended: Ended) {
        match ended {
            Ended::Done => match self.take_base(began_in, is_rdb) {
                Ok(()) => self.rewrite_done(),
                Err(error) => self.rewrite_failed(&reason(&error)),
            },
            Ended::Failed(why) => self.rewrite_failed(&why),
            Ended::Abandoned => {
                log(Level::Notice, format_args!("append-only file: the rewrite was given up"));
                self.append_only.rewrites.running_since = None;
                self.leave_as_it_was();
            }
        }
    }

    fn take_base(&mut self, began_in: Stage, is_rdb: bool) -> io::Result<()> {
        let file = &mut self.append_only;
        let Some(folder) = &mut file.folder else { return Ok(()) };
        let before = folder.manifest.clone();
        let replaced = folder.replace_base(is_rdb, began_in);
        // The last step may fail when the manifest names the new files already.
        if folder.manifest != before {
            file.log.iter_mut().for_each(Log::take_up);
        }
        replaced?;
        // Nothing but the next automatic rewrite depends on it.
        let (base, _) = folder.sizes().unwrap_or_default();
        file.earlier_len = base;
        if began_in == Stage::WaitsForBase {
            file.stage = Stage::On;
        }
        Ok(())
    }

    fn rewrite_done(&mut self) {
        let file = &mut self.append_only;
        file.rewrites.ended(true);
        file.len_at_rewrite = file.len();
        log(Level::Notice, format_args!("append-only file: rewritten, {} bytes", file.len()));
        self.remove_history();
        if self.append_only.stage == Stage::Off {
            self.append_only.folder = None;
        }
    }

    fn rewrite_failed(&mut self, why: &str) {
        log(Level::Warning, format_args!("append-only file: cannot rewrite it: {why}"));
        self.append_only.rewrites.ended(false);
        self.leave_as_it_was();
    }

    /// The file stays as it was, and what the rewrite was to mend is left to the next one.
    fn leave_as_it_was(&mut self) {
        let gap = std::mem::take(&mut self.append_only.rewrites.mends_gap);
        if let Some(log) = &mut self.append_only.log {
            log.has_gap |= gap;
            log.let_go();
        }
    }

    /// Gives up the rewrite that is running.
    pub(super) fn abandon_rewrite(&mut self) {
        if self.snapshot_purpose() == Some(Purpose::Log) {
            self.abandon_snapshot();
        }
        self.append_only.rewrites.scheduled = false;
    }

    /// CONFIG SET appendonly yes: what is written counts when a first base is there.
    pub(super) fn turn_log_on(&mut self) -> Result<(), String> {
        let opened = self.open_folder().and_then(|folder| {
            folder.make().map_err(|error| error.to_string())?;
            Ok(folder)
        });
        let folder = opened.map_err(|error| {
            log(Level::Warning, format_args!("append-only file: cannot turn it on: {error}"));
            "Unable to turn on AOF. Check server logs."
        })?;
        self.abandon_rewrite();
        self.append_only.folder = Some(folder);
        self.append_only.stage = Stage::WaitsForBase;
        self.append_only.rewrites.scheduled = true;
        self.append_only.rewrites.failures = 0;
        log(Level::Warning, format_args!("append-only file: turned on. An AOF background was scheduled for its base."));
        Ok(())
    }
}

#[cfg(test)]
#[path = "rewriting_tests.rs"]
pub(crate) mod tests;
