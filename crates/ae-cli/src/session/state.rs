//! The state of a session.

use crate::net::{Interrupts, Link, Target};
use crate::options::{Options, Protocol};
use crate::output::Stop;
use resp::Reply;
use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

/// A session with a server, connected or not.
pub struct Session {
    /// What was asked for.
    pub options: Options,
    /// Where to connect: a redirection of a cluster changes it.
    pub target: Target,
    pub(super) link: Option<Link>,
    /// The database that is selected, and the one to select after connecting.
    pub(super) db: i64,
    pub(super) wanted_db: i64,
    pub(super) protocol: Protocol,
    /// Lines come from a prompt or from standard input.
    pub interactive: bool,
    pub(super) interrupts: Option<Interrupts>,
    /// MULTI was sent; the database before it.
    pub(super) multi: Option<i64>,
    /// The server said that the command is for another one.
    pub(super) redirected: bool,
    /// How often it has said so in a row.
    pub(super) redirections: u32,
    /// And that ASKING goes first.
    pub(super) asking: bool,
    /// What the last reply was.
    pub(super) last: Last,
    /// SHUTDOWN is the command that was sent last: it is answered by the end of the connection.
    pub(super) shutdown: bool,
    /// Commands that have changed what the server knows of this connection, and that another one would not have.
    pub(super) kept: BTreeSet<&'static str>,
}

/// What the client has to know of a reply after it was printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Last {
    Error,
    Nil,
    Other,
}

impl Last {
    pub(super) fn of(reply: &Reply) -> Last {
        match reply {
            Reply::Error(_) => Last::Error,
            Reply::Nil => Last::Nil,
            _ => Last::Other,
        }
    }
}

/// A command that has no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failed {
    /// Why has been said; the next one may do better.
    Command,
    /// The program ends.
    Program(Stop),
}

impl From<Stop> for Failed {
    fn from(stop: Stop) -> Failed {
        Failed::Program(stop)
    }
}

impl Session {
    /// One that is not connected yet.
    pub fn new(options: Options) -> Session {
        Session {
            target: Target::of(&options),
            link: None,
            db: 0,
            wanted_db: options.db,
            protocol: options.protocol,
            interactive: false,
            interrupts: None,
            multi: None,
            redirected: false,
            redirections: 0,
            asking: false,
            last: Last::Other,
            shutdown: false,
            kept: BTreeSet::new(),
            options,
        }
    }

    /// From now on Ctrl-C ends waiting and not the program.
    pub fn watch_interrupts(&mut self) {
        self.interrupts = Interrupts::watch().ok();
    }

    /// Whether HELLO 3 belongs to connecting.
    pub(super) fn wants_resp3(&self) -> bool {
        matches!(self.protocol, Protocol::Resp3 | Protocol::PreferResp3)
    }

    /// Whether a person sees what went wrong before the next line is sent.
    pub(super) fn at_a_prompt(&self) -> bool {
        self.interactive && self.interrupts.is_some()
    }

    /// Whether there was Ctrl-C since the last time.
    pub fn take_interrupt(&self) -> bool {
        self.interrupts.as_ref().is_some_and(Interrupts::take)
    }

    /// Waits so long, or until Ctrl-C where that does not end the program; whether there was one.
    pub fn pause(&self, time: Duration) -> bool {
        let waited = self.interrupts.as_ref().and_then(|interrupts| interrupts.wait(time).ok());
        waited.unwrap_or_else(|| {
            thread::sleep(time);
            self.take_interrupt()
        })
    }

    /// The connection, if there is one that works.
    pub fn link(&mut self) -> Option<&mut Link> {
        if self.link.as_ref().is_some_and(Link::has_failed) {
            self.link = None;
        }
        self.link.as_mut()
    }

    /// Whether commands are only queued by the server now.
    pub fn in_transaction(&self) -> bool {
        self.multi.is_some()
    }

    /// What stands before a line: the server, the database, and whether there is a transaction.
    pub fn prompt(&self) -> String {
        if self.link.as_ref().is_none_or(Link::has_failed) {
            return "not connected> ".into();
        }
        let place = match &self.target.socket {
            Some(path) => format!("redis {}", path.display()),
            None => self.target.address(),
        };
        let db = if self.db == 0 { String::new() } else { format!("[{}]", self.db) };
        let transaction = if self.in_transaction() { "(TX)" } else { "" };
        format!("{place}{db}{transaction}> ")
    }
}
