//! What the library shares among threads is free in the child of a fork.

use crate::source::{parsed, repository, rust_files};
use syn::visit::{self, Visit};
use syn::{ItemStatic, Path, Type};

/// Locks that a fork copies as they are. `sys` has those that forks hold.
const LOCKS: [&str; 5] = ["Locked", "Mutex", "RwLock", "LazyLock", "OnceLock"];

/// The statics of a file that another thread may have locked in a child.
#[derive(Default)]
struct Finder {
    found: Vec<String>,
}

struct Names(bool);

impl<'a> Visit<'a> for Names {
    fn visit_path(&mut self, path: &'a Path) {
        self.0 |= path.segments.iter().any(|segment| LOCKS.iter().any(|lock| segment.ident == lock));
        visit::visit_path(self, path);
    }
}

fn names_a_lock(of: &Type) -> bool {
    let mut names = Names(false);
    names.visit_type(of);
    names.0
}

impl<'a> Visit<'a> for Finder {
    fn visit_item_static(&mut self, item: &'a ItemStatic) {
        if names_a_lock(&item.ty) {
            self.found.push(item.ident.to_string());
        }
        visit::visit_item_static(self, item);
    }
}

fn violations(text: &str) -> Vec<String> {
    let mut finder = Finder::default();
    finder.visit_file(&parsed(text));
    finder.found
}

#[test]
fn forks_hold_what_is_shared() {
    let src = repository().join("src");
    let mut found = Vec::new();
    for file in rust_files(&src).iter().filter(|file| !file.starts_with(src.join("sys"))) {
        let text = std::fs::read_to_string(file).expect("a source");
        found.extend(violations(&text).into_iter().map(|name| format!("  {}: {name}", file.display())));
    }
    assert!(found.is_empty(), "a child of a fork may find them locked: make them `Shared`\n{}", found.join("\n"));
}

#[test]
fn samples() {
    assert_eq!(violations("static A: Locked<u8> = Locked::new(1);"), ["A"]);
    assert_eq!(violations("fn f() { static A: [std::sync::Mutex<u8>; 1] = [Mutex::new(1)]; }"), ["A"]);
    assert!(violations("static A: Shared<u8> = Shared::new(1); struct B(Locked<u8>);").is_empty());
}
