//! In ae-cli imports point down from room to room.

use crate::imports::imports;
use crate::source::{crate_files, repository};

/// Its rooms from the bottom up: a file imports from its own room and from those before it.
const ROOMS: [&str; 13] = [
    "text",
    "output",
    "password",
    "options",
    "format",
    "net",
    "replication",
    "session",
    "help",
    "prompt",
    "cluster",
    "modes",
    "startup",
];

fn room(file: &str) -> Option<usize> {
    let first = file.trim_end_matches(".rs").split('/').next();
    ROOMS.iter().position(|room| Some(*room) == first)
}

#[test]
fn imports_point_down() {
    let files = crate_files(&repository().join("crates/ae-cli/src/lib.rs"));
    let files: Vec<_> = files.into_iter().filter(|source| !source.of_tests).collect();
    for source in files.iter().filter(|source| source.file != "lib.rs") {
        assert!(room(&source.file).is_some(), "{} is in no room", source.file);
    }
    for (at, name) in ROOMS.iter().enumerate() {
        assert!(files.iter().any(|source| room(&source.file) == Some(at)), "there is no {name}");
    }
    let imports = imports(&files);
    let up = imports.iter().filter(|((from, to), _)| from != "lib.rs" && room(to) > room(from));
    let up: Vec<_> = up.map(|((from, to), path)| format!("  {from} imports {to} ({path})")).collect();
    assert!(up.is_empty(), "imports that point up:\n{}", up.join("\n"));
}
