//! Commands, and what they are called with.

use resp::words;

/// A command or a subcommand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// `CONFIG GET`.
    pub name: String,
    /// What it is called with, an argument each.
    pub syntax: Vec<String>,
    /// What it does.
    pub summary: String,
    /// Since which version.
    pub since: String,
    /// What it belongs to.
    pub group: String,
}

/// All of them, by name.
#[derive(Debug, Default)]
pub struct Entries(Vec<Entry>);

impl Entries {
    pub(super) fn new(mut entries: Vec<Entry>) -> Entries {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Entries(entries)
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter()
    }

    /// The groups.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<_> = self.iter().map(|entry| entry.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The longest name that a line begins with, the number of its words, and the line's words.
    pub fn matching(&self, line: &str) -> Option<(&Entry, usize, Vec<Vec<u8>>)> {
        // A quote that is still open is no reason to know less.
        let words = words::split(line.as_bytes())
            .unwrap_or_else(|_| line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect());
        let count = |entry: &Entry| entry.name.split(' ').count();
        let begins = |entry: &&Entry| {
            let name: Vec<_> = entry.name.split(' ').collect();
            name.len() <= words.len() && name.iter().zip(&words).all(|(a, b)| b.eq_ignore_ascii_case(a.as_bytes()))
        };
        let entry = self.iter().filter(begins).max_by_key(|entry| count(entry))?;
        Some((entry, count(entry), words))
    }
}
