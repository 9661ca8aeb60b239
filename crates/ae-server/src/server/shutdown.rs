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
