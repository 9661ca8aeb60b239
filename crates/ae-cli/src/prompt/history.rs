//! The history's file: plain lines, as redis-cli keeps them.

use super::preferences::dotfile;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

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
        History::of(dotfile("REDISCLI_HISTFILE", ".rediscli_history"))
    }

    fn of(path: Option<PathBuf>) -> (History, Vec<String>) {
        let bytes = path.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(String::from).collect();
        let count = lines.len();
        lines.drain(..count.saturating_sub(LINES_MAX));
        let history = History { path, last: lines.last().cloned() };
        if count > 2 * LINES_MAX {
            // Best effort, as below.
            let _ = history.path.as_ref().map_or(Ok(()), |path| replace(path, &(lines.join("\n") + "\n")));
        }
        (history, lines)
    }

    /// Appends a line, unless it is the last one again. Several sessions may do so at a time. What is more than a line
    /// is not taken: secrets are looked for in lines.
    pub(super) fn add(&mut self, line: &str) {
        if self.last.as_deref() != Some(line) && !line.contains(['\r', '\n']) {
            // Best effort: a history that cannot be kept is no reason not to work.
            let _ = self.path.as_ref().map_or(Ok(()), |path| append(path, line));
            self.last = Some(line.into());
        }
    }
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(MODE).open(path)?;
    write(file, &format!("{line}\n"))
}

/// Whoever reads the file, or ends this program, finds the old one or the new one whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let path = fs::canonicalize(path)?;
    let mut aside = path.clone().into_os_string();
    aside.push(format!(".{}", std::process::id()));
    let file = OpenOptions::new().create_new(true).write(true).mode(MODE).open(&aside)?;
    let replaced = write(file, text).and_then(|()| fs::rename(&aside, &path));
    if replaced.is_err() {
        fs::remove_file(&aside)?;
    }
    replaced
}

fn write(mut file: File, text: &str) -> io::Result<()> {
    // It may have been there already, for all to read.
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(MODE))?;
    }
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn lines_are_kept_for_the_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let (mut history, lines) = History::of(Some(path.clone()));
        assert_eq!(lines, ["old"]);
        for line in ["old", "a", "a", "set a 1\nauth secret", "set a 1\rauth secret", "b"] {
            history.add(line);
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\na\nb\n");
        assert_eq!(mode(&path), MODE);
    }

    #[test]
    fn a_file_of_twice_as_many_lines_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let text: String = (0..2 * LINES_MAX).map(|number| format!("{number}\n")).collect();
        fs::write(&path, &text).unwrap();
        let (_, lines) = History::of(Some(path.clone()));
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_MAX, "1000"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_long_file_is_replaced_by_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("history"), folder.path().join("link"));
        let text: String = (0..2 * LINES_MAX + 1).map(|number| format!("{number}\n")).collect();
        fs::write(&path, text).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let before = File::open(&path).unwrap();
        let (_, lines) = History::of(Some(link.clone()));
        assert_eq!((lines.len(), lines[0].as_str()), (LINES_MAX, "1001"));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), LINES_MAX);
        assert_eq!(mode(&path), MODE);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        // Whoever has the old one open still reads it whole.
        assert_eq!(io::read_to_string(before).unwrap().lines().count(), 2 * LINES_MAX + 1);
    }

    #[test]
    fn nothing_is_left_beside_a_history_that_cannot_be_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        fs::create_dir(&path).unwrap();
        assert!(replace(&path, "text").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
