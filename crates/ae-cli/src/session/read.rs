//! Reads replies and prints them.

use super::state::{Failed, Last, Session};
use crate::format::{self, Style};
use crate::net::LinkError;
use crate::options::Output;
use crate::output::{Stop, complain, fail, put};
use crate::text;
use resp::Reply;

/// How a reply is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Print {
    AsAsked,
    /// As it is, without an end.
    AsItIs,
}

/// What became of waiting for a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    Printed,
    /// The command is for another server, which comes next.
    Redirected,
    /// The server has gone, as it was asked to.
    Gone,
    /// Ctrl-C: the session has connected anew.
    Aborted,
}

impl Session {
    /// Prints the next reply. `pushes` says whether messages that answer nothing count as replies.
    pub(super) fn read_reply(&mut self, print: Print, pushes: bool) -> Result<Read, Failed> {
        let reply = match self.next_reply(pushes) {
            Ok(reply) => reply,
            Err(error) => return self.no_reply(&error),
        };
        self.last = Last::of(&reply);
        if let Reply::Error(error) = &reply {
            if self.options.cluster && self.follow(error)? {
                return Ok(Read::Redirected);
            }
            if !self.interactive && self.options.fail_on_error {
                return Err(fail::<()>(error).unwrap_err().into());
            }
        }
        put(match print {
            Print::AsAsked => format::printed(&reply, &Style::of(&self.options)),
            Print::AsItIs => format::raw(&reply, &self.options.element_end),
        })?;
        Ok(Read::Printed)
    }

    fn next_reply(&mut self, pushes: bool) -> Result<Reply, LinkError> {
        loop {
            let reply = self.link.as_mut().ok_or(LinkError::Closed)?.receive()?;
            if pushes || !matches!(reply, Reply::Push(_)) {
                return Ok(reply);
            }
            if self.options.show_pushes {
                // It does not matter whether anybody reads this.
                let _ = put(self.shown_push(&reply));
            }
        }
    }

    fn shown_push(&self, reply: &Reply) -> Vec<u8> {
        let invalidation = format::invalidation(reply).filter(|_| self.options.output == Output::Formatted);
        invalidation.unwrap_or_else(|| format::printed(reply, &Style::of(&self.options)))
    }

    fn no_reply(&mut self, error: &LinkError) -> Result<Read, Failed> {
        if matches!(error, LinkError::Interrupted) {
            // The terminal has shown ^C.
            put("\n")?;
            self.reconnect(false);
            return Ok(Read::Aborted);
        }
        if self.shutdown {
            return Ok(Read::Gone);
        }
        complain(format!("Error: {error}"));
        if self.interactive && !matches!(error, LinkError::Protocol(_)) {
            return Err(Failed::Command);
        }
        Err(Failed::Program(Stop(1)))
    }

    /// Whether an error says that another server of the cluster has the slot; the next command goes there.
    fn follow(&mut self, error: &[u8]) -> Result<bool, Stop> {
        let line = String::from_utf8_lossy(error);
        let mut words = line.split(' ');
        let kind = words.next().unwrap_or_default();
        if kind != "MOVED" && kind != "ASK" {
            return Ok(false);
        }
        let (Some(slot), Some((host, port))) = (words.next(), words.next().and_then(|place| place.rsplit_once(':')))
        else {
            return Ok(false);
        };
        let Some(number) = text::port(port) else { return Ok(false) };
        // A cluster that does not know its own address leaves it out: it is this one.
        let host = if host.is_empty() { self.target.host.clone() } else { host.to_string() };
        self.move_to(&host, number);
        if self.interactive {
            put(format!("-> Redirected to slot [{slot}] located at {host}:{port}\n"))?;
        }
        self.redirected = true;
        self.asking = kind == "ASK";
        Ok(true)
    }
}
