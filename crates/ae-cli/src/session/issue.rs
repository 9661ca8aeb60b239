//! Sends commands.

use super::read::{Print, Read};
use super::special::{self, Stream};
use super::state::{Failed, Last, Session};
use crate::options::{Output, Protocol};
use crate::output::{Stop, put};
use crate::replication;
use crate::text;
use std::thread;

impl Session {
    /// Sends a command as often as asked and prints what is answered, from another server if this one says so.
    pub fn issue(&mut self, args: &[Vec<u8>], repeat: i64) -> Result<(), Failed> {
        loop {
            if (self.redirected || self.link.is_none()) && !self.reconnect(false) && self.link.is_none() {
                self.redirected = false;
                return Err(Failed::Command);
            }
            self.redirected = false;
            if self.asking && !self.send_asking() {
                return Err(Failed::Command);
            }
            self.send(args, repeat)?;
            if !self.redirected {
                return Ok(());
            }
        }
    }

    fn send(&mut self, args: &[Vec<u8>], repeat: i64) -> Result<(), Failed> {
        let print = if special::is_report(args) { Print::AsItIs } else { Print::AsAsked };
        let stream = special::stream(args);
        self.shutdown |= special::is(args, 0, "shutdown");
        let mut left = repeat;
        // Below 0: forever.
        while left != 0 {
            left = if left < 0 { left } else { left - 1 };
            let Some(link) = self.link.as_mut() else { return Ok(()) };
            link.queue(args);
            match stream {
                Stream::Monitor => return self.read_stream(print, true),
                Stream::Messages => {
                    if self.options.output != Output::Raw {
                        put("Reading messages... (press Ctrl-C to quit)\n")?;
                    }
                    self.read_stream(print, true)?;
                    continue;
                }
                Stream::Replication => {
                    put("Entering replica output mode...  (press Ctrl-C to quit)\n")?;
                    return self.read_as_replica();
                }
                Stream::None => {}
            }
            if self.read_reply(print, false)? == Read::Aborted {
                return Ok(());
            }
            self.learn(args);
            if self.redirected {
                return Ok(());
            }
            if !self.options.interval.is_zero() && left != 0 {
                thread::sleep(self.options.interval);
                if self.take_interrupt() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Prints what comes until Ctrl-C or an error.
    fn read_stream(&mut self, print: Print, pushes: bool) -> Result<(), Failed> {
        loop {
            let read = self.read_reply(print, pushes);
            match read {
                Ok(Read::Aborted) => return Ok(()),
                Ok(Read::Printed) if self.last == Last::Error => return Ok(()),
                Ok(Read::Printed) => {}
                // Nothing can follow what was lost: a script has to learn of it.
                Err(_) if !self.interactive => return Err(Failed::Program(Stop(1))),
                Err(failed) => return Err(failed),
            }
        }
    }

    fn read_as_replica(&mut self) -> Result<(), Failed> {
        let link = self.link.take();
        match link {
            Some(mut link) => {
                replication::follow(&mut link)?;
                Ok(())
            }
            None => Err(Failed::Command),
        }
    }

    /// What a command has changed in the session.
    fn learn(&mut self, args: &[Vec<u8>]) {
        let failed = self.last == Last::Error;
        let is = |name: &str| special::is(args, 0, name);
        let alone = |name: &str| args.len() == 1 && is(name);
        if is("select") && args.len() == 2 && !failed {
            self.db = text::leading_integer(&String::from_utf8_lossy(&args[1]));
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
    }
}
