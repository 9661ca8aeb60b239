//! What `:set` changes, at the prompt or in `~/.redisclirc`.

use std::cell::Cell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;

/// They are shared with what shows the hints.
#[derive(Clone, Debug)]
pub(super) struct Preferences {
    pub(super) hints: Rc<Cell<bool>>,
}

impl Default for Preferences {
    fn default() -> Self {
        Preferences { hints: Rc::new(Cell::new(true)) }
    }
}

impl Preferences {
    /// `:set hints` or `:set nohints`; what is wrong with anything else, after `prefix`.
    pub(super) fn set(&self, words: &[Vec<u8>], prefix: &str) -> Option<String> {
        let shown = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
        if !words[0].eq_ignore_ascii_case(b":set") || words.len() < 2 {
            return Some(format!("{prefix}unknown redis-cli internal command '{}'\n", shown(&words[0])));
        }
        match words[1].to_ascii_lowercase().as_slice() {
            b"hints" => self.hints.set(true),
            b"nohints" => self.hints.set(false),
            _ => return Some(format!("{prefix}unknown redis-cli preference '{}'\n", shown(&words[1]))),
        }
        None
    }

    /// Those of the file; what is wrong there.
    pub(super) fn load() -> (Preferences, String) {
        let (preferences, mut complaints) = (Preferences::default(), String::new());
        let text = dotfile("REDISCLI_RCFILE", ".redisclirc").and_then(|path| std::fs::read(path).ok());
        for line in text.unwrap_or_default().split(|byte| *byte == b'\n') {
            match resp::words::split(line) {
                Ok(words) if !words.is_empty() => {
                    complaints.extend(preferences.set(&words, ".redisclirc: "));
                }
                _ => {}
            }
        }
        (preferences, complaints)
    }
}

/// The file that an environment variable names, or else one in the home folder; none for /dev/null.
pub(super) fn dotfile(variable: &str, name: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
    let path = set(variable).map(PathBuf::from).or_else(|| set("HOME").map(|home| PathBuf::from(home).join(name)))?;
    (path.as_os_str() != "/dev/null").then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_switched() {
        let preferences = Preferences::default();
        let set = |line: &str| preferences.set(&resp::words::split(line.as_bytes()).unwrap(), "");
        assert_eq!(set(":set nohints"), None);
        assert!(!preferences.hints.get());
        assert_eq!(set(":SET Hints"), None);
        assert!(preferences.hints.get());
        assert_eq!(set(":set x"), Some("unknown redis-cli preference 'x'\n".into()));
        for (line, name) in [(":x", ":x"), (":set", ":set"), (":get nohints", ":get")] {
            assert_eq!(set(line), Some(format!("unknown redis-cli internal command '{name}'\n")));
        }
        assert!(preferences.hints.get());
    }
}
