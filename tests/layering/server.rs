//! In ae-server imports point down from room to room.

use crate::imports::{Imports, imports};
use crate::source::{crate_files, repository};

/// Its rooms, files or folders, from the bottom up: a file imports from its own room and from those before it.
const ROOMS: [&str; 37] = [
    "glob",
    "log",
    "memory",
    "long_double",
    "stopwatch",
    "files",
    "config",
    "process",
    "command/flag",
    "command/category",
    "command/spec",
    "command/keys",
    "command/renames",
    "acl",
    "clients",
    "pubsub",
    "tracking",
    "db",
    "persist",
    "record",
    "replication",
    "scripting",
    "server",
    "observe",
    "command/registry",
    "command/error",
    "command/context",
    "command/call",
    "commands",
    "command/table",
    "command/dispatch",
    "persist/aof/replay",
    "net",
    "serve",
    "signals",
    "daemon",
    "startup",
];

/// The place of a file's room; none for those that list rooms.
fn room(file: &str) -> Option<usize> {
    let file = file.trim_end_matches(".rs");
    let is_in = |room: &str| file == room || file.strip_prefix(room).is_some_and(|rest| rest.starts_with('/'));
    // A file of a room may be a room of its own.
    (0..ROOMS.len()).filter(|at| is_in(ROOMS[*at])).max_by_key(|at| ROOMS[*at].len())
}

fn upward(imports: &Imports) -> Vec<String> {
    let rises = |from: &str, to: &str| match (room(from), room(to)) {
        (Some(own), Some(other)) => other > own,
        (own, _) => own.is_some(),
    };
    let wrong = imports.iter().filter(|((from, to), _)| rises(from, to));
    wrong.map(|((from, to), path)| format!("  {from} imports {to} ({path})")).collect()
}

#[test]
fn imports_point_down() {
    let files = crate_files(&repository().join("crates/ae-server/src/lib.rs"));
    let files: Vec<_> = files.into_iter().filter(|source| !source.of_tests).collect();
    for source in files.iter().filter(|source| !["lib.rs", "command/mod.rs"].contains(&source.file.as_str())) {
        assert!(room(&source.file).is_some(), "{} is in no room", source.file);
    }
    for (at, name) in ROOMS.iter().enumerate() {
        assert!(files.iter().any(|source| room(&source.file) == Some(at)), "there is no {name}");
    }
    let found = upward(&imports(&files));
    assert!(found.is_empty(), "imports that point up:\n{}", found.join("\n"));
}

#[test]
fn upward_imports_are_noticed() {
    let wrong = |from: &str, to: &str| {
        let imports = [((from.into(), to.into()), String::new())];
        !upward(&imports.into_iter().collect()).is_empty()
    };
    assert!(wrong("clients/client.rs", "db/databases.rs"));
    assert!(wrong("clients/client.rs", "lib.rs"));
    assert!(wrong("command/spec.rs", "command/dispatch.rs"));
    assert!(!wrong("db/databases.rs", "clients/client.rs"));
    assert!(!wrong("clients/client.rs", "clients/table.rs"));
    assert!(!wrong("lib.rs", "startup.rs"));
}
