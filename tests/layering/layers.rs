//! Imports of the library point down only, and raw libc calls live in `sys`.

use crate::mentions::{Kind, mentions};
use crate::source::{Source, crate_files, repository};

/// Each module of the library and what it may import.
pub const LAYERS: [(&str, &[&str]); 8] = [
    ("abi", &[]),
    ("sys", &[]),
    ("host", &["abi", "sys"]),
    ("anet", &["abi", "sys"]),
    ("event_loop", &["abi", "sys", "host"]),
    ("connection", &["abi", "sys", "host", "anet", "event_loop"]),
    ("safe", &["abi", "sys", "host", "anet", "event_loop", "connection"]),
    ("ffi", &["abi", "sys", "host", "anet", "event_loop", "connection"]),
];

/// The only module that calls libc itself.
const CALLS_LIBC: &str = "sys";

/// What the safe API may not mention: errors come to it as a `Result`, not through errno or a function for C.
const FOR_C: [&[&str]; 2] = [&["Errno", "last"], &["ConnectionType"]];

/// What only `sys` may take from the standard library: tools that look for data races know the C library's locks, which
/// `sys::mutex::Locked` is made of, and not these.
const LOCKS: [&[&str]; 3] = [&["sync", "Mutex"], &["sync", "RwLock"], &["sync", "Condvar"]];

/// Types of libc, which any module may name. Its constants are in capitals.
const LIBC_TYPES: [&str; 8] =
    ["epoll_event", "iovec", "kevent", "mode_t", "pollfd", "pthread_mutex_t", "ssize_t", "timeval"];

fn ends_with(path: &[String], names: &[&str]) -> bool {
    path.len() >= names.len() && path[path.len() - names.len()..] == *names
}

/// What a file of the library does that its layer may not.
fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let own = source.module[0].as_str();
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == own) else {
        return vec![format!("the module `{own}` is not in the table of layers")];
    };
    for mention in mentions(&source.syntax) {
        if let Some(path) = mention.absolute(&source.module) {
            // The root has modules and, for users, what `safe` offers.
            let Some(first) = path.first() else { continue };
            let target = LAYERS.iter().map(|(name, _)| *name).find(|name| name == first).unwrap_or("safe");
            if target != own && !allowed.contains(&target) {
                found.push(format!("`{own}` may not import `{}`", path.join("::")));
            }
        }
        if own == "safe" && FOR_C.iter().any(|names| ends_with(&mention.path, names)) {
            found.push(format!("`{}` is for C", mention.path.join("::")));
        }
        if own != CALLS_LIBC && LOCKS.iter().any(|names| ends_with(&mention.path, names)) {
            found.push(format!("`{}`: the library's locks are `Locked`", mention.path.join("::")));
        }
        if own != CALLS_LIBC && mention.path[0] == "libc" {
            let name = mention.path.last().expect("a name");
            let is_constant = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            if !is_constant && !LIBC_TYPES.contains(&name.as_str()) {
                found.push(format!("`libc::{name}` belongs to `{CALLS_LIBC}`"));
            }
            // A name may be a type and a function.
            if mention.kind == Kind::Call {
                found.push(format!("`libc::{name}` is called outside `{CALLS_LIBC}`"));
            }
        }
    }
    found
}

#[test]
fn imports_point_down() {
    let files = crate_files(&repository().join("src/lib.rs"));
    let files: Vec<_> = files.iter().filter(|source| !source.module.is_empty()).collect();
    assert!(files.len() > 5, "only {} files were seen", files.len());
    let found: Vec<_> = files
        .iter()
        .flat_map(|source| violations(source).into_iter().map(|text| format!("  src/{}: {text}", source.file)))
        .collect();
    assert!(found.is_empty(), "the layering rule (src/lib.rs) is broken:\n{}", found.join("\n"));
}

#[test]
fn the_table_is_the_one_in_the_crates_documentation() {
    let library = include_str!("../../src/lib.rs");
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
    use super::violations;
    use crate::source::Source;

    fn refused(text: &str, module: &str) {
        assert!(!violations(&Source::sample("", module, text)).is_empty(), "not noticed in {module}: {text}");
    }

    fn fine(text: &str, module: &str) {
        let found = violations(&Source::sample("", module, text));
        assert!(found.is_empty(), "{found:?} in {module}: {text}");
    }

    #[test]
    fn upward_imports() {
        refused("use crate::event_loop::Timer;", "anet");
        refused("use crate::ffi::ae::aeStop;", "safe");
        refused("use crate::safe::EventLoop;", "ffi::ae");
        refused("use crate::EventLoop;", "connection::socket");
        refused("use crate::{abi::ae::*, host::{self, Hooks}};", "sys::clock");
        refused("use super::super::connection::registry;", "event_loop::timers");
        refused("use super::connection;", "host");
        refused("fn f() { crate::connection::registry::tcp() }", "event_loop::backend::epoll");
        refused("fn f() { debug_assert!(crate::connection::registry::tcp().is_null()) }", "event_loop::backend::epoll");
        refused("mod tests { use super::super::super::ffi::ae; }", "connection::unix");
        refused("", "unknown");
    }

    #[test]
    fn downward_imports() {
        fine("use crate::{abi::ae::*, host, sys::{self as s, clock}};", "event_loop::run");
        fine("use super::backend::{Backend, epoll::Epoll};", "event_loop::run");
        fine("use super::args; use crate::connection::registry;", "ffi::connection");
        fine("mod tests { use super::*; use super::super::timers; }", "event_loop::run");
        fine("mod a { fn f() { if x { y } } } use super::args;", "ffi::ae");
        fine("// crate::ffi::x\n/* crate::ffi /* nested */ crate::ffi */ const A: &str = \"crate::ffi::x\";", "sys");
        fine("const B: &str = r#\"\" crate::ffi::x\"#; fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' } ", "sys");
    }

    #[test]
    fn errors_of_the_safe_api() {
        refused("fn f() { Err(Errno::last()) }", "safe::connection");
        refused("use crate::abi::connection::ConnectionType;", "safe::listener");
        fine("fn f() { Err(Errno::EBADF) }", "safe::connection");
        fine("fn f() { Err(Errno::last()) }", "sys::resolve");
    }

    #[test]
    fn locks() {
        refused("use std::sync::{Arc, Mutex};", "connection::registry");
        refused("static X: std::sync::RwLock<()> = std::sync::RwLock::new(());", "event_loop::threads");
        fine("use std::sync::Mutex;", "sys::edges");
    }

    #[test]
    fn libc_calls() {
        refused("fn f() { unsafe { libc::close(3) }; }", "anet");
        refused("use libc::{EINTR, close};", "connection::socket");
        refused("use libc::*;", "connection::socket");
        refused("fn f() { unsafe { libc::kevent(3) } }", "event_loop::backend::kqueue");
        refused("fn f() { assert_eq!(unsafe { libc::kevent(3) }, 0) }", "event_loop::backend::kqueue");
        fine("fn f(e: &libc::kevent) {}", "event_loop::backend::kqueue");
        fine("fn f() { unsafe { libc::close(3) }; }", "sys::fd");
        fine("fn f(m: libc::mode_t, v: *const libc::iovec) -> c_int { libc::EINTR }", "ffi::anet");
    }
}
