//! What scripts write into the log.

use crate::log::{Level, log};
use lua::LogLevel;

/// Writes a line for a script.
pub fn write_log(level: LogLevel, text: &[u8]) {
    let level = match level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Verbose => Level::Verbose,
        LogLevel::Notice => Level::Notice,
        LogLevel::Warning => Level::Warning,
    };
    log(level, format_args!("{}", String::from_utf8_lossy(text)));
}
