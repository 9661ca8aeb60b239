//! Who may import whom (the table in `src/lib.rs`): imports point down only, raw libc calls live in `sys`, and the
//! binaries use the safe API alone.

use std::path::{Path, PathBuf};

/// Each module of the library and what it may import.
const LAYERS: [(&str, &[&str]); 9] = [
    ("abi", &[]),
    ("sys", &[]),
    ("resp", &[]),
    ("host", &["abi", "sys"]),
    ("anet", &["abi", "sys"]),
    ("event_loop", &["abi", "sys", "host"]),
    ("connection", &["abi", "sys", "host", "anet", "event_loop"]),
    ("safe", &["abi", "sys", "host", "anet", "event_loop", "connection"]),
    ("ffi", &["abi", "sys", "host", "anet", "event_loop", "connection"]),
];

/// The one module that a binary names; the rest is at the crate's root.
const FOR_BINARIES: &str = "resp";

/// The only module that calls libc itself.
const CALLS_LIBC: &str = "sys";

/// Types of libc, which any module may name. Its constants are in capitals.
const LIBC_TYPES: [&str; 8] =
    ["epoll_event", "iovec", "kevent", "mode_t", "pollfd", "pthread_mutex_t", "ssize_t", "timeval"];

/// The binaries' input and output is the library's.
const NOT_IN_BINARIES: [&str; 7] =
    ["libc", "nix", "TcpListener", "TcpStream", "UdpSocket", "UnixListener", "UnixStream"];

/// How the `cfg` flags of the ABI profiles begin (build.rs).
const PROFILE_FLAG: &str = "abi_";

/// Who may know the profiles: modules, and files.
const KNOW_PROFILES: [&str; 3] = ["abi", "ffi", "connection/types"];

/// Files that name flags all the same, which, and why.
const PROFILE_EXCEPTIONS: [(&str, &[&str], &str); 6] = [
    ("connection/mod", &["abi_v1"], "has the registry or not"),
    ("event_loop/mod", &["abi_valkey"], "offers what `polling` has for Valkey"),
    ("event_loop/polling", &["abi_valkey"], "aePoll and aeSetPollProtect: nobody else calls them"),
    ("host/hooks", &["abi_v1"], "without listeners nobody asks their hooks"),
    ("sys/socket", &["abi_v1"], "shutdown: nobody else calls it"),
    ("sys/text", &["abi_v1"], "Text::as_mut_ptr: nobody else calls it"),
];

/// Splits a source into words and single characters, "::" as one, without comments, strings and characters.
fn tokens(source: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest) {
            length
        } else if first == '"' {
            quoted(rest)
        } else if let Some(length) = character(rest) {
            length
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(rest[..length].into());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".into());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.into());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < text.len() {
        let step = match &text[at..] {
            rest if rest.starts_with("/*") => {
                depth += 1;
                2
            }
            rest if rest.starts_with("*/") => {
                depth -= 1;
                2
            }
            rest => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string that starts here.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The length of the raw string that starts here, if one does.
fn raw_string(text: &str) -> Option<usize> {
    let start = ["r", "br", "cr"].into_iter().find(|start| text.starts_with(start))?;
    let hashes = text[start.len()..].chars().take_while(|c| *c == '#').count();
    let body = start.len() + hashes + 1;
    if !text[body - 1..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[body..].find(&end).map_or(text.len(), |at| body + at + end.len()))
}

/// The length of the character that starts here; `None` also for a lifetime.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    if let Some(escape) = inside.strip_prefix('\\') {
        let skipped = escape.chars().next()?.len_utf8();
        return Some(2 + skipped + escape[skipped..].find('\'')? + 1);
    }
    let c = inside.chars().next()?;
    inside[c.len_utf8()..].starts_with('\'').then(|| 2 + c.len_utf8())
}

/// Every path in a source that starts with one of `roots`, with `use` trees spelled out, `super` resolved against
/// the file's module, and "crate" cut off.
fn paths(source: &str, module: &[&str], roots: &[&str]) -> Vec<Vec<String>> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut inside: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => {
                if at >= 2 && tokens[at - 2] == "mod" {
                    inside.push((tokens[at - 1].clone(), depth));
                }
                depth += 1;
            }
            "}" => {
                depth -= 1;
                inside.pop_if(|(_, opened)| *opened == depth);
            }
            word if roots.contains(&word) && tokens.get(at + 1).is_some_and(|next| next == "::") => {
                let continues = at > 0 && tokens[at - 1] == "::";
                // `super::super::x` is found from its first word.
                if !continues {
                    let here =
                        module.iter().map(ToString::to_string).chain(inside.iter().map(|(name, _)| name.clone()));
                    tree(&tokens, at, &here.collect::<Vec<_>>(), Vec::new(), &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

/// Reads a path or `use` tree from `at` on; returns where it ends.
fn tree(
    tokens: &[String],
    mut at: usize,
    here: &[String],
    mut path: Vec<String>,
    found: &mut Vec<Vec<String>>,
) -> usize {
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = tree(tokens, at, here, path.clone(), found);
                    // Also steps over "as name" and ",".
                    while tokens.get(at).is_some_and(|token| token != "," && token != "}") {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            Some("crate") => path.clear(),
            Some("super") => {
                if path.is_empty() {
                    path = here.to_vec();
                }
                path.pop();
            }
            Some("self") => {}
            Some(word) => path.push(word.into()),
            None => {}
        }
        if tokens.get(at + 1).is_some_and(|next| next == "::") {
            at += 2;
        } else {
            found.push(path);
            return at + 1;
        }
    }
}

/// What a file of the library does that its layer may not. `module` is its path from the crate's root.
fn library_violations(source: &str, module: &[&str]) -> Vec<String> {
    let mut violations = Vec::new();
    let own = module[0];
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == own) else {
        return vec![format!("the module `{own}` is not in the table of layers")];
    };
    for path in paths(source, module, &["crate", "super"]) {
        // The root has modules and, for users, what `safe` offers.
        let Some(first) = path.first() else { continue };
        let target = LAYERS.iter().map(|(name, _)| *name).find(|name| name == first).unwrap_or("safe");
        if target != own && !allowed.contains(&target) {
            violations.push(format!("`{own}` may not import `{}`", path.join("::")));
        }
    }
    if own != CALLS_LIBC {
        for path in paths(source, module, &["libc"]) {
            let name = path.last().map_or("", String::as_str);
            let is_constant = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            if !is_constant && !LIBC_TYPES.contains(&name) {
                violations.push(format!("`libc::{name}` belongs to `{CALLS_LIBC}`"));
            }
        }
        // A name may be a type and a function.
        for call in tokens(source).windows(4) {
            if call[0] == "libc" && call[1] == "::" && call[3] == "(" {
                violations.push(format!("`libc::{}` is called outside `{CALLS_LIBC}`", call[2]));
            }
        }
    }
    violations
}

/// What a file of a binary does that it may not.
fn binary_violations(source: &str, is_main: bool) -> Vec<String> {
    let mut violations = Vec::new();
    let modules = || LAYERS.iter().map(|(name, _)| *name).filter(|name| *name != FOR_BINARIES);
    for path in paths(source, &["binary"], &["ae"]) {
        if path.get(1).is_some_and(|first| modules().any(|module| module == first)) {
            violations.push(format!("a binary may not use `{}`", path.join("::")));
        }
    }
    for word in tokens(source) {
        if NOT_IN_BINARIES.contains(&word.as_str()) {
            violations.push(format!("a binary may not use `{word}`"));
        }
    }
    if is_main && !source.contains("#![forbid(unsafe_code)]") {
        violations.push("`#![forbid(unsafe_code)]` is missing".into());
    }
    violations
}

/// The profiles' flags that a file names and may not; `path` is from src/, without the suffix.
fn profile_violations(source: &str, path: &str) -> Vec<String> {
    if KNOW_PROFILES.iter().any(|known| Path::new(path).starts_with(known)) {
        return Vec::new();
    }
    let allowed = PROFILE_EXCEPTIONS.iter().find(|(file, ..)| *file == path).map_or(&[][..], |(_, flags, _)| flags);
    let mut flags: Vec<_> = tokens(source).into_iter().filter(|word| word.starts_with(PROFILE_FLAG)).collect();
    flags.sort();
    flags.dedup();
    let unused = allowed.iter().filter(|flag| !flags.iter().any(|named| named == *flag));
    let unused = unused.map(|flag| format!("`{flag}` is not named any more: take it out of PROFILE_EXCEPTIONS"));
    let named = flags.iter().filter(|flag| !allowed.contains(&flag.as_str()));
    named.map(|flag| format!("`{flag}` belongs to {}", KNOW_PROFILES.join(", "))).chain(unused).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn imports_point_down() {
    let source_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    let mut seen = 0;
    for file in rust_files(&source_folder) {
        let path = file.strip_prefix(&source_folder).expect("a path below src").with_extension("");
        let mut module: Vec<&str> = path.iter().map(|part| part.to_str().expect("a name in UTF-8")).collect();
        let source = std::fs::read_to_string(&file).expect("a source");
        let found = match module[..] {
            ["lib"] => continue,
            ["bin", .., name] => binary_violations(&source, name == "main" || module.len() == 2),
            _ => {
                module.pop_if(|last| *last == "mod");
                library_violations(&source, &module)
            }
        };
        seen += 1;
        violations.extend(found.into_iter().map(|text| format!("  src/{}.rs: {text}", path.display())));
    }
    assert!(seen > 5, "only {seen} files were seen");
    assert!(violations.is_empty(), "the layering rule (src/lib.rs) is broken:\n{}", violations.join("\n"));
}

#[test]
fn profiles_are_known_where_they_belong() {
    let source_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut violations = Vec::new();
    let mut seen = Vec::new();
    for file in rust_files(&source_folder) {
        let path = file.strip_prefix(&source_folder).expect("a path below src").with_extension("");
        let path = path.to_str().expect("a name in UTF-8");
        let found = profile_violations(&std::fs::read_to_string(&file).expect("a source"), path);
        violations.extend(found.into_iter().map(|text| format!("  src/{path}.rs: {text}")));
        seen.push(path.to_string());
    }
    for (path, ..) in PROFILE_EXCEPTIONS {
        assert!(seen.iter().any(|seen| seen == path), "src/{path}.rs is not there: take it out of PROFILE_EXCEPTIONS");
    }
    assert!(violations.is_empty(), "the profiles are known where they should not be:\n{}", violations.join("\n"));
}

#[test]
fn the_table_is_the_one_in_the_crates_documentation() {
    let library = include_str!("../src/lib.rs");
    for (name, _) in LAYERS {
        let documented = library.contains(&format!("`{name}`")) || library.contains(&format!("[`{name}`]"));
        assert!(documented, "src/lib.rs does not name `{name}`");
    }
    for line in library.lines().filter(|line| line.contains("mod ") && line.ends_with(';')) {
        let name = line.trim_end_matches(';').rsplit(' ').next().expect("a name");
        assert!(LAYERS.iter().any(|(layer, _)| *layer == name), "`{name}` is not in the table");
    }
}

#[cfg(test)]
mod samples {
    use super::{binary_violations, library_violations, profile_violations};

    fn refused(source: &str, module: &[&str]) {
        assert!(!library_violations(source, module).is_empty(), "not noticed in {module:?}: {source}");
    }

    fn fine(source: &str, module: &[&str]) {
        let found = library_violations(source, module);
        assert!(found.is_empty(), "{found:?} in {module:?}: {source}");
    }

    #[test]
    fn upward_imports() {
        refused("use crate::event_loop::Timer;", &["anet"]);
        refused("use crate::ffi::ae::aeStop;", &["safe"]);
        refused("use crate::safe::EventLoop;", &["ffi", "ae"]);
        refused("use crate::EventLoop;", &["connection", "socket"]);
        refused("use crate::{abi::ae::*, host::{self, Hooks}};", &["sys", "clock"]);
        refused("use super::super::connection::registry;", &["event_loop", "timers"]);
        refused("use super::connection;", &["host"]);
        refused("fn f() { crate::connection::registry::tcp() }", &["event_loop", "backend", "epoll"]);
        refused("mod tests { use super::super::super::ffi::ae; }", &["connection", "unix"]);
        refused("use crate::abi;", &["resp", "parser"]);
        refused("", &["unknown"]);
    }

    #[test]
    fn downward_imports() {
        fine("use crate::{abi::ae::*, host, sys::{self as s, clock}};", &["event_loop", "run"]);
        fine("use super::backend::{Backend, epoll::Epoll};", &["event_loop", "run"]);
        fine("use super::args; use crate::connection::registry;", &["ffi", "connection"]);
        fine("mod tests { use super::*; use super::super::timers; }", &["event_loop", "run"]);
        fine("mod a { fn f() { if x { y } } } use super::args;", &["ffi", "ae"]);
        fine("// crate::ffi::x\n/* crate::ffi /* nested */ crate::ffi */ const A: &str = \"crate::ffi::x\";", &["sys"]);
        fine("const B: &str = r#\"\" crate::ffi::x\"#; fn f<'a>(c: char) { c == '\"' || c == '\\'' } ", &["sys"]);
    }

    #[test]
    fn libc_calls() {
        refused("fn f() { unsafe { libc::close(3) }; }", &["anet"]);
        refused("use libc::{EINTR, close};", &["connection", "socket"]);
        refused("use libc::*;", &["connection", "socket"]);
        refused("fn f() { unsafe { libc::kevent(3) } }", &["event_loop", "backend", "kqueue"]);
        fine("fn f(e: &libc::kevent) {}", &["event_loop", "backend", "kqueue"]);
        fine("fn f() { unsafe { libc::close(3) }; }", &["sys", "fd"]);
        fine("fn f(m: libc::mode_t, v: *const libc::iovec) -> c_int { libc::EINTR }", &["ffi", "anet"]);
    }

    #[test]
    fn profile_flags() {
        let violations = |source, path| profile_violations(source, path).len();
        assert_eq!(violations("#[cfg(abi_v1)] fn f() {}", "ffi/ae"), 0);
        assert_eq!(violations("const A: bool = cfg!(any(abi_redis_8, abi_valkey));", "abi/profile"), 0);
        assert_eq!(violations("#[cfg(abi_redis_8)] fn f() {}", "connection/types/tcp"), 0);
        assert_eq!(violations("#[cfg(abi_redis_8)] fn f() {}", "connection/socket"), 1);
        assert_eq!(violations("const A: bool = cfg!(any(abi_redis_8, abi_valkey));", "event_loop/wait"), 2);
        assert_eq!(violations("#[cfg(abi_valkey)] fn f() {}", "event_loop/polling"), 0);
        assert_eq!(violations("#[cfg(abi_v1)] #[cfg(abi_valkey)] fn f() {}", "event_loop/polling"), 1);
        assert_eq!(violations("fn f() {}", "event_loop/polling"), 1); // an exception that nobody needs
        assert_eq!(violations("// abi_v1", "resp/parser"), 0);
        assert_eq!(violations("#[cfg(abi_v1)] fn f() {}", "abiding"), 1);
    }

    #[test]
    fn binaries() {
        let main = "#![forbid(unsafe_code)]\n";
        let refused =
            |source: &str| assert!(!binary_violations(&format!("{main}{source}"), true).is_empty(), "{source}");
        refused("use ae::event_loop::create;");
        refused("use ae::{EventLoop, ffi::ae};");
        refused("use std::net::TcpStream;");
        refused("fn f() { libc::getpid() }");
        assert!(!binary_violations("fn main() {}", true).is_empty());
        assert_eq!(binary_violations("use ae::{EventLoop, resp::Parser};", false), Vec::<String>::new());
        assert_eq!(binary_violations("#![forbid(unsafe_code)]\nuse std::net::IpAddr;", true), Vec::<String>::new());
    }
}
