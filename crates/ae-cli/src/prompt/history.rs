//! The history's file: plain lines, as redis-cli keeps them.

use super::preferences::dotfile;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// How many lines are kept.
pub(super) const LINES_MAX: usize = 1000;

/// Only its owner may read it.
const MODE: u32 = 0o600;

/// The file, if there is to be one.
pub(super) struct History {
    path: Option<PathBuf>,
    last: Option<String>,
}

impl History {
    /// The file, and its lines from the oldest on. A file that has grown far too long is cut.
    pub(super) fn load() -> (History, Vec<String>) {
        let path = dotfile("REDISCLI_HISTFILE", ".rediscli_history");
        let bytes = path.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(String::from).collect();
        let count = lines.len();
        lines.drain(..count.saturating_sub(LINES_MAX));
        let history = History { path, last: lines.last().cloned() };
        if count > 2 * LINES_MAX {
            history.write(&(lines.join("\n") + "\n"), false);
        }
        (history, lines)
    }

    /// Appends a line, unless it is the last one again. Several sessions may do so at a time.
    pub(super) fn add(&mut self, line: &str) {
        if self.last.as_deref() != Some(line) {
            self.write(&format!("{line}\n"), true);
            self.last = Some(line.into());
        }
    }

    /// Best effort: a history that cannot be kept is no reason not to work.
    fn write(&self, text: &str, append: bool) {
        let Some(path) = &self.path else { return };
        let mut options = OpenOptions::new();
        options.create(true).append(append).write(true).truncate(!append).mode(MODE);
        let _ = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    }
}
