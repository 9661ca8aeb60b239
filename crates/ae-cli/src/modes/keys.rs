//! Walks over all keys.

use crate::net::{Link, LinkError};
use crate::options::Options;
use crate::output::{Stop, complain, fail, put};
use crate::session::Session;
use resp::Reply;
use std::thread;

/// Why a walk ends before its end.
pub(super) enum Early {
    /// Ctrl-C: there is a summary of what was seen.
    Interrupted,
    Stop(Stop),
}

impl From<Stop> for Early {
    fn from(stop: Stop) -> Early {
        Early::Stop(stop)
    }
}

impl Early {
    /// Says why there is no reply, unless it is Ctrl-C.
    pub(super) fn no_reply(error: &LinkError, text: impl AsRef<[u8]>) -> Early {
        match error {
            LinkError::Interrupted => Early::Interrupted,
            _ => {
                complain(text);
                Early::Stop(Stop(1))
            }
        }
    }
}

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
    pub(super) fn next(&mut self, link: &mut Link) -> Result<Option<Vec<Vec<u8>>>, Early> {
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
            return Ok(fail([b"SCAN error: ", error].concat())?);
        }
        let found = match reply.elements() {
            Some([cursor, keys]) => cursor.bytes().zip(keys.elements()),
            Some(_) => return Ok(fail("Invalid element count from SCAN!")?),
            None => None,
        };
        let Some((cursor, keys)) = found else { return Ok(fail("Non ARRAY response from SCAN!")?) };
        self.cursor = cursor.into();
        Ok(Some(keys.iter().filter_map(Reply::bytes).map(Vec::from).collect()))
    }
}

/// A request whose failure is the end.
fn ask(link: &mut Link, args: &[Vec<u8>]) -> Result<Reply, Early> {
    link.call(args).map_err(|error| Early::no_reply(&error, "\nI/O error"))
}

/// How many keys there are.
fn database_size(link: &mut Link) -> Result<u64, Early> {
    match ask(link, &[b"DBSIZE".to_vec()])? {
        Reply::Integer(size) => Ok(size.max(0) as u64),
        Reply::Error(error) => Ok(fail([b"Couldn't determine DBSIZE: ", &error[..]].concat())?),
        _ => Ok(fail("Non INTEGER response from DBSIZE!")?),
    }
}

/// How often there is word of keys that are nothing special.
const REPORT_EVERY: u64 = 1_000_000;
/// How many calls of SCAN lie between two pauses.
const PAUSE_EVERY: u64 = 100;

/// How far a walk over the whole database is.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) sampled: u64,
    total: u64,
    /// How far it was when the last keys were asked for, as it is printed.
    pub(super) now: String,
    interrupted: bool,
}

impl Progress {
    /// Counts a key.
    pub(super) fn count(&mut self) -> Result<(), Stop> {
        self.sampled += 1;
        match self.sampled % REPORT_EVERY {
            0 => put(format!("{} Sampled {} keys so far\n", self.now, self.sampled)),
            _ => Ok(()),
        }
    }

    /// What the summary begins with.
    pub(super) fn summary(&self) -> String {
        let how_far = if self.interrupted { format!("{} ", self.now) } else { String::new() };
        format!("\n-------- summary -------\n\n{how_far}Sampled {} keys in the keyspace!\n", self.sampled)
    }
}

/// Looks at all keys until Ctrl-C, to find what `sought` says.
pub(super) fn sample(
    session: &mut Session,
    sought: &str,
    mut look: impl FnMut(&mut Link, &[Vec<u8>], &mut Progress) -> Result<(), Early>,
) -> Result<Progress, Stop> {
    session.watch_interrupts();
    let mut progress = Progress::default();
    match look_at_all(session, sought, &mut progress, &mut look) {
        Ok(()) => {}
        Err(Early::Interrupted) => progress.interrupted = true,
        Err(Early::Stop(stop)) => return Err(stop),
    }
    Ok(progress)
}

fn look_at_all(
    session: &mut Session,
    sought: &str,
    progress: &mut Progress,
    look: &mut impl FnMut(&mut Link, &[Vec<u8>], &mut Progress) -> Result<(), Early>,
) -> Result<(), Early> {
    let interval = session.options.interval;
    let mut walk = Walk::new(&session.options);
    progress.now = percent(0, 0);
    progress.total = database_size(session.require()?)?;
    put(format!(
        "\n# Scanning the entire keyspace to find {sought} keys as well as\n# average sizes per key type.  You can use \
         -i 0.1 to sleep 0.1 sec\n# per 100 SCAN commands (not usually needed).\n\n"
    ))?;
    for calls in 1u64.. {
        progress.now = percent(progress.sampled, progress.total);
        let link = session.require()?;
        let Some(keys) = walk.next(link)? else { break };
        look(link, &keys, progress)?;
        if calls.is_multiple_of(PAUSE_EVERY) && !interval.is_zero() && session.pause(interval) {
            return Err(Early::Interrupted);
        }
    }
    Ok(())
}

/// Prints every key.
pub(super) fn scan(session: &mut Session, quoted: bool) -> Result<(), Stop> {
    let interval = session.options.interval;
    let mut walk = Walk::new(&session.options);
    loop {
        let keys = match walk.next(session.require()?) {
            Ok(Some(keys)) => keys,
            // Nobody watches for Ctrl-C: it ends the program.
            Ok(None) | Err(Early::Interrupted) => return Ok(()),
            Err(Early::Stop(stop)) => return Err(stop),
        };
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
    }
}

fn percent(sampled: u64, total: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_walk_is() {
        for ((sampled, total), text) in
            [((0, 4), "[00.00%]"), ((1, 4), "[25.00%]"), ((4, 4), "[100.00%]"), ((0, 0), "[00.00%]")]
        {
            assert_eq!(percent(sampled, total), text);
        }
    }
}
