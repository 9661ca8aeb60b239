//! Writing replies.

use super::read::is_temporary;
use super::state::Net;
use crate::clients::client::{Client, Closing};
use crate::clients::output::{Output, PARTS_MAX};
use ae::Connection;
use std::io::{self, IoSlice};

/// Bytes written to a client before others get their turn.
const WRITE_MAX: usize = 1024 * 1024;

impl Net {
    pub(super) fn write_queued(&mut self) {
        // By index, because writing may end with more in the queue.
        let mut next = 0;
        while let Some(fd) = self.server.clients.queue.get(next) {
            next += 1;
            if let Some(mut client) = self.server.clients.take(fd) {
                client.queued = false;
                self.write(&mut client);
                self.settle(client);
            }
        }
        self.server.clients.queue.clear();
    }

    pub(super) fn on_writable(&mut self, conn: &Connection) {
        // A request that came in the same round may have added its reply.
        self.server.flush_log();
        let Some(mut client) = self.server.clients.take(conn.fd()) else {
            return;
        };
        self.server.read_clock();
        self.active = true;
        self.write(&mut client);
        if client.paused && client.closing == Closing::No && client.output.pending() < self.output_pause(&client) / 2 {
            self.resume(&mut client);
        }
        self.settle(client);
    }

    /// Writes all that the socket takes, to a client that has ended its requests.
    pub(super) fn write_all(&mut self, client: &mut Client) {
        if client.output.pending() == 0 {
            return;
        }
        let mut before = usize::MAX;
        // As above: another's request may have answered it, such as one that it waited for.
        self.server.flush_log();
        while (1..before).contains(&client.output.pending()) && client.closing != Closing::Now {
            before = client.output.pending();
            self.write(client);
        }
    }

    /// Writes what the socket takes, within the limit, and sees to it that the rest follows.
    fn write(&mut self, client: &mut Client) {
        let Some(conn) = client.conn.clone() else { return };
        if client.output.pending() > 0 {
            self.server.stats.writes += 1;
            match write_some(&conn, &client.output) {
                Ok(len) => {
                    client.output.advance(len);
                    self.server.stats.bytes_out += len as u64;
                    if client.is_replica() {
                        self.server.stats.repl_bytes_out += len as u64;
                    }
                    client.last_active = self.server.ticks;
                }
                Err(error) if is_temporary(&error) => {}
                Err(_) => {
                    client.closing = Closing::Now;
                    return;
                }
            }
        }
        if client.output.pending() == 0 {
            self.recycle(client);
        }
        self.wait_for_writable(client, &conn);
    }

    /// Installs the write handler while there is more to write than the socket took, or requests wait for it, and only
    /// then.
    fn wait_for_writable(&self, client: &mut Client, conn: &Connection) {
        let wait = client.output.pending() > 0 || client.paused;
        if wait == client.waits_for_writable {
            return;
        }
        let handler = self.handlers.as_ref().filter(|_| wait).map(|handlers| handlers.write.clone());
        match conn.set_write_handler(handler) {
            Ok(()) => client.waits_for_writable = wait,
            Err(_) => client.closing = Closing::Now,
        }
    }
}

fn write_some(conn: &Connection, output: &Output) -> io::Result<usize> {
    if let Some(bytes) = output.as_slice() {
        return conn.write(&bytes[..bytes.len().min(WRITE_MAX)]);
    }
    let mut parts = [IoSlice::new(&[]); PARTS_MAX];
    let count = output.slices(&mut parts, WRITE_MAX);
    conn.write_vectored(&parts[..count])
}

#[cfg(test)]
mod tests {
    use crate::net::turns::Turns;
    use std::io::Write;
    use testkit::Client;

    const STRING: usize = 1_500_000;

    fn turns() -> Turns {
        let turns = Turns::new(|_, _| ());
        let mut client = turns.connect();
        assert_eq!(turns.ask(&mut client, &format!("SETRANGE string {} v", STRING - 1)), format!(":{STRING}"));
        drop(client);
        turns.handle();
        assert_eq!(turns.net().server.clients.count(), 0);
        turns
    }

    /// A client that has been sent nothing yet of what it has asked for.
    fn asking(turns: &Turns, requests: &str) -> Client {
        let mut client = turns.connect_by_tcp();
        let reads = turns.net().server.stats.reads;
        client.send(requests);
        while turns.net().server.stats.reads == reads {
            turns.handle();
        }
        client
    }

    /// How many bytes are written before the loop turns again.
    fn written(turns: &Turns) -> u64 {
        let before = turns.net().server.stats.bytes_out;
        turns.before_sleep();
        turns.net().server.stats.bytes_out - before
    }

    /// Others get their turn between two parts of what is sent, however much the socket takes.
    #[test]
    fn long_output_is_written_in_parts() {
        const PART: u64 = 1 << 20;
        let turns = turns();
        let _reader = asking(&turns, "GET string\r\nGET string\r\n");
        let part = written(&turns);
        assert!((1..=PART).contains(&part), "{part}");
        let turns = Turns::new(|_, _| ());
        let _subscriber = asking(&turns, "SUBSCRIBE c\r\n");
        written(&turns);
        let mut other = turns.connect();
        for _ in 0..60 {
            other.write_all(format!("PUBLISH c {}\r\n", "v".repeat(60_000)).as_bytes()).unwrap();
            turns.handle();
        }
        let replies = 60 * b":1\r\n".len() as u64;
        let part = written(&turns);
        assert!((replies + 1..=replies + PART).contains(&part), "{part}");
    }

    /// However many parts that makes.
    #[test]
    fn who_has_ended_its_requests_gets_its_replies() {
        let turns = turns();
        let mut client = turns.connect_by_tcp();
        client.send("GET string\r\n");
        client.finish_sending();
        while turns.net().server.clients.count() > 0 {
            turns.handle();
        }
        assert_eq!(client.rest().len(), format!("${STRING}\r\n\r\n").len() + STRING);
    }
}
