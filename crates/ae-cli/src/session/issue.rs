//! Sends commands.

use super::read::{Print, Read};
use super::special::{self, Stream};
use super::state::{Failed, Last, Session};
use crate::options::{Output, Protocol};
use crate::output::{Stop, complain, put};
use crate::replication;
use resp::number;

/// How often in a row a cluster may send a command elsewhere. One that agrees with itself does so once or twice.
const REDIRECTIONS_MAX: u32 = 16;

impl Session {
    /// Sends a command as often as asked and prints what is answered, from another server if this one says so.
    pub fn issue(&mut self, args: &[Vec<u8>], repeat: i64) -> Result<(), Failed> {
        self.redirections = 0;
        // How often it is still to be sent: what was redirected does not count, what was answered before does.
        let mut left = repeat;
        loop {
            if (self.redirected || self.link().is_none()) && !self.reconnect(false) && self.link().is_none() {
                self.redirected = false;
                return Err(Failed::Command);
            }
            self.redirected = false;
            if self.asking && !self.send_asking() {
                return Err(Failed::Command);
            }
            self.send(args, &mut left)?;
            if !self.redirected {
                return Ok(());
            }
            self.redirections += 1;
            if self.redirections > REDIRECTIONS_MAX {
                // The next command goes where this one should have gone, as any other.
                self.asking = false;
                complain(format!("Error: The cluster redirects in circles: {REDIRECTIONS_MAX} times"));
                return Err(Failed::Command);
            }
        }
    }

    fn send(&mut self, args: &[Vec<u8>], left: &mut i64) -> Result<(), Failed> {
        let print = if special::is_report(args) { Print::AsItIs } else { Print::AsAsked };
        let stream = special::stream(args);
        self.shutdown = special::is(args, 0, "shutdown");
        // Below 0: forever.
        while *left != 0 {
            let after = if *left < 0 { *left } else { *left - 1 };
            if stream == Stream::Replication {
                put("Entering replica output mode...  (press Ctrl-C to quit)\n")?;
                return self.read_as_replica();
            }
            let Some(link) = self.link() else { return Ok(()) };
            link.queue(args);
            match stream {
                Stream::Monitor => return self.read_stream(print, true),
                Stream::Messages => {
                    if self.options.output != Output::Raw {
                        put("Reading messages... (press Ctrl-C to quit)\n")?;
                    }
                    self.read_stream(print, true)?;
                    *left = after;
                    continue;
                }
                Stream::Replication | Stream::None => {}
            }
            match self.read_reply(print, false)? {
                Read::Printed => {
                    self.redirections = 0;
                    self.learn(args);
                }
                Read::Redirected | Read::Gone => return Ok(()),
                Read::Aborted => return Err(Failed::Command),
            }
            *left = after;
            if !self.options.interval.is_zero() && after != 0 && self.pause(self.options.interval) {
                // The terminal has shown ^C.
                put("\n")?;
                return Err(Failed::Command);
            }
        }
        Ok(())
    }

    /// Prints what comes until Ctrl-C or an error.
    fn read_stream(&mut self, print: Print, pushes: bool) -> Result<(), Failed> {
        loop {
            let read = self.read_reply(print, pushes);
            match read {
                Ok(Read::Aborted | Read::Redirected | Read::Gone) => return Ok(()),
                Ok(Read::Printed) if self.last == Last::Error => return Ok(()),
                Ok(Read::Printed) => {}
                // Nothing can follow what was lost: a script has to learn of it.
                Err(_) if !self.at_a_prompt() => return Err(Failed::Program(Stop(1))),
                Err(failed) => return Err(failed),
            }
        }
    }

    fn read_as_replica(&mut self) -> Result<(), Failed> {
        let Some(link) = self.link() else { return Err(Failed::Command) };
        let followed = replication::follow(link);
        // What else arrives answers nothing.
        self.link = None;
        match followed {
            // Ctrl-C, where it does not end the program; the terminal has shown ^C.
            Ok(()) => {
                put("\n")?;
                self.reconnect(false);
                Ok(())
            }
            // Why has been said.
            Err(_) if self.at_a_prompt() => Err(Failed::Command),
            Err(stop) => Err(stop.into()),
        }
    }

    /// What a command has changed in the session.
    fn learn(&mut self, args: &[Vec<u8>]) {
        let failed = self.last == Last::Error;
        let is = |name: &str| special::is(args, 0, name);
        let alone = |name: &str| args.len() == 1 && is(name);
        if is("select") && args.len() == 2 && !failed {
            self.db = number::leading(&args[1]);
            self.wanted_db = self.db;
        } else if is("auth") && matches!(args.len(), 2 | 3) {
            self.select();
        } else if alone("multi") && !failed {
            self.multi = Some(self.db);
        } else if alone("exec") {
            if let Some(before) = self.multi.take()
                && self.last != Last::Other
            {
                (self.db, self.wanted_db) = (before, before);
            }
        } else if alone("discard") && !failed {
            if let Some(before) = self.multi.take() {
                (self.db, self.wanted_db) = (before, before);
            }
        } else if alone("reset") && !failed {
            (self.multi, self.db, self.wanted_db) = (None, 0, 0);
            self.protocol = Protocol::AsItIs;
        }
        for name in special::ends(args) {
            self.kept.remove(name);
        }
        // Connecting anew sends this one again.
        let again = is("hello") && args[1..] == [b"3"] && self.wants_resp3();
        if !failed && !again {
            self.kept.extend(special::keeps(args));
        }
    }
}
