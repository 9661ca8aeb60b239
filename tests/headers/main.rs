//! The C headers of `include/`: generated from the sources, committed, and checked here.
//!
//! `make headers` (`LIBAE_HEADERS=DIRECTORY cargo test --test headers`) writes them; every other run compares. Built
//! for another profile than the default, the tests check that profile's headers.

mod compile;
mod facts;
mod generate;
mod profile;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The profile that the library was built with.
const PROFILE: &str = env!("LIBAE_ABI_PROFILE");
/// The one whose headers are committed.
const COMMITTED_PROFILE: &str = "redis-7.2";

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

/// Where the headers are that the other tests compile: the committed ones, or for another profile than the default
/// those that the sources give.
fn include_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        if PROFILE == COMMITTED_PROFILE {
            return root().join("include");
        }
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("include").join(PROFILE);
        write_to(&dir);
        dir
    })
}

fn write_to(dir: &Path) {
    std::fs::create_dir_all(dir).expect("the directory can be made");
    for (name, generated) in generate::all() {
        let path = dir.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|text| text == generated) {
            continue;
        }
        std::fs::write(&path, generated).expect("the generated file can be written");
        eprintln!("wrote {}", path.display());
    }
}

/// Not a test of anything unless `make headers` asks for it.
#[test]
fn written_where_asked() {
    if let Some(dir) = std::env::var_os("LIBAE_HEADERS") {
        write_to(&root().join(dir));
    }
}

#[test]
fn committed_files_are_what_the_sources_give() {
    if PROFILE != COMMITTED_PROFILE {
        return;
    }
    let drifted: Vec<String> = generate::all()
        .into_iter()
        .filter_map(|(name, generated)| {
            let committed = std::fs::read_to_string(root().join("include").join(name)).unwrap_or_default();
            first_difference(&committed, &generated).map(|difference| format!("  include/{name}, {difference}"))
        })
        .collect();
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
