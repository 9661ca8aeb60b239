//! The C headers of `include/`: generated from the sources, committed, and checked here.
//!
//! `make headers` (`LIBAE_HEADERS=write cargo test --test headers`) writes them; every other run compares.

mod compile;
mod facts;
mod generate;

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The first line in which two texts differ, for a message.
fn first_difference(committed: &str, generated: &str) -> Option<String> {
    let (mut old, mut new) = (committed.lines(), generated.lines());
    for number in 1.. {
        match (old.next(), new.next()) {
            (None, None) => return (committed != generated).then(|| format!("line {number}: the line endings")),
            (old, new) if old == new => {}
            (old, new) => {
                let show = |line: Option<&str>| line.map_or("(end of file)".into(), |text| format!("{text:?}"));
                return Some(format!("line {number}\n    committed: {}\n    generated: {}", show(old), show(new)));
            }
        }
    }
    unreachable!("the loop has no end")
}

#[test]
fn committed_files_are_what_the_sources_give() {
    let write = std::env::var_os("LIBAE_HEADERS").is_some_and(|value| value == "write");
    let mut drifted = Vec::new();
    for (path, generated) in generate::all() {
        let path = root().join(path);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let Some(difference) = first_difference(&committed, &generated) else { continue };
        if write {
            std::fs::write(&path, generated).expect("the generated file can be written");
            eprintln!("wrote {}", path.display());
        } else {
            drifted.push(format!("  {}, {difference}", path.display()));
        }
    }
    assert!(
        drifted.is_empty(),
        "the sources give other headers than those committed; run `make headers` and commit the result:\n{}",
        drifted.join("\n")
    );
}

#[test]
fn a_drifted_file_is_noticed() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert!(first_difference("a\nb\n", "a\nc\n").is_some_and(|text| text.starts_with("line 2")));
    assert!(first_difference("a\n", "a\nb\n").is_some_and(|text| text.contains("end of file")));
    assert!(first_difference("a", "a\n").is_some());
}
