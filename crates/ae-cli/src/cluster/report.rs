//! What is said of a cluster, in colours on a terminal that has them.

use crate::output::{Stop, put};

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Title,
    Warning,
    Error,
    Good,
}

/// Prints it.
pub(super) fn say(level: Level, text: &str) -> Result<(), Stop> {
    put(painted(level, text, crate::output::colours()))
}

fn painted(level: Level, text: &str, colours: bool) -> String {
    let code = match level {
        Level::Title => "29;1m",
        Level::Warning => "33;1m",
        Level::Error => "31;1m",
        Level::Good => "32;1m",
    };
    if colours { format!("\x1b[{code}{text}\x1b[0m") } else { text.into() }
}
