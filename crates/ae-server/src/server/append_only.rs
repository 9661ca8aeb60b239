//! The append-only file: begun, written before replies leave, turned on and off.

use super::state::Server;
use crate::config::choices::Fsync;
use crate::config::format::reason;
use crate::config::groups::AppendOnly;
use crate::log::{Level, log};
use crate::persist::aof::disk::named;
use crate::persist::aof::folder::Folder;
use crate::persist::aof::log::{Flush, Log};
use crate::persist::aof::stage::Stage;
use crate::persist::aof::syncer::Syncer;
use std::io;
use std::path::{Path, PathBuf};

impl Server {
    /// The working directory as it is now, where the folder belongs. The error is for the operator.
    pub(super) fn log_parent(&self) -> Result<PathBuf, String> {
        let parent = std::path::absolute(self.config.dir.as_deref().unwrap_or(Path::new(".")));
        parent.map_err(|error| format!("cannot tell the working directory: {error}"))
    }

    /// Reads the manifest in the working directory as it is now. The error is for the operator.
    pub fn open_folder(&self) -> Result<Folder, String> {
        let parent = self.log_parent()?;
        let AppendOnly { folder, name, .. } = &self.config.append_only;
        Folder::open(self.append_only.disk.clone(), &parent, folder, name)
    }

    /// Reads which files there are, for the start. A single file of older servers is taken over. The error is for the
    /// operator.
    pub fn find_log(&mut self) -> Result<(), String> {
        let mut folder = self.open_folder()?;
        folder.take_over_single()?;
        self.append_only.folder = Some(folder);
        Ok(())
    }

    /// Goes on with the files that have been loaded, or begins the first ones, unless the file has been turned off
    /// meanwhile. The error is for the operator.
    pub fn begin_log(&mut self) -> Result<(), String> {
        // What CONFIG SET has left to the end of loading.
        self.append_only.suspended = false;
        if !self.config.append_only.on {
            self.append_only.folder = None;
            return Ok(());
        }
        self.begin_log_files().map_err(|error| format!("cannot open the append-only file: {error}"))
    }

    fn begin_log_files(&mut self) -> io::Result<()> {
        let is_rdb = self.config.append_only.rdb_preamble;
        let file = &mut self.append_only;
        let Some(folder) = &mut file.folder else { return Ok(()) };
        folder.make()?;
        if folder.manifest.base.is_none() && folder.manifest.increments.is_empty() {
            folder.begin_empty(&empty_base(is_rdb), is_rdb)?;
        }
        let last = match folder.open_last() {
            Some(last) => last?,
            None => folder.begin_increment()?,
        };
        let opened = Log::new(last, Syncer::start()?).map_err(named(folder.path()))?;
        let (base, increments) = folder.sizes()?;
        file.earlier_len = base + increments - opened.len();
        file.log = Some(opened);
        file.len_at_rewrite = base;
        file.stage = Stage::On;
        self.stream_to_log();
        self.remove_history();
        Ok(())
    }

    /// Changes are told to the file from here on.
    pub(super) fn stream_to_log(&mut self) {
        let replicas = self.streams.replicas.is_open();
        self.set_streams(false, replicas);
        self.set_streams(true, replicas);
        self.append_only.stamped = 0;
    }

    /// Writes what has changed. False if replies may not leave; those who wait for one have been disconnected then,
    /// because they cannot be told whether what they changed is safe.
    pub fn flush_log(&mut self) -> bool {
        self.flush_log_as(false)
    }

    pub(super) fn flush_log_as(&mut self, urgent: bool) -> bool {
        if !self.append_only.is_on() {
            return true;
        }
        self.take_changes();
        let settings = &self.config.append_only;
        let rewriting = self.append_only.rewrites.running_since.is_some();
        let how = Flush {
            fsync: settings.fsync,
            skip_sync: settings.no_fsync_on_rewrite && rewriting,
            ticks: self.ticks,
            urgent,
        };
        let safe = self.append_only.log.as_mut().is_none_or(|log| log.flush(how));
        if !safe {
            self.disconnect_unlogged();
        }
        self.unlogged.clear();
        safe
    }

    fn take_changes(&mut self) {
        let bytes = &mut self.streams.log.bytes;
        let Some(log) = &mut self.append_only.log else { return bytes.clear() };
        if bytes.is_empty() {
            return;
        }
        let second = self.now / 1000;
        if self.config.append_only.timestamps && second > self.append_only.stamped {
            self.append_only.stamped = second;
            log.add(&mut format!("#TS:{second}\r\n").into_bytes());
        }
        log.add(bytes);
    }

    fn disconnect_unlogged(&mut self) {
        for reference in std::mem::take(&mut self.unlogged) {
            if let Some(client) = self.clients.get_same(reference) {
                client.cut_off();
            }
            self.clients.wants_to_send(reference);
        }
    }

    /// Whether clients that change something have to be remembered until that is safe.
    pub fn notes_unlogged(&self) -> bool {
        self.append_only.is_on() && self.config.append_only.fsync == Fsync::Always
    }

    /// Removes the files that a rewrite has replaced.
    pub(super) fn remove_history(&mut self) {
        let file = &mut self.append_only;
        let (Some(folder), Some(log)) = (&mut file.folder, &file.log) else { return };
        if self.config.append_only.keep_history {
            return;
        }
        match folder.remove_history() {
            Ok(contents) => log.syncer().close(contents),
            Err(error) => log_warning(&format!("cannot remove old files: {}", reason(&error))),
        }
    }

    /// Writes and syncs everything, for the end or for CONFIG SET appendonly no. False if that is not possible.
    pub fn finish_log(&mut self) -> bool {
        // Nobody waits for a base that has what could not be written.
        if self.append_only.log.as_ref().is_some_and(Log::is_held) {
            self.abandon_rewrite();
        }
        self.take_changes();
        let ticks = self.ticks;
        self.append_only.log.as_mut().is_none_or(|log| log.finish(ticks))
    }

    /// CONFIG SET appendonly.
    pub(super) fn set_log(&mut self, on: bool) -> Result<(), String> {
        if !on {
            self.append_only.suspended = false;
        }
        match (self.append_only.is_on(), on) {
            (true, false) => self.end_log(),
            (false, true) if self.append_only.suspended => {}
            // It begins when everything is there.
            (false, true) if self.is_loading() => self.append_only.suspended = true,
            (false, true) => self.turn_log_on().inspect_err(|_| self.config.append_only.on = false)?,
            _ => {}
        }
        Ok(())
    }

    /// Ends the file because a primary's data take the place of those that it holds: what is on the disk stays whole,
    /// and nothing of the other data gets there. [`Server::resume_log`] goes on.
    pub fn suspend_log(&mut self) {
        if self.append_only.is_on() {
            self.end_log();
            self.append_only.suspended = true;
        }
    }

    /// Begins the file anew with the data that are there, if it was suspended. That is tried until it succeeds.
    pub fn resume_log(&mut self) {
        if std::mem::take(&mut self.append_only.suspended) {
            self.abandon_rewrite();
            self.append_only.stage = Stage::WaitsForBase;
            self.append_only.rewrites.scheduled = true;
            self.append_only.rewrites.failures = 0;
        }
    }

    /// At once.
    fn end_log(&mut self) {
        self.abandon_rewrite();
        if !self.finish_log() {
            log_warning("it has been turned off, and its last changes could not be written");
        }
        let replicas = self.streams.replicas.is_open();
        self.set_streams(false, replicas);
        let file = &mut self.append_only;
        (file.stage, file.log, file.folder) = (Stage::Off, None, None);
        (file.earlier_len, file.len_at_rewrite) = (0, 0);
    }
}

fn log_warning(text: &str) {
    log(Level::Warning, format_args!("append-only file: {text}"));
}

/// A base of nothing.
fn empty_base(is_rdb: bool) -> Vec<u8> {
    if !is_rdb {
        return Vec::new();
    }
    let mut writer = rdb::FileWriter::new(rdb::FileOptions::default());
    writer.aux(b"aof-base", b"1");
    writer.finish();
    writer.take()
}

#[cfg(test)]
#[path = "append_only_tests.rs"]
mod tests;
