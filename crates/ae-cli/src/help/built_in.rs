//! What is known without a server.

use super::entry::{Entries, Entry};

struct Known {
    name: &'static str,
    syntax: &'static [&'static str],
    summary: &'static str,
    since: &'static str,
    group: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/commands.rs"));

/// All commands of the version of Redis that ae-server follows.
pub fn entries() -> Entries {
    let entry = |known: &Known| Entry {
        name: known.name.into(),
        syntax: known.syntax.iter().map(|argument| argument.to_string()).collect(),
        summary: known.summary.into(),
        since: known.since.into(),
        group: known.group.into(),
    };
    Entries::new(COMMANDS.iter().map(entry).collect())
}
