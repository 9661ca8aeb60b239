//! What a line asks for.

use super::preferences::Preferences;
use super::secrets;
use crate::help::{self, Known};
use crate::options::Output;
use crate::output::{Stop, put};
use crate::session::{Failed, Session};
use crate::text;
use resp::words;
use std::time::{Duration, Instant};

/// What comes after a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum After {
    Next,
    /// There was no reply: Ctrl-C, or no connection.
    Failed,
    Clear,
    Leave,
}

/// Takes lines one after the other.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) preferences: Preferences,
    pub(super) known: Known,
}

/// What takes longer is told how long it took.
const SLOW: Duration = Duration::from_millis(500);

impl Lines {
    /// Does what a line asks for; `remember` is told it unless it has secrets.
    pub(super) fn take(
        &mut self,
        session: &mut Session,
        line: &[u8],
        mut remember: impl FnMut(&[u8]),
    ) -> Result<After, Stop> {
        if line.is_empty() {
            return Ok(After::Next);
        }
        let Ok(words) = words::split(line) else {
            put("Invalid argument(s)\n")?;
            if !secrets::may_be_in(line) {
                remember(line);
            }
            return Ok(After::Next);
        };
        if words.is_empty() {
            return Ok(After::Next);
        }
        let (repeat, args) = match repeated(&words) {
            Ok(found) => found,
            Err(BadCount) => {
                put("Invalid redis-cli repeat command option value.\n")?;
                return Ok(After::Next);
            }
        };
        if !secrets::are_in(args) {
            remember(line);
        }
        let is = |name: &str| words[0].eq_ignore_ascii_case(name.as_bytes());
        match words.len() {
            _ if is("quit") || is("exit") => return Ok(After::Leave),
            _ if words[0].starts_with(b":") => self.preferences.set(&words, "").map_or(Ok(()), put)?,
            _ if is("restart") => put("Use 'restart' only in Lua debugging mode.\n")?,
            3 if is("connect") => {
                let (host, port) = (String::from_utf8_lossy(&words[1]), String::from_utf8_lossy(&words[2]));
                match text::port(&port) {
                    Some(port) => session.go_to(&host, port),
                    None => put("Invalid server port.\n")?,
                }
            }
            1 if is("clear") => return Ok(After::Clear),
            _ => return self.issue(session, args, repeat),
        }
        Ok(After::Next)
    }

    fn issue(&mut self, session: &mut Session, args: &[Vec<u8>], repeat: i64) -> Result<After, Stop> {
        if help::is_asked(args) {
            return help::answer(session, &mut self.known, &args[1..]).map(|()| After::Next);
        }
        let start = Instant::now();
        let after = match session.issue(args, repeat) {
            Ok(()) => After::Next,
            Err(Failed::Command) => After::Failed,
            Err(Failed::Program(stop)) => return Err(stop),
        };
        let elapsed = start.elapsed();
        if elapsed >= SLOW && session.options.output == Output::Formatted {
            put(format!("({:.2}s)\n", elapsed.as_secs_f64()))?;
        }
        Ok(after)
    }
}

struct BadCount;

/// The number before a command says how often.
fn repeated(words: &[Vec<u8>]) -> Result<(i64, &[Vec<u8>]), BadCount> {
    let [first, args @ ..] = words else { return Ok((1, words)) };
    let digits = first.strip_prefix(b"-").or_else(|| first.strip_prefix(b"+")).unwrap_or(first);
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if args.is_empty() || !is_number {
        return Ok((1, words));
    }
    let count = std::str::from_utf8(first).ok().and_then(|text| text.parse::<i64>().ok());
    count.filter(|count| *count > 0).map(|count| (count, args)).ok_or(BadCount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_how_often() {
        let words = |line: &str| words::split(line.as_bytes()).unwrap();
        let count = |line: &str| repeated(&words(line)).map(|(count, args)| (count, args.len())).ok();
        assert_eq!(count("5 INCR a"), Some((5, 2)));
        assert_eq!(count("GET a"), Some((1, 2)));
        assert_eq!(count("1 GET a"), Some((1, 2)));
        assert_eq!(count("5"), Some((1, 1)));
        assert_eq!(count("5x GET"), Some((1, 2)));
        assert_eq!(count("0 GET a"), None);
        assert_eq!(count("-1 GET a"), None);
        assert_eq!(count("99999999999999999999 GET a"), None);
    }
}
