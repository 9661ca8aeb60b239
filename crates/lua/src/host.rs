//! What a script asks of the server that runs it.

use crate::script::Script;
use resp::{Args, Protocol};

/// The server, for one run of a script.
pub trait Host {
    /// Runs a command and writes its reply, in `protocol`, into `reply`, which is empty. `false` if it is an error.
    fn call(&mut self, args: Args<'_>, protocol: Protocol, reply: &mut Vec<u8>) -> bool;

    /// Whether the user may run a command; None if there is none of that name.
    fn may_run(&mut self, args: Args<'_>) -> Option<bool>;

    /// Writes a line into the log.
    fn log(&mut self, level: LogLevel, text: &[u8]);

    /// To whom the following commands' changes are told.
    fn replicate(&mut self, to: Replication);

    /// Called now and then while the script runs.
    fn interrupt(&mut self) -> Interrupted;

    /// A library registers a function; the error says why it cannot.
    fn register(&mut self, function: Registered) -> Result<(), String>;
}

/// A function of a library.
pub struct Registered {
    /// What it is called.
    pub name: Vec<u8>,
    /// What runs.
    pub script: Script,
    /// For people.
    pub description: Option<Vec<u8>>,
    /// What it says of itself.
    pub flags: Vec<Vec<u8>>,
}

/// Whether a script goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupted {
    /// It does.
    GoesOn,
    /// It ends with this error.
    Ends(&'static str),
}

/// How important a line of the log is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Debug,
    Verbose,
    Notice,
    Warning,
}

impl LogLevel {
    #[cfg(feature = "interpreter")]
    pub(crate) fn from_number(number: f64) -> Option<LogLevel> {
        [LogLevel::Debug, LogLevel::Verbose, LogLevel::Notice, LogLevel::Warning].get(index(number)?).copied()
    }
}

/// Who is told of changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replication {
    /// The append-only file.
    pub log: bool,
    /// Replicas.
    pub replicas: bool,
}

impl Replication {
    /// Everybody, as at a script's beginning.
    pub const ALL: Replication = Replication { log: true, replicas: true };

    #[cfg(feature = "interpreter")]
    pub(crate) fn from_number(number: f64) -> Option<Replication> {
        let bits = index(number).filter(|bits| *bits < 4)?;
        Some(Replication { log: bits & 1 != 0, replicas: bits & 2 != 0 })
    }
}

/// A number as C would take it for an index.
#[cfg(feature = "interpreter")]
fn index(number: f64) -> Option<usize> {
    (0.0..256.0).contains(&number).then_some(number as usize)
}

#[cfg(all(test, feature = "interpreter"))]
#[path = "host_tests.rs"]
mod tests;
