//! What the server tells its operator, on standard error.

use std::fmt::Arguments;
use std::sync::atomic::{AtomicU8, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Verbose,
    Notice,
    Warning,
    Nothing,
}

/// Redis's names.
pub const LEVELS: [(&str, Level); 5] = [
    ("debug", Level::Debug),
    ("verbose", Level::Verbose),
    ("notice", Level::Notice),
    ("warning", Level::Warning),
    ("nothing", Level::Nothing),
];

static LEAST: AtomicU8 = AtomicU8::new(Level::Notice as u8);

pub fn set_level(level: Level) {
    LEAST.store(level as u8, Ordering::Relaxed);
}

pub fn log(level: Level, message: Arguments<'_>) {
    use std::io::Write;
    if level as u8 >= LEAST.load(Ordering::Relaxed) {
        // Nobody may be listening any more; that is no reason to stop.
        let _ = writeln!(std::io::stderr(), "ae-server: {message}");
    }
}
