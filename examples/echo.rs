//! An echo server that closes clients which have been silent for too long.
//!
//!     cargo run --example echo -- 7000 60000      a port (0: the system picks one), milliseconds of silence

mod signals;

use ae::{Connection, EventLoop, Handler, Listener, Next};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::cell::{Cell, RefCell};
use std::error::Error;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

struct Client {
    active: Cell<Instant>,
    /// What has been received and not been sent back yet.
    pending: RefCell<Vec<u8>>,
}

impl Client {
    /// What runs when the connection is ready for what the client waits for.
    fn handler(self: Rc<Self>) -> Handler {
        Rc::new(move |conn| {
            self.active.set(Instant::now());
            if self.receive(conn).and_then(|()| self.reply(conn)).is_err() {
                conn.close();
            }
        })
    }

    /// Reads unless something is left to send: a client that does not read its answers fills no memory.
    fn receive(&self, conn: &Connection) -> io::Result<()> {
        let mut pending = self.pending.borrow_mut();
        if !pending.is_empty() {
            return Ok(());
        }
        let mut buffer = [0; 4096];
        match conn.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                pending.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) if is_temporary(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Sends what there is, and waits for the socket to take the rest, or else for more to read.
    fn reply(self: &Rc<Self>, conn: &Connection) -> io::Result<()> {
        let mut pending = self.pending.borrow_mut();
        while !pending.is_empty() {
            match conn.write(&pending) {
                Ok(count) => drop(pending.drain(..count)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let handler = self.clone().handler();
        let (read, write) = if pending.is_empty() { (Some(handler), None) } else { (None, Some(handler)) };
        conn.set_read_handler(read)?;
        conn.set_write_handler(write)
    }
}

fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Serves the connection, which its timer keeps alive. The timer is not touched when the client does something: it
/// looks for itself how long that is ago.
fn serve(el: &EventLoop, conn: Connection, idle: Duration) -> io::Result<()> {
    let client = Rc::new(Client { active: Cell::new(Instant::now()), pending: RefCell::default() });
    conn.set_read_handler(Some(client.clone().handler()))?;
    el.add_timer(idle, move |_| {
        let left = idle.saturating_sub(client.active.get().elapsed());
        if conn.is_open() && !left.is_zero() {
            return Next::After(left);
        }
        conn.close();
        Next::Stop
    })?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, idle] = &arguments[..] else { return Err("usage: echo PORT IDLE-MILLISECONDS".into()) };
    let (port, idle) = (port.parse()?, Duration::from_millis(idle.parse()?));

    let el = EventLoop::new(1000)?;
    signals::watch(&el, &[SIGINT, SIGTERM], |el, _| el.stop())?;
    let listener = Listener::tcp(&el, &["127.0.0.1"], port, 511)?;
    let accepting = el.clone();
    listener.on_accept(1000, move |conn, peer| {
        if let Err(error) = serve(&accepting, conn, idle) {
            eprintln!("{peer}: {error}");
        }
    })?;
    for address in listener.local_addrs() {
        println!("listening on port {}", address.port());
    }
    el.run()?;
    Ok(())
}
