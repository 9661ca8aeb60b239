//! Where messages go: standard output or a file, and syslog.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Where the system's log takes messages.
const SYSLOG: &str = "/dev/log";

/// The system's time zone as it was at the start: no message has to look for it in files.
static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

pub fn read_time_zone() {
    LazyLock::force(&ZONE);
}

fn now() -> ZonedDateTime {
    Timestamp::now().to_zoned_datetime(ZONE.clone())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Verbose,
    Notice,
    Warning,
    Nothing,
}

/// A kind of program, as syslog sorts messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facility {
    User,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

impl Facility {
    /// The number that syslog knows it by.
    fn code(self) -> u8 {
        match self {
            Facility::User => 1,
            local => 16 + (local as u8 - Facility::Local0 as u8),
        }
    }
}

/// Where messages go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Standard output if None.
    pub file: Option<PathBuf>,
    /// Also there, under this name.
    pub syslog: Option<(String, Facility)>,
}

impl Target {
    /// Whether there can be messages in the file.
    pub fn check(&self) -> Result<(), String> {
        let Some(path) = &self.file else { return Ok(()) };
        open(path).map_err(|error| format!("cannot open the log file {}: {error}", path.display())).map(|_| ())
    }

    /// Writes a message. What cannot be written is lost: there is nobody to tell.
    pub fn write(&self, role: char, level: Level, message: &str) {
        let line = line(role, level, message, &now());
        let _ = match &self.file {
            Some(path) => open(path).and_then(|mut file| file.write_all(line.as_bytes())),
            None => print(&line),
        };
        self.to_syslog(level, message);
    }

    /// Writes to standard output as it is what the operator waits for there, unless messages go into a file.
    pub fn say(&self, role: char, text: &str) {
        if self.file.is_some() {
            return self.write(role, Level::Notice, text.trim_end());
        }
        let _ = print(text);
        self.to_syslog(Level::Notice, text.trim_end());
    }

    fn to_syslog(&self, level: Level, message: &str) {
        if let Some((name, facility)) = &self.syslog {
            let _ = send_to_syslog(Path::new(SYSLOG), &syslog_line(name, *facility, level, message, &now()));
        }
    }
}

/// Opened for every message, so that whoever rotates logs may move the file away.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Somebody may have closed the other end; that is no reason to stop.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A line as Redis writes it: process, role, local time, level.
fn line(role: char, level: Level, message: &str, now: &ZonedDateTime) -> String {
    let mark = match level {
        Level::Debug => '.',
        Level::Verbose => '-',
        Level::Notice => '*',
        Level::Warning | Level::Nothing => '#',
    };
    let time = now.strftime("%d %b %Y %H:%M:%S.%3f");
    format!("{}:{} {time} {mark} {message}\n", std::process::id(), role)
}

/// A message as the syslog of a host takes it (RFC 3164, without the host).
fn syslog_line(name: &str, facility: Facility, level: Level, message: &str, now: &ZonedDateTime) -> String {
    let severity = match level {
        Level::Debug => 7,
        Level::Verbose => 6,
        Level::Notice => 5,
        Level::Warning | Level::Nothing => 4,
    };
    let priority = facility.code() * 8 + severity;
    format!("<{priority}>{} {name}[{}]: {message}", now.strftime("%b %e %H:%M:%S"), std::process::id())
}

/// Does not wait where the other end takes nothing.
fn send_to_syslog(path: &Path, line: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(line.as_bytes(), path).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> ZonedDateTime {
        "2026-03-05T07:08:09.010[UTC]".parse().unwrap()
    }

    #[test]
    fn lines_as_in_redis() {
        for (role, level, mark) in [
            ('C', Level::Warning, '#'),
            ('M', Level::Notice, '*'),
            ('S', Level::Verbose, '-'),
            ('M', Level::Debug, '.'),
        ] {
            let expected = format!("{}:{role} 05 Mar 2026 07:08:09.010 {mark} a b\n", std::process::id());
            assert_eq!(line(role, level, "a b", &moment()), expected);
        }
    }

    #[test]
    fn a_file_that_was_moved_away_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let target = Target { file: Some(path.clone()), syslog: None };
        target.check().unwrap();
        target.write('M', Level::Notice, "one");
        std::fs::rename(&path, folder.path().join("old")).unwrap();
        target.say('M', "two\n");
        let lines = [folder.path().join("old"), path].map(|path| std::fs::read_to_string(path).unwrap());
        assert!(lines[0].ends_with(" * one\n") && lines[1].ends_with(" * two\n"), "{lines:?}");
        let missing = Target { file: Some(folder.path().join("none/log")), syslog: None };
        assert!(missing.check().unwrap_err().ends_with("No such file or directory (os error 2)"));
    }

    #[test]
    fn syslog_gets_a_datagram() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = UnixDatagram::bind(&path).unwrap();
        let line = syslog_line("redis", Facility::Local1, Level::Notice, "ready", &moment());
        send_to_syslog(&path, &line).unwrap();
        let mut buf = [0; 100];
        let len = log.recv(&mut buf).unwrap();
        let expected = format!("<141>Mar  5 07:08:09 redis[{}]: ready", std::process::id());
        assert_eq!(String::from_utf8_lossy(&buf[..len]), expected);
        let user = syslog_line("redis", Facility::User, Level::Debug, "x", &moment());
        assert!(user.starts_with("<15>"), "{user}");
    }

    #[test]
    fn syslog_knows_how_important_it_is() {
        let priority = |level| {
            let line = syslog_line("redis", Facility::User, level, "x", &moment());
            line[1..].split_once('>').unwrap().0.parse::<u32>().unwrap() - 8
        };
        let all = [Level::Debug, Level::Verbose, Level::Notice, Level::Warning].map(priority);
        assert_eq!(all, [7, 6, 5, 4]);
    }
}
