//! MIGRATE: keys move to another server. As in Redis, everybody else waits meanwhile, so that a key is never seen at
//! both places, and nobody changes it on its way.

use super::dump::compression;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use ae::{Connection, EventLoop};
use resp::writer;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// For a time-out that is none, in milliseconds.
const DEFAULT_TIMEOUT: i64 = 1000;
/// The longest reply of the other server: errors are shorter.
const REPLY_MAX: u64 = 1024;
const KEY_BESIDE_KEYS: &str = "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";
const NOT_CONNECTED: &str = "IOERR error or timeout connecting to the client";
const NOT_WRITTEN: &str = "IOERR error or timeout writing to target instance";
const NOT_READ: &str = "IOERR error or timeout reading to target instance";

pub fn migrate(ctx: &mut Context<'_>) -> Outcome {
    let options = Options::parse(ctx)?;
    let keys = present(ctx, options.first_key, options.keys);
    if keys.is_empty() {
        ctx.no_effect();
        ctx.reply().simple("NOKEY");
        return Ok(());
    }
    let (request, keys) = options.request(ctx, &keys);
    let (host, port) = (String::from_utf8_lossy(ctx.arg(1)), c_number(ctx.arg(2)));
    let el = ctx.server.el.clone().ok_or(NOT_CONNECTED)?;
    let mut target = Target::connect(&el, &host, port, options.timeout).map_err(|error| match error.kind() {
        // Redis learns only from writing that it was refused.
        ErrorKind::ConnectionRefused => NOT_WRITTEN,
        _ => NOT_CONNECTED,
    })?;
    target.write_all(&request).map_err(|_| NOT_WRITTEN)?;
    let (moved, outcome) = replies(target, 1 + usize::from(options.authentication.is_some()), &keys);
    if !options.copies {
        for key in &moved {
            ctx.db().remove(key, Event::DEL);
        }
    }
    if options.copies || moved.is_empty() {
        ctx.no_effect();
    } else {
        ctx.effect(|request| _ = request.arg("DEL").args(moved.iter().copied()));
    }
    outcome?;
    ctx.reply_ok()
}

struct Options<'a> {
    db: i64,
    timeout: Duration,
    copies: bool,
    replaces: bool,
    /// The words behind AUTH: a password, or a user and a password.
    authentication: Option<Vec<&'a [u8]>>,
    /// The place of the first key, and how many there are.
    first_key: usize,
    keys: usize,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Context<'a>) -> Result<Options<'a>, Error> {
        let mut options = Options {
            db: 0,
            timeout: Duration::ZERO,
            copies: false,
            replaces: false,
            authentication: None,
            first_key: 3,
            keys: 1,
        };
        let mut at = 6;
        while at < ctx.args.len() {
            let more = ctx.args.len() - at - 1;
            if ctx.is_word(at, "copy") {
                options.copies = true;
            } else if ctx.is_word(at, "replace") {
                options.replaces = true;
            } else if ctx.is_word(at, "auth") && more >= 1 {
                options.authentication = Some(vec![ctx.arg(at + 1)]);
                at += 1;
            } else if ctx.is_word(at, "auth2") && more >= 2 {
                options.authentication = Some(vec![ctx.arg(at + 1), ctx.arg(at + 2)]);
                at += 2;
            } else if ctx.is_word(at, "keys") {
                if !ctx.arg(3).is_empty() {
                    return Err(KEY_BESIDE_KEYS.into());
                }
                (options.first_key, options.keys) = (at + 1, more);
                break;
            } else {
                return Err(SYNTAX_ERROR.into());
            }
            at += 1;
        }
        let timeout = ctx.integer(5)?;
        options.db = ctx.integer(4)?;
        let timeout = if timeout <= 0 { DEFAULT_TIMEOUT } else { timeout };
        options.timeout = Duration::from_millis(timeout as u64);
        Ok(options)
    }

    /// What is sent, and the keys in it: those whose time has not passed meanwhile.
    fn request<'k>(&self, ctx: &mut Context<'_>, keys: &[&'k [u8]]) -> (Vec<u8>, Vec<&'k [u8]>) {
        let mut out = Vec::new();
        if let Some(words) = &self.authentication {
            writer::request(&mut out, &[&[&b"AUTH"[..]], &words[..]].concat());
        }
        writer::request(&mut out, &[&b"SELECT"[..], self.db.to_string().as_bytes()]);
        let (compression, now) = (compression(&ctx.server.config), ctx.server.now);
        let mut sent = Vec::new();
        for key in keys {
            let ttl = match ctx.db().deadline(key).flatten() {
                None => 0,
                Some(deadline) if deadline < now => continue,
                Some(deadline) => (deadline - now).max(1),
            };
            let Some(payload) = ctx.db().look_at(key).map(|value| rdb::dump(value, compression)) else { continue };
            let ttl = ttl.to_string();
            let words: [&[u8]; 5] = [b"RESTORE", key, ttl.as_bytes(), &payload, b"REPLACE"];
            writer::request(&mut out, &words[..if self.replaces { 5 } else { 4 }]);
            sent.push(*key);
        }
        (out, sent)
    }
}

/// The keys that are there; they count as used.
fn present<'a>(ctx: &mut Context<'a>, first: usize, count: usize) -> Vec<&'a [u8]> {
    let keys = ctx.args.from(first).take(count);
    keys.filter(|key| ctx.db().read_any(key).is_some()).collect()
}

/// A port as C reads one: what comes behind the digits does not count.
fn c_number(text: &[u8]) -> u16 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0u16, |number, digit| number.wrapping_mul(10).wrapping_add((digit - b'0').into()))
}

/// The server that gets the keys: reads and writes wait, each for the time-out at most.
struct Target {
    conn: Connection,
    timeout: Duration,
}

impl Target {
    fn connect(el: &EventLoop, host: &str, port: u16, timeout: Duration) -> io::Result<Target> {
        let conn = Connection::connect_tcp_within(el, host, port, timeout)?;
        // Best effort.
        let _ = conn.set_tcp_no_delay(true);
        Ok(Target { conn, timeout })
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

/// Reads the replies, of which `first` come before those about keys. Returns the keys that the other server has now, and
/// the first of what it refused.
fn replies<'k>(target: Target, first: usize, keys: &[&'k [u8]]) -> (Vec<&'k [u8]>, Outcome) {
    let mut target = BufReader::new(target);
    let (mut moved, mut outcome) = (Vec::new(), Ok(()));
    // A key is only taken for moved if all that came before the keys was accepted.
    let mut accepted = true;
    for at in 0..first + keys.len() {
        let mut line = Vec::new();
        let read = target.by_ref().take(REPLY_MAX).read_until(b'\n', &mut line);
        let Some(line) = line.strip_suffix(b"\r\n").filter(|_| read.is_ok()) else {
            return (moved, outcome.and(Err(NOT_READ.into())));
        };
        if let Some(error) = line.strip_prefix(b"-") {
            accepted &= at >= first;
            outcome = outcome.and_then(|()| Err([b"ERR Target instance replied with error: ", error].concat().into()));
        } else if accepted && at >= first {
            moved.push(keys[at - first]);
        }
    }
    (moved, outcome)
}
