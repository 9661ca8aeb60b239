//! Who knows the ABI profiles.

use crate::source::{repository, rust_files, words_of};
use std::path::Path;

/// How the `cfg` flags of the ABI profiles begin (build.rs).
const FLAG: &str = "abi_";

/// Who may know the profiles: modules, and files.
const KNOW_PROFILES: [&str; 3] = ["abi", "ffi", "connection/types"];

/// Files that name flags nevertheless, which, and why.
const EXCEPTIONS: [(&str, &[&str], &str); 6] = [
    ("connection/mod", &["abi_v1"], "has the registry or not"),
    ("event_loop/mod", &["abi_valkey"], "offers what `polling` has for Valkey"),
    ("event_loop/polling", &["abi_valkey"], "aePoll and aeSetPollProtect: nobody else calls them"),
    ("host/hooks", &["abi_v1"], "without listeners nobody asks their hooks"),
    ("sys/socket", &["abi_v1"], "shutdown: nobody else calls it"),
    ("sys/text", &["abi_v1"], "Text::as_mut_ptr: nobody else calls it"),
];

/// The profiles' flags that a file names and may not; `path` is from src/, without the suffix.
fn violations(text: &str, path: &str) -> Vec<String> {
    if KNOW_PROFILES.iter().any(|known| Path::new(path).starts_with(known)) {
        return Vec::new();
    }
    let allowed = EXCEPTIONS.iter().find(|(file, ..)| *file == path).map_or(&[][..], |(_, flags, _)| flags);
    let mut flags: Vec<_> = words_of(text).into_iter().filter(|word| word.starts_with(FLAG)).collect();
    flags.sort();
    flags.dedup();
    let unused = allowed.iter().filter(|flag| !flags.iter().any(|named| named == *flag));
    let unused = unused.map(|flag| format!("`{flag}` is no longer named: take it out of EXCEPTIONS"));
    let named = flags.iter().filter(|flag| !allowed.contains(&flag.as_str()));
    named.map(|flag| format!("`{flag}` belongs to {}", KNOW_PROFILES.join(", "))).chain(unused).collect()
}

#[test]
fn profiles_are_known_where_they_belong() {
    let src = repository().join("src");
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for file in rust_files(&src) {
        let path = file.strip_prefix(&src).expect("a path below src").with_extension("");
        let path = path.to_str().expect("a name in UTF-8");
        let text = std::fs::read_to_string(&file).expect("a source");
        found.extend(violations(&text, path).into_iter().map(|text| format!("  src/{path}.rs: {text}")));
        seen.push(path.to_string());
    }
    for (path, ..) in EXCEPTIONS {
        assert!(seen.iter().any(|seen| seen == path), "src/{path}.rs is not there: take it out of EXCEPTIONS");
    }
    assert!(found.is_empty(), "the profiles are known where they should not be:\n{}", found.join("\n"));
}

#[test]
fn samples() {
    let count = |text, path| violations(text, path).len();
    assert_eq!(count("#[cfg(abi_v1)] fn f() {}", "ffi/ae"), 0);
    assert_eq!(count("const A: bool = cfg!(any(abi_redis_8, abi_valkey));", "abi/profile"), 0);
    assert_eq!(count("#[cfg(abi_redis_8)] fn f() {}", "connection/types/tcp"), 0);
    assert_eq!(count("#[cfg(abi_redis_8)] fn f() {}", "connection/socket"), 1);
    assert_eq!(count("const A: bool = cfg!(any(abi_redis_8, abi_valkey));", "event_loop/wait"), 2);
    assert_eq!(count("#[cfg(abi_valkey)] fn f() {}", "event_loop/polling"), 0);
    assert_eq!(count("#[cfg(abi_v1)] #[cfg(abi_valkey)] fn f() {}", "event_loop/polling"), 1);
    assert_eq!(count("fn f() {}", "event_loop/polling"), 1); // an exception that nobody needs
    assert_eq!(count("// abi_v1", "anet/options"), 0);
    assert_eq!(count("#[cfg(abi_v1)] fn f() {}", "abiding"), 1);
}
