//! Walks over all keys.

use crate::net::Link;
use crate::options::Options;
use crate::output::{Stop, fail, put};
use crate::session::Session;
use resp::Reply;
use std::thread;

/// A walk with SCAN.
pub(super) struct Walk {
    cursor: Vec<u8>,
    begun: bool,
    pattern: Option<Vec<u8>>,
    count: Option<i64>,
}

impl Walk {
    pub(super) fn new(options: &Options) -> Walk {
        Walk { cursor: b"0".into(), begun: false, pattern: options.pattern.clone(), count: options.count }
    }

    /// The next keys, maybe none; no list at the end.
    pub(super) fn next(&mut self, link: &mut Link) -> Result<Option<Vec<Vec<u8>>>, Stop> {
        if self.begun && self.cursor == b"0" {
            return Ok(None);
        }
        self.begun = true;
        let mut args = vec![b"SCAN".to_vec(), self.cursor.clone()];
        if let Some(pattern) = &self.pattern {
            args.extend([b"MATCH".to_vec(), pattern.clone()]);
        }
        if let Some(count) = self.count {
            args.extend([b"COUNT".to_vec(), count.to_string().into()]);
        }
        let reply = ask(link, &args)?;
        if let Some(error) = reply.error() {
            return fail([b"SCAN error: ", error].concat());
        }
        let Some([cursor, keys]) = reply.elements() else { return fail("Invalid element count from SCAN!") };
        let (Some(cursor), Some(keys)) = (cursor.bytes(), keys.elements()) else {
            return fail("Non ARRAY response from SCAN!");
        };
        self.cursor = cursor.into();
        Ok(Some(keys.iter().filter_map(Reply::bytes).map(Vec::from).collect()))
    }
}

/// A request whose failure is the end.
pub(super) fn ask(link: &mut Link, args: &[Vec<u8>]) -> Result<Reply, Stop> {
    link.call(args).or_else(|_| fail("\nI/O error"))
}

/// How many keys there are.
pub(super) fn database_size(link: &mut Link) -> Result<u64, Stop> {
    match ask(link, &[b"DBSIZE".to_vec()])? {
        Reply::Integer(size) => Ok(size.max(0) as u64),
        Reply::Error(error) => fail([b"Couldn't determine DBSIZE: ", &error[..]].concat()),
        _ => fail("Non INTEGER response from DBSIZE!"),
    }
}

/// Prints every key.
pub(super) fn scan(session: &mut Session, quoted: bool) -> Result<(), Stop> {
    let interval = session.options.interval;
    let mut walk = Walk::new(&session.options);
    session.require()?;
    while let Some(keys) = session.link().map_or(Ok(None), |link| walk.next(link))? {
        let mut text = Vec::new();
        for key in keys {
            if quoted {
                resp::words::quote(&mut text, &key);
            } else {
                text.extend_from_slice(&key);
            }
            text.push(b'\n');
        }
        put(text)?;
        if !interval.is_zero() {
            thread::sleep(interval);
        }
        if session.take_interrupt() {
            break;
        }
    }
    Ok(())
}

/// How far a walk over the whole database is, as it is printed.
pub(super) fn progress(sampled: u64, total: u64) -> String {
    // Without keys there is nothing to come.
    let percent = if total == 0 { 0.0 } else { 100.0 * sampled as f64 / total as f64 };
    format!("[{percent:05.2}%]")
}

/// A key in quotes.
pub(super) fn quoted(key: &[u8]) -> String {
    let mut text = Vec::new();
    resp::words::quote(&mut text, key);
    String::from_utf8_lossy(&text).into_owned()
}
