//! Snapshots: of everything as it is at one moment, written in slices between requests while it goes on changing.

use super::state::Server;
pub use super::state::WhenEnded;
use super::under_way::Running;
pub use super::under_way::{Ended, Purpose};
use crate::config::choices::Policy;
use crate::config::settings::REDIS_VERSION;
use crate::db::discard::discard;
use crate::db::save::Progress;
use crate::db::snapshot::Noted;
use crate::persist::sink::Sink;
use rdb::{Compression, FileOptions, FileWriter};
use std::time::{Duration, Instant};

/// How long one slice may take when there is nothing else to do, and when there is: as long is the pause behind it then,
/// so that half of the time, at most, goes to slices.
const IDLE_SLICE: Duration = Duration::from_micros(400);
const SLICE: Duration = Duration::from_micros(200);
/// About how many bytes a slice may write.
const SLICE_BYTES: usize = 512 * 1024;
/// What requests have had written out of turn goes on its way in pieces of this size.
const PIECE: usize = 16 * 1024;

/// There is a snapshot under way already, or the data are not there yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Busy;

impl Server {
    /// Begins a snapshot of what there is now, into a sink. `aux` are names and values for the file. `done` is called when
    /// it has ended, but not before this has returned.
    ///
    /// What the running request has changed so far is part of it, whether it has been told to the streams or not.
    pub fn begin_snapshot(
        &mut self,
        purpose: Purpose,
        aux: &[(&str, String)],
        sink: Box<dyn Sink>,
        done: WhenEnded,
    ) -> Result<(), Busy> {
        if self.snapshot.is_some() || self.is_loading() {
            return Err(Busy);
        }
        let (writer, noted) = (self.file_writer(aux, purpose == Purpose::Log), self.noted());
        self.databases.begin_snapshot(writer, noted, self.now);
        self.stats.snapshots += 1;
        let now = Instant::now();
        self.snapshot = Some(Running { purpose, started: now, sink, done, complete: false, next: now });
        Ok(())
    }

    /// What the snapshot under way is for.
    pub fn snapshot_purpose(&self) -> Option<Purpose> {
        self.snapshot.as_ref().map(|running| running.purpose)
    }

    /// How far it is.
    pub fn snapshot_progress(&self) -> Progress {
        self.databases.snapshot_progress().unwrap_or_default()
    }

    /// Gives up the snapshot under way.
    pub fn abandon_snapshot(&mut self) {
        if let Some(running) = self.snapshot.take() {
            discard(self.databases.end_snapshot(), true);
            running.sink.abandon();
            (running.done)(self, Ended::Abandoned);
        }
    }

    /// Goes on with the snapshot under way, for a bounded time. `active` says that there have been requests lately. True if
    /// it wants to go on at once.
    pub fn advance_snapshot(&mut self, active: bool) -> bool {
        let Some(mut running) = self.snapshot.take() else { return false };
        if let Some(outcome) = running.sink.outcome() {
            discard(self.databases.end_snapshot(), true);
            self.read_clock();
            (running.done)(self, outcome.map_or_else(Ended::Failed, |()| Ended::Done));
            return false;
        }
        let goes_on = !running.complete && self.slice(&mut running, active);
        self.snapshot = Some(running);
        goes_on
    }

    fn slice(&mut self, running: &mut Running<WhenEnded>, active: bool) -> bool {
        let (room, start) = (running.sink.room(), Instant::now());
        let delay = u64::try_from(self.config.saving.key_save_delay).unwrap_or(0);
        if room > 0 && start >= running.next || (room > 0 && !active && delay == 0) {
            let entries = if delay > 0 { 1 } else { u64::MAX };
            let time = if active { SLICE } else { IDLE_SLICE };
            running.complete = self.databases.step_snapshot(time, room.min(SLICE_BYTES), entries);
            running.next = Instant::now() + start.elapsed().max(Duration::from_micros(delay));
        }
        if running.complete || self.databases.snapshot_pending() >= PIECE {
            let (bytes, discarded) = self.databases.take_snapshot_bytes();
            discard(discarded, true);
            running.sink.write(bytes);
        }
        if running.complete {
            running.sink.finish();
            discard(self.databases.end_snapshot(), true);
        }
        // With a delay, it is for the cron to go on.
        room > 0 && !running.complete && delay == 0
    }

    /// One that has written what comes before the first database.
    pub(super) fn file_writer(&self, aux: &[(&str, String)], is_base: bool) -> FileWriter {
        let saving = &self.config.saving;
        let compression = if saving.compression { Compression::Lzf } else { Compression::Off };
        let mut writer = FileWriter::new(FileOptions { compression, checksum: saving.checksum });
        let before = [
            ("redis-ver", REDIS_VERSION.into()),
            ("redis-bits", usize::BITS.to_string()),
            ("ctime", (self.now / 1000).to_string()),
            ("used-mem", self.meter.used().to_string()),
        ];
        let behind = [("aof-base", u8::from(is_base).to_string())];
        for (name, value) in before.iter().chain(aux).chain(&behind) {
            writer.aux(name.as_bytes(), value.as_bytes());
        }
        self.scripting.libraries.texts().iter().for_each(|text| writer.function(text));
        writer
    }

    /// What is said about the uses of keys: what eviction goes by.
    pub fn noted(&self) -> Noted {
        match self.config.memory.policy {
            Policy::AllkeysLru | Policy::VolatileLru => Noted::Idle,
            Policy::AllkeysLfu | Policy::VolatileLfu => Noted::Frequency,
            _ => Noted::Nothing,
        }
    }
}
