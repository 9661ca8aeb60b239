//! Connects: AUTH, SELECT, HELLO.

use super::state::Session;
use crate::net::{Link, LinkError};
use crate::options::Protocol;
use crate::output::{Stop, complain, put};
use resp::Reply;
use std::thread;
use std::time::Duration;

/// How long to wait before connecting anew once more.
const RETRY: Duration = Duration::from_secs(1);
/// To the left edge of the terminal, which forgets the line.
const CLEAR_LINE: &str = "\r\x1b[0K";

impl Session {
    /// Connects if it is not; says why it cannot unless `quiet`. True if it is connected as asked.
    pub fn connect(&mut self, quiet: bool) -> bool {
        self.link().is_some() || self.reconnect(quiet)
    }

    /// Connects anew.
    pub fn reconnect(&mut self, quiet: bool) -> bool {
        (self.link, self.db, self.multi) = (None, 0, None);
        match Link::open(&self.target, self.interrupts.clone()) {
            Ok(link) => self.link = Some(link),
            Err(why) => {
                if !quiet {
                    complain(format!("Could not connect to Redis at {}: {why}", self.target));
                }
                return false;
            }
        }
        let kept = std::mem::take(&mut self.kept);
        if self.interactive && !kept.is_empty() {
            let names = kept.into_iter().collect::<Vec<_>>().join(", ");
            complain(format!("Connected anew: the server has forgotten {names}."));
        }
        self.authenticate() && self.select() && self.switch_protocol()
    }

    /// Connects for a mode that needs it: its end otherwise.
    pub fn require(&mut self) -> Result<&mut Link, Stop> {
        if !self.connect(false) {
            return Err(Stop(1));
        }
        self.link.as_mut().ok_or(Stop(1))
    }

    /// Sends a request again and again, over new connections if need be, until it is answered.
    pub fn insist(&mut self, args: &[&str]) -> Result<Reply, Stop> {
        let mut tries = 0;
        loop {
            if let Some(Ok(reply)) = self.link().map(|link| link.call(args)) {
                if tries > 0 {
                    put(CLEAR_LINE)?;
                }
                return Ok(reply);
            }
            tries += 1;
            put(format!("{CLEAR_LINE}Reconnecting... {tries}\r"))?;
            // Only the first is at once: a server may take connections and end them.
            if tries > 1 {
                thread::sleep(RETRY);
            }
            if !self.reconnect(true) {
                self.link = None;
            }
        }
    }

    fn authenticate(&mut self) -> bool {
        self.options.auth().is_none_or(|args| self.greet(&args, "AUTH").is_ok())
    }

    /// Selects the database that is wanted.
    pub(super) fn select(&mut self) -> bool {
        if self.wanted_db == self.db {
            return true;
        }
        let number = self.wanted_db.to_string();
        let selected = self.greet(&[b"SELECT".to_vec(), number.clone().into()], &format!("SELECT {number}")).is_ok();
        if selected {
            self.db = self.wanted_db;
        }
        selected
    }

    fn switch_protocol(&mut self) -> bool {
        let args = [b"HELLO".to_vec(), b"3".to_vec()];
        match self.protocol {
            Protocol::AsItIs | Protocol::Resp2 => true,
            Protocol::Resp3 => self.greet(&args, "HELLO 3").is_ok(),
            Protocol::PreferResp3 => !matches!(self.greet(&args, "HELLO 3"), Err(Refused::Link)),
        }
    }

    /// Sends what belongs to the connection; says what is wrong.
    fn greet(&mut self, args: &[Vec<u8>], name: &str) -> Result<(), Refused> {
        let reply = self.link.as_mut().map_or(Err(LinkError::Closed), |link| link.call(args));
        match reply {
            Ok(Reply::Error(text)) => {
                complain([format!("{name} failed: ").as_bytes(), &text].concat());
                Err(Refused::Server)
            }
            Ok(_) => Ok(()),
            Err(_) => {
                complain("\nI/O error");
                Err(Refused::Link)
            }
        }
    }

    /// Tells a server that it was named by another one's ASK.
    pub(super) fn send_asking(&mut self) -> bool {
        self.asking = false;
        self.greet(&[b"ASKING".to_vec()], "ASKING").is_ok()
    }

    /// Connects to another server; says why if it cannot.
    pub fn go_to(&mut self, host: &str, port: u16) {
        self.move_to(host, port);
        // Nobody expects this of another server.
        self.kept.clear();
        self.reconnect(false);
    }

    /// Goes to another server with what follows.
    pub(super) fn move_to(&mut self, host: &str, port: u16) {
        self.target = self.target.at(host, port);
    }
}

enum Refused {
    Server,
    Link,
}
