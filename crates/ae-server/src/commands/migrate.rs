//! MIGRATE: keys move to another server. As in Redis, everybody else waits meanwhile, so that a key is never seen at
//! both places, and nobody changes it on its way.

use super::dump::compression;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use crate::server::targets::Target;
use resp::writer;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::time::Duration;

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
    let (keys, requests) = options.requests(ctx);
    if keys.is_empty() {
        ctx.no_effect();
        ctx.reply().simple("NOKEY");
        return Ok(());
    }
    let name = [ctx.arg(1), ctx.arg(2)].map(<[u8]>::to_vec);
    let kept = ctx.server.targets.take(&name).map(|target| options.send(target, &keys, &requests));
    let Moved { keys: moved, outcome, target, .. } = match kept.filter(|moved| !moved.unanswered) {
        Some(moved) => moved,
        None => {
            let target = connect(ctx, options.timeout)?;
            options.send(target, &keys, &requests)
        }
    };
    if let Some(target) = target {
        ctx.server.targets.keep(name, target, ctx.server.ticks);
    }
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

/// What has become of the keys.
struct Moved<'k> {
    /// Those that the other server has now.
    keys: Vec<&'k [u8]>,
    /// The first of what it refused, or how the connection failed.
    outcome: Outcome,
    /// None if the connection failed.
    target: Option<Target>,
    /// The connection ended before any reply, as one does that the other server closed while it was not in use.
    unanswered: bool,
}

fn connect(ctx: &Context<'_>, timeout: Duration) -> Result<Target, Error> {
    let (host, port) = (String::from_utf8_lossy(ctx.arg(1)), c_number(ctx.arg(2)));
    let el = ctx.server.el.as_ref().ok_or(NOT_CONNECTED)?;
    Target::connect(el, &host, port, timeout).map_err(|error| match error.kind() {
        // Redis learns only from writing that it was refused.
        ErrorKind::ConnectionRefused => NOT_WRITTEN.into(),
        _ => NOT_CONNECTED.into(),
    })
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

    /// The keys that are there, which count as used, and the requests that put them elsewhere.
    fn requests(&self, ctx: &mut Context<'a>) -> (Vec<&'a [u8]>, Vec<u8>) {
        let (compression, now) = (compression(&ctx.server.config), ctx.server.now);
        let (mut keys, mut out) = (Vec::new(), Vec::new());
        for key in ctx.args.from(self.first_key).take(self.keys) {
            let Some(payload) = ctx.db().read_any(key).map(|value| rdb::dump(value, compression)) else { continue };
            let ttl = ctx.db().deadline(key).flatten().map_or(0, |deadline| (deadline - now).max(1)).to_string();
            let words: [&[u8]; 5] = [b"RESTORE", key, ttl.as_bytes(), &payload, b"REPLACE"];
            writer::request(&mut out, &words[..if self.replaces { 5 } else { 4 }]);
            keys.push(key);
        }
        (keys, out)
    }

    /// Sends the requests about the keys behind what has to come first, and waits for the replies.
    fn send<'k>(&self, mut target: Target, keys: &[&'k [u8]], requests: &[u8]) -> Moved<'k> {
        let selects = target.db != Some(self.db);
        let mut out = Vec::new();
        if let Some(words) = &self.authentication {
            writer::request(&mut out, &[&[&b"AUTH"[..]], &words[..]].concat());
        }
        if selects {
            writer::request(&mut out, &[&b"SELECT"[..], self.db.to_string().as_bytes()]);
        }
        // All at once: if the other server closes meanwhile, reading tells, and what it had said before.
        out.extend_from_slice(requests);
        (target.db, target.timeout) = (Some(self.db), self.timeout);
        match target.write_all(&out) {
            Ok(()) => replies(target, usize::from(self.authentication.is_some()) + usize::from(selects), keys),
            Err(error) => {
                let unanswered = error.kind() != ErrorKind::TimedOut;
                Moved { keys: Vec::new(), outcome: Err(NOT_WRITTEN.into()), target: None, unanswered }
            }
        }
    }
}

/// A port as C reads one: what comes behind the digits does not count.
fn c_number(text: &[u8]) -> u16 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0u16, |number, digit| number.wrapping_mul(10).wrapping_add((digit - b'0').into()))
}

/// Reads the replies, of which `first` come before those about keys.
fn replies<'k>(target: Target, first: usize, keys: &[&'k [u8]]) -> Moved<'k> {
    let mut target = BufReader::new(target);
    let (mut moved, mut outcome) = (Vec::new(), Ok(()));
    // A key is only taken for moved if all that came before the keys was accepted.
    let mut accepted = true;
    for at in 0..first + keys.len() {
        let mut line = Vec::new();
        let read = target.by_ref().take(REPLY_MAX).read_until(b'\n', &mut line);
        let timed_out = read.as_ref().is_err_and(|error| error.kind() == ErrorKind::TimedOut);
        let Some(line) = line.strip_suffix(b"\r\n").filter(|_| read.is_ok()) else {
            let outcome = outcome.and(Err(NOT_READ.into()));
            return Moved { keys: moved, outcome, target: None, unanswered: at == 0 && !timed_out };
        };
        if let Some(error) = line.strip_prefix(b"-") {
            accepted &= at >= first;
            outcome = outcome.and_then(|()| Err([b"ERR Target instance replied with error: ", error].concat().into()));
        } else if accepted && at >= first {
            moved.push(keys[at - first]);
        }
    }
    // What comes beside the replies would be taken for the next ones.
    let mut target = Some(target).filter(|target| target.buffer().is_empty()).map(BufReader::into_inner);
    if let Some(target) = target.as_mut().filter(|_| outcome.is_err()) {
        target.db = None;
    }
    Moved { keys: moved, outcome, target, unanswered: false }
}
