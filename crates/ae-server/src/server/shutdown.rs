//! The server's end, and what is saved before it.

use super::state::Server;
use crate::log::{Level, log};
use crate::persist::aof::stage::Stage;

/// How the server ends.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Shutdown {
    /// Save, or do not. None: if there are save points.
    pub save: Option<bool>,
    /// Even if that fails.
    pub force: bool,
    /// Without waiting for replicas.
    pub now: bool,
}

/// The server cannot end: the log says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

impl Shutdown {
    /// From the flags of `shutdown-on-sigterm` and `shutdown-on-sigint`.
    pub fn from_flags(flags: u32) -> Shutdown {
        let save = if flags & 1 != 0 { Some(true) } else { (flags & 2 != 0).then_some(false) };
        Shutdown { save, force: flags & 8 != 0, now: flags & 4 != 0 }
    }
}

impl Server {
    /// Ends the server in the loop's next round, after saving what is to be saved.
    pub fn shut_down(&mut self, how: Shutdown) -> Result<(), Refused> {
        // What is not all there is not worth saving.
        let saves = !self.is_loading() && how.save.unwrap_or(!self.config.saving.points.is_empty());
        if self.append_only.stage == Stage::WaitsForBase && !how.force {
            log(Level::Warning, format_args!("The first base of the append-only file is not written yet, can't exit."));
            return Err(Refused);
        }
        self.restarts = false;
        self.cancel_loading();
        if self.snapshot.is_some() {
            log(Level::Warning, format_args!("There is a snapshot under way. Giving it up!"));
            self.abandon_snapshot();
        }
        // Nothing comes into the stream behind the offset that is saved, so that replicas can go on from there.
        self.begin_waiting_for_replicas(how.now);
        self.ask_for_acks();
        self.shutdown = true;
        if saves {
            log(Level::Notice, format_args!("Saving the final RDB snapshot before exiting."));
            if self.save().is_err() && !how.force {
                log(Level::Warning, format_args!("Error trying to save the DB, can't exit."));
                self.abort_shutdown();
                return Err(Refused);
            }
        }
        Ok(())
    }

    /// As [`Server::shut_down`]; then the program runs again on the same sockets.
    pub fn restart(&mut self) -> Result<(), Refused> {
        if !self.may_restart {
            log(Level::Warning, format_args!("Cannot restart: the configuration came from standard input."));
            return Err(Refused);
        }
        self.shut_down(Shutdown::default())?;
        self.restarts = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::saving::session;

    /// Their numbers are those that the configuration has for these words.
    #[test]
    fn how_a_signal_ends_it() {
        let how = |save, force, now| Shutdown { save, force, now };
        for (flags, expected) in [
            (0, how(None, false, false)),
            (1, how(Some(true), false, false)),
            (2, how(Some(false), false, false)),
            (4, how(None, false, true)),
            (8, how(None, true, false)),
            (13, how(Some(true), true, true)),
        ] {
            assert_eq!(Shutdown::from_flags(flags), expected, "{flags}");
        }
    }

    #[test]
    fn what_is_not_all_there_is_not_saved() {
        let (mut session, folder) = session();
        session.expect(&[("SET k v", "+OK"), ("SAVE", "+OK")]);
        let file = std::fs::read(folder.path().join("dump.rdb")).unwrap();
        session.run("FLUSHALL");
        session.server.begin_start().unwrap();
        session.server.shut_down(Shutdown { save: Some(true), ..Shutdown::default() }).unwrap();
        assert!(session.server.loading.is_none());
        assert_eq!(std::fs::read(folder.path().join("dump.rdb")).unwrap(), file);
    }

    /// What asks them is behind nothing that is saved.
    #[test]
    fn replicas_are_asked_before_the_file_is_written() {
        let (mut session, _folder) = session();
        let (mut replica, _) = session.replica("REPLCONF capa psync2");
        session.run("SET k v");
        session.server.shut_down(Shutdown::default()).unwrap();
        assert!(session.received(&mut replica).ends_with("GETACK $1 *"));
        assert!(!session.server.replication.asks_for_acks);
    }

    /// Who aborts a restart may want an end later on.
    #[test]
    fn an_end_after_a_restart_that_was_given_up_is_one() {
        let (mut session, _folder) = session();
        let _replica = session.replica("REPLCONF capa psync2");
        session.run("SET k v");
        session.server.may_restart = true;
        session.server.restart().unwrap();
        assert!(session.server.restarts && session.server.waits_for_replicas());
        session.expect(&[("SHUTDOWN ABORT", "+OK")]);
        session.server.shut_down(Shutdown::default()).unwrap();
        assert!(!session.server.restarts);
    }

    #[test]
    fn a_save_that_is_under_way_is_given_up() {
        let (mut session, folder) = session();
        session.expect(&[("SET k v", "+OK"), ("BGSAVE", "+Background saving started"), ("SHUTDOWN NOSAVE", "")]);
        assert_eq!(session.number("rdb_bgsave_in_progress"), 0);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has left something");
    }
}
