//! Servers that keys move to: MIGRATE keeps its connections for a while, because keys seldom move alone.

use ae::{Connection, EventLoop};
use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// At most so many are kept, each for so many milliseconds after its last use. Redis's numbers.
const MAX: usize = 64;
const KEPT_FOR: i64 = 10_000;

/// Host and port as the client wrote them.
pub type Name = [Vec<u8>; 2];

/// Connections that are not in use, and since when (in ticks).
#[derive(Default)]
pub struct Targets(HashMap<Name, (Target, i64)>);

impl Targets {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn take(&mut self, name: &Name) -> Option<Target> {
        self.0.remove(name).map(|(target, _)| target)
    }

    /// Keeps one for the next time, in the place of another if there are too many.
    pub fn keep(&mut self, name: Name, target: Target, now: i64) {
        if self.0.len() == MAX
            && let Some(oldest) = self.0.iter().min_by_key(|(_, (_, used))| *used).map(|(name, _)| name.clone())
        {
            self.0.remove(&oldest);
        }
        self.0.insert(name, (target, now));
    }

    /// Closes those that nobody has used for long.
    pub fn close_unused(&mut self, now: i64) {
        self.0.retain(|_, (_, used)| now - *used <= KEPT_FOR);
    }
}

/// The server that gets the keys: reads and writes wait, each for the time-out at most.
pub struct Target {
    conn: Connection,
    pub timeout: Duration,
    /// The database that is selected there, if that is known.
    pub db: Option<i64>,
}

impl Target {
    pub fn connect(el: &EventLoop, host: &str, port: u16, timeout: Duration) -> io::Result<Target> {
        let conn = Connection::connect_tcp_within(el, host, port, timeout)?;
        // Best effort.
        let _ = conn.set_tcp_no_delay(true);
        Ok(Target { conn, timeout, db: None })
    }

    /// Runs `step`, and waits as long as it would block.
    fn waiting<R>(
        &self,
        mut step: impl FnMut(&Connection) -> io::Result<R>,
        wait: impl Fn(&Connection, Duration) -> io::Result<()>,
    ) -> io::Result<R> {
        let started = Instant::now();
        loop {
            match step(&self.conn) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.conn, self.timeout.saturating_sub(started.elapsed()))?;
                }
                result => return result,
            }
        }
    }
}

impl Read for Target {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.waiting(|conn| conn.read(room), Connection::wait_readable)
    }
}

impl Write for Target {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.waiting(|conn| conn.write(data), Connection::wait_writable)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ae::Listener;
    use std::cell::RefCell;
    use std::rc::Rc;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn few_are_kept_and_not_for_long() {
        let el = EventLoop::new(1000).unwrap();
        let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 511).unwrap();
        let port = listener.local_addrs()[0].port();
        let peers = Rc::new(RefCell::new(Vec::new()));
        let accepted = peers.clone();
        listener.on_accept(1, move |conn, _| accepted.borrow_mut().push(conn)).unwrap();
        let has_ended = |number: usize| {
            let peer: &Connection = &peers.borrow()[number];
            peer.wait_readable(LONG).unwrap();
            peer.read(&mut [0]).unwrap() == 0
        };
        let mut targets = Targets::default();
        let name = |number: usize| [b"host".to_vec(), number.to_string().into_bytes()];
        for number in 0..=MAX {
            let target = Target::connect(&el, "127.0.0.1", port, LONG).unwrap();
            targets.keep(name(number), target, number as i64);
            while peers.borrow().len() <= number {
                el.poll_files().unwrap();
            }
        }
        assert_eq!(targets.len(), MAX);
        assert!(targets.take(&name(0)).is_none());
        // The one that was closed for another.
        assert!(has_ended(0));
        targets.close_unused(KEPT_FOR + 1);
        assert_eq!(targets.len(), MAX);
        targets.close_unused(KEPT_FOR + 2);
        assert_eq!(targets.len(), MAX - 1);
        assert!(has_ended(1));
        let taken = targets.take(&name(2));
        assert!(taken.is_some() && targets.len() == MAX - 2);
    }

    #[test]
    fn the_server_closes_those_that_nobody_has_used_for_long() {
        let el = EventLoop::new(100).unwrap();
        let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 511).unwrap();
        let target = Target::connect(&el, "127.0.0.1", listener.local_addrs()[0].port(), LONG).unwrap();
        let mut session = crate::testing::Session::new();
        session.server.targets.keep([b"host".to_vec(), b"1".to_vec()], target, -KEPT_FOR - 1);
        assert_eq!(session.number("migrate_cached_sockets"), 1);
        session.server.cron();
        assert_eq!(session.number("migrate_cached_sockets"), 0);
    }
}
