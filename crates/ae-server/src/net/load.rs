//! Loading what the server begins with.

use super::state::Net;
use crate::db::discard::discard;
use crate::persist::aof::replay::Replay;
use crate::persist::aof::stage::Stage;
use std::time::{Duration, Instant};

/// How long loading goes on before others get their turn.
const SLICE: Duration = Duration::from_millis(2);

impl Net {
    /// Begins to load what there is: the append-only file if it is on, or else the RDB file. The error is for the operator.
    pub fn begin_start(&mut self) -> Result<(), String> {
        if !self.server.config.append_only.on {
            return self.server.begin_start();
        }
        self.server.find_log()?;
        self.replay = Replay::begin(&mut self.server)?;
        self.server.status.starting = self.replay.is_some();
        if self.replay.is_none() { self.server.begin_log() } else { Ok(()) }
    }

    /// Goes on with loading the append-only file, for a bounded time. True if it wants to go on at once.
    pub(super) fn advance_replay(&mut self) -> bool {
        let Some(replay) = &mut self.replay else { return false };
        self.server.read_clock();
        match replay.step(&mut self.server, Instant::now() + SLICE) {
            Ok(false) => return true,
            Ok(true) => self.server.failure = self.server.begin_log().err(),
            Err(error) => self.server.failure = Some(error),
        }
        self.replay = None;
        self.server.status.starting = false;
        // Whoever waits for the end is not to wait for the next event, too.
        true
    }

    /// DEBUG LOADAOF: puts what the files say in the place of everything, while everybody waits.
    pub(super) fn reload_log(&mut self) {
        if !std::mem::take(&mut self.server.append_only.reload) {
            return;
        }
        // What a slow sync has put off is not in the files yet.
        self.server.finish_log();
        let (log, replicas) = (self.server.streams.log.is_open(), self.server.streams.replicas.is_open());
        self.server.set_streams(false, replicas);
        discard(self.server.databases.take(), false);
        let loaded = Replay::begin(&mut self.server).and_then(|replay| {
            let Some(mut replay) = replay else { return Ok(()) };
            while !replay.step(&mut self.server, Instant::now() + SLICE)? {}
            Ok(())
        });
        self.server.failure = loaded.err();
        self.server.set_streams(log, replicas);
        if self.server.append_only.stage == Stage::Off {
            self.server.append_only.folder = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Net;
    use crate::config::settings::Config;
    use crate::net::turns::Turns;
    use crate::testing::Session;

    #[test]
    fn what_a_slow_sync_has_put_off_is_loaded_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { dir: Some(folder.path().into()), ..Config::default() };
        config.append_only.on = true;
        let mut session = Session::with(config);
        let mut net = Net::new(Config::default());
        std::mem::swap(&mut net.server, &mut session.server);
        net.begin_start().unwrap();
        std::mem::swap(&mut net.server, &mut session.server);
        let disk = session.server.append_only.disk.clone();
        let syncs = disk.faults.hold_syncs();
        for request in ["SET a 1", "SET b 2"] {
            session.expect(&[(request, "+OK")]);
            session.server.ticks += 1000;
            assert!(session.server.flush_log());
        }
        assert!(session.server.append_only.log.as_ref().unwrap().pending() > 0);
        drop(syncs);
        session.server.append_only.reload = true;
        std::mem::swap(&mut net.server, &mut session.server);
        net.reload_log();
        std::mem::swap(&mut net.server, &mut session.server);
        session.expect(&[("MGET a b", "*2 $1 1 $1 2")]);
    }

    #[test]
    fn what_has_been_loaded_again_has_not_changed() {
        let turns = Turns::new(|config, _| config.append_only.on = true);
        let mut client = turns.connect();
        let requests = "SET a 1\r\nSET b 2\r\nSAVE\r\nDEBUG LOADAOF";
        assert_eq!(turns.ask(&mut client, requests), "+OK +OK +OK +OK");
        assert_eq!(turns.ask(&mut client, "SET c 3"), "+OK");
        assert_eq!(turns.net().server.unsaved_changes(), 1);
    }

    /// The loop may have slept for long, and old files have times that count from when they are loaded.
    #[test]
    fn the_time_is_that_of_loading() {
        let turns = Turns::new(|config, folder| {
            config.append_only.on = true;
            let request = testkit::request(&["SETEX", "k", "1000", "v"]);
            std::fs::write(folder.join("appendonly.aof"), request).unwrap();
        });
        turns.net().server.now = 1000;
        while turns.net().server.status.starting {
            turns.before_sleep();
        }
        let deadline = turns.ask(&mut turns.connect(), "PEXPIRETIME k");
        assert!(deadline.trim_start_matches(':').parse::<i64>().unwrap() > 1_000_000_000_000, "{deadline}");
        let saved = tempfile::tempdir().unwrap();
        {
            let config = Config { dir: Some(saved.path().into()), ..Config::default() };
            let mut session = Session::with(config);
            session.server.now = 1000;
            session.expect(&[("SET k v PXAT 2000", "+OK"), ("SAVE", "+OK")]);
        }
        let turns =
            Turns::new(|_, folder| _ = std::fs::copy(saved.path().join("dump.rdb"), folder.join("dump.rdb")).unwrap());
        turns.net().server.now = 1000;
        while turns.net().server.status.starting {
            turns.before_sleep();
        }
        assert_eq!(turns.net().server.status.keys_expired, 1);
    }
}
