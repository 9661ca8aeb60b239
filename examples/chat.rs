//! A chat over TCP and a unix socket: what one client writes, line by line, all others get.
//!
//!     cargo run --example chat -- 7000 /tmp/chat.sock     a port (0: the system picks one), a path

mod signals;

use ae::{Connection, EventLoop, Handler, Listener};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::rc::Rc;

/// Longest line, and most of what may wait for a client that does not read.
const LINE: usize = 1024;
const PENDING: usize = 64 * 1024;

struct Member {
    conn: Connection,
    /// What has been received of a line.
    line: Vec<u8>,
    /// What has not been sent yet.
    output: Vec<u8>,
    /// The socket is full, and its write handler set.
    full: bool,
    leaving: bool,
}

#[derive(Default)]
struct Room {
    members: BTreeMap<u32, Member>,
    numbers: u32,
}

type Shared = Rc<RefCell<Room>>;

impl Room {
    /// Only notes what there is to send: it leaves before the loop sleeps.
    fn tell_others(&mut self, from: u32, what: &str) {
        for (&number, member) in &mut self.members {
            if number != from && member.output.len() + what.len() <= PENDING {
                member.output.extend_from_slice(what.as_bytes());
            } else if number != from {
                member.leaving = true; // it does not read what it is sent
            }
        }
    }

    fn receive(&mut self, number: u32) {
        let Some(member) = self.members.get_mut(&number) else { return };
        let mut buffer = [0; LINE];
        match member.conn.read(&mut buffer) {
            Ok(0) => member.leaving = true,
            Ok(count) => member.line.extend_from_slice(&buffer[..count]),
            Err(error) if is_temporary(&error) => return,
            Err(_) => member.leaving = true,
        }
        let mut received = std::mem::take(&mut member.line);
        while let Some(end) = received.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = received.drain(..=end).collect();
            self.tell_others(number, &format!("{number}: {}", String::from_utf8_lossy(&line)));
        }
        if let Some(member) = self.members.get_mut(&number) {
            member.leaving |= received.len() > LINE;
            member.line = received;
        }
    }

    /// Everything that one iteration has to say leaves in one write per client, and whoever has to leave is closed here
    /// alone. Returns whether somebody still has to.
    fn settle(&mut self, on_writable: impl Fn(u32) -> Handler) -> bool {
        let leaving: Vec<u32> =
            self.members.iter().filter(|(_, member)| member.leaving).map(|(&number, _)| number).collect();
        for number in leaving {
            self.members.remove(&number);
            self.tell_others(number, &format!("{number} leaves\n"));
        }
        for (&number, member) in &mut self.members {
            if !member.full && member.flush(|| on_writable(number)).is_err() {
                member.leaving = true;
            }
        }
        self.members.values().any(|member| member.leaving)
    }
}

impl Member {
    fn flush(&mut self, on_writable: impl FnOnce() -> Handler) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        match self.conn.write(&self.output) {
            Ok(count) => drop(self.output.drain(..count)),
            Err(error) if is_temporary(&error) => {}
            Err(error) => return Err(error),
        }
        self.full = !self.output.is_empty();
        if self.full { self.conn.set_write_handler(Some(on_writable())) } else { Ok(()) }
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn enter(room: &Shared, conn: Connection) -> io::Result<()> {
    let mut entered = room.borrow_mut();
    entered.numbers += 1;
    let number = entered.numbers;
    let reading = Rc::downgrade(room);
    conn.set_read_handler(Some(Rc::new(move |_| {
        if let Some(room) = reading.upgrade() {
            room.borrow_mut().receive(number);
        }
    })))?;
    let member = Member { conn, line: Vec::new(), output: Vec::new(), full: false, leaving: false };
    entered.members.insert(number, member);
    entered.tell_others(number, &format!("{number} joins\n"));
    Ok(())
}

/// The handler of a socket that was full: the rest is sent before the loop sleeps.
fn on_writable(room: &Shared, number: u32) -> Handler {
    let room = Rc::downgrade(room);
    Rc::new(move |conn| {
        let Some(room) = room.upgrade() else { return };
        if let Some(member) = room.borrow_mut().members.get_mut(&number) {
            member.full = false;
            member.leaving |= conn.set_write_handler(None).is_err();
        }
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, path] = &arguments[..] else { return Err("usage: chat PORT PATH".into()) };

    let el = EventLoop::new(1000)?;
    signals::watch(&el, &[SIGINT, SIGTERM], |el, _| el.stop())?;
    let tcp = Listener::tcp(&el, &["127.0.0.1"], port.parse()?, 511)?;
    // For this user alone. A socket that is left over under the path is replaced, one that is served is not.
    let local = Listener::unix(&el, Path::new(path), Some(0o600), 511)?;
    let room = Shared::default();
    for listener in [&tcp, &local] {
        let room = room.clone();
        listener.on_accept(1000, move |conn, peer| {
            if let Err(error) = enter(&room, conn) {
                eprintln!("{peer}: {error}");
            }
        })?;
    }
    let settled = room.clone();
    el.before_sleep(move |el| {
        // Whoever has to leave since then is closed in the next iteration, which must not wait for an event.
        let unsettled = settled.borrow_mut().settle(|number| on_writable(&settled, number));
        el.set_dont_wait(unsettled);
    });
    println!("listening on port {} and {path}", tcp.local_addrs()[0].port());
    el.run()?;
    std::fs::remove_file(path)?;
    Ok(())
}
