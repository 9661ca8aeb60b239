//! A connection that waits for its replies, over the event loop.

use super::interrupts::Interrupts;
use super::open::open;
use super::target::Target;
use crate::text::system_error;
use ae::{Connection, EventLoop, Handler, Interest, Next};
use resp::{Reply, ReplyError, ReplyParser};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

/// Why there is no reply.
#[derive(Debug)]
pub enum LinkError {
    /// The server has closed the connection.
    Closed,
    /// The system says why.
    Io(io::Error),
    /// What has arrived is no reply.
    Protocol(ReplyError),
    /// Ctrl-C.
    Interrupted,
}

/// As redis-cli words it.
impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Closed => f.write_str("Server closed the connection"),
            LinkError::Io(error) => f.write_str(&system_error(error)),
            LinkError::Protocol(error) => error.fmt(f),
            LinkError::Interrupted => f.write_str("Interrupted"),
        }
    }
}

/// What has arrived and nobody has asked for yet.
#[derive(Default)]
struct Inbox {
    bytes: Vec<u8>,
    /// How many of the first have been taken.
    taken: usize,
    end: Option<LinkError>,
}

/// A connection to a server, with what waits to be sent and to be read.
pub struct Link {
    el: EventLoop,
    conn: Connection,
    inbox: Rc<RefCell<Inbox>>,
    parser: ReplyParser,
    out: Vec<u8>,
    sent: usize,
    interrupts: Option<Interrupts>,
    failed: bool,
}

/// How much is read from the socket at a time.
const READ_AT_ONCE: usize = 64 * 1024;
/// How much is read before somebody has to look at it.
const READ_MAX: usize = 1024 * 1024;

impl Link {
    /// Connects. The error is in words.
    pub fn open(target: &Target, interrupts: Option<Interrupts>) -> Result<Link, String> {
        let el = EventLoop::new(1024).map_err(|error| system_error(&error))?;
        if let Some(interrupts) = &interrupts {
            let watched = interrupts.clone();
            el.watch(interrupts.fd(), Interest::READABLE, move |_, _| watched.drain())
                .map_err(|error| system_error(&error))?;
        }
        let interrupted = || interrupts.as_ref().is_some_and(Interrupts::take);
        let conn = open(&el, target, &interrupted)?;
        let inbox = Rc::<RefCell<Inbox>>::default();
        let filled = inbox.clone();
        let reader: Handler = Rc::new(move |conn: &Connection| read(conn, &mut filled.borrow_mut()));
        conn.set_read_handler(Some(reader)).map_err(|error| system_error(&error))?;
        Ok(Link { el, conn, inbox, parser: ReplyParser::new(), out: Vec::new(), sent: 0, interrupts, failed: false })
    }

    /// Whether something has gone wrong. Then nothing more may be asked: the reply to what was asked before could still
    /// come, and be taken for another one's.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    fn noted<T>(&mut self, result: Result<T, LinkError>) -> Result<T, LinkError> {
        self.failed |= result.is_err();
        result
    }

    /// Queues a request.
    pub fn queue<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        resp::writer::request(&mut self.out, args);
    }

    /// Queues bytes as they are.
    pub fn queue_bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// How much waits to be sent.
    pub fn unsent(&self) -> usize {
        self.out.len() - self.sent
    }

    /// Sends what the socket takes without waiting.
    pub fn push(&mut self) -> Result<(), LinkError> {
        while self.unsent() > 0 {
            match self.conn.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return self.noted(Err(LinkError::Io(error))),
            }
        }
        if self.unsent() == 0 {
            self.out.clear();
            self.sent = 0;
        }
        Ok(())
    }

    /// Sends everything, and reads meanwhile.
    pub fn flush(&mut self) -> Result<(), LinkError> {
        loop {
            self.push()?;
            if self.unsent() == 0 {
                return Ok(());
            }
            self.wait_writable()?;
        }
    }

    fn wait_writable(&mut self) -> Result<(), LinkError> {
        self.conn.set_write_handler(Some(Rc::new(|_: &Connection| {}))).map_err(LinkError::Io)?;
        let waited = self.turn(None);
        let _ = self.conn.set_write_handler(None);
        waited
    }

    /// Waits for something to happen, with a limit or without.
    fn turn(&mut self, limit: Option<Duration>) -> Result<(), LinkError> {
        let turned = self.turn_once(limit);
        self.noted(turned)
    }

    fn turn_once(&self, limit: Option<Duration>) -> Result<(), LinkError> {
        let timer = limit.map(|limit| self.el.add_timer(limit, |_| Next::Stop));
        let timer = timer.transpose().map_err(LinkError::Io)?;
        let waited = self.wait();
        if let Some(timer) = timer {
            self.el.cancel_timer(timer);
        }
        waited
    }

    /// Runs the loop until there was an event.
    fn wait(&self) -> Result<(), LinkError> {
        loop {
            // None, if it was a signal, or the last wait's timer that was freed.
            let events = self.el.run_once(true).map_err(LinkError::Io)?;
            if self.interrupts.as_ref().is_some_and(Interrupts::take) {
                return Err(LinkError::Interrupted);
            }
            if events > 0 {
                return Ok(());
            }
        }
    }

    /// Takes in what has arrived, without waiting.
    pub fn poll(&mut self) -> Result<(), LinkError> {
        let polled = self.el.run_once(false).map(|_| ()).map_err(LinkError::Io);
        self.noted(polled)
    }

    /// The next reply, sent requests first.
    pub fn receive(&mut self) -> Result<Reply, LinkError> {
        self.flush()?;
        loop {
            if let Some(reply) = self.received()? {
                return Ok(reply);
            }
            self.fill(None)?;
        }
    }

    /// The next reply that is there already.
    pub fn received(&mut self) -> Result<Option<Reply>, LinkError> {
        let mut inbox = self.inbox.borrow_mut();
        let advanced = self.parser.advance(&inbox.bytes[inbox.taken..]);
        if let Ok((used, _)) = advanced {
            inbox.taken += used;
        }
        drop(inbox);
        self.noted(advanced.map(|(_, reply)| reply).map_err(LinkError::Protocol))
    }

    /// Waits until more has arrived, at most so long; an error if nothing will.
    pub fn fill(&mut self, limit: Option<Duration>) -> Result<(), LinkError> {
        let end = self.inbox.borrow_mut().end.take();
        if let Some(end) = end {
            self.inbox.borrow_mut().end = Some(LinkError::Closed);
            return self.noted(Err(end));
        }
        self.turn(limit)
    }

    /// Sends a request and waits for its reply. Messages that answer nothing are passed over.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Reply, LinkError> {
        self.queue(args);
        loop {
            match self.receive()? {
                Reply::Push(_) => {}
                reply => return Ok(reply),
            }
        }
    }

    /// Sends requests all at once; their replies.
    pub fn call_all<A: AsRef<[u8]>>(&mut self, requests: &[Vec<A>]) -> Result<Vec<Reply>, LinkError> {
        for args in requests {
            self.queue(args);
        }
        let mut replies = Vec::with_capacity(requests.len());
        while replies.len() < requests.len() {
            match self.receive()? {
                Reply::Push(_) => {}
                reply => replies.push(reply),
            }
        }
        Ok(replies)
    }

    /// Bytes that are no reply: all that have arrived, at least one.
    pub fn bytes(&mut self) -> Result<Vec<u8>, LinkError> {
        self.flush()?;
        loop {
            let mut inbox = self.inbox.borrow_mut();
            inbox.forget_taken();
            if !inbox.bytes.is_empty() {
                return Ok(std::mem::take(&mut inbox.bytes));
            }
            drop(inbox);
            self.fill(None)?;
        }
    }

    /// Whether something has arrived that nobody has taken.
    pub fn has_bytes(&self) -> bool {
        let inbox = self.inbox.borrow();
        inbox.bytes.len() > inbox.taken
    }

    /// Puts bytes back, of the last that `bytes` gave, that belong to what comes next.
    pub fn unread(&mut self, bytes: &[u8]) {
        let mut inbox = self.inbox.borrow_mut();
        inbox.bytes.splice(..0, bytes.iter().copied());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.conn.close();
    }
}

impl Inbox {
    fn forget_taken(&mut self) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
    }
}

fn read(conn: &Connection, inbox: &mut Inbox) {
    inbox.forget_taken();
    read_some(conn, inbox);
    if inbox.end.is_some() {
        let _ = conn.set_read_handler(None);
    }
}

fn read_some(conn: &Connection, inbox: &mut Inbox) {
    let before = inbox.bytes.len();
    while inbox.end.is_none() && inbox.bytes.len() - before < READ_MAX {
        inbox.bytes.reserve(READ_AT_ONCE);
        match conn.read_to_end_of(&mut inbox.bytes, READ_AT_ONCE) {
            Ok(0) => inbox.end = Some(LinkError::Closed),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => inbox.end = Some(LinkError::Io(error)),
        }
    }
}
