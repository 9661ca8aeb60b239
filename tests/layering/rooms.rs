//! A `mod.rs` lists its rooms and does no work; and it is the root of every folder, so that there is no `x.rs` beside
//! `x/`.

use crate::source::{only_for_tests, packages, parsed, repository, rust_files};
use crate::still_open::{BESIDE_THEIR_FOLDERS, WORKING_MODS};
use std::collections::BTreeSet;
use std::path::Path;
use syn::Item;

/// What is in the text of a `mod.rs` and is neither a module nor a `use`.
fn work(text: &str) -> Vec<&'static str> {
    let kind = |item: &Item| match item {
        Item::Mod(module) if module.content.is_none() || only_for_tests(&module.attrs) => None,
        Item::Use(_) => None,
        Item::Mod(_) => Some("mod {}"),
        Item::Const(_) => Some("const"),
        Item::Enum(_) => Some("enum"),
        Item::Fn(_) => Some("fn"),
        Item::Impl(_) => Some("impl"),
        Item::Macro(_) => Some("a macro"),
        Item::Static(_) => Some("static"),
        Item::Struct(_) => Some("struct"),
        Item::Trait(_) => Some("trait"),
        Item::Type(_) => Some("type"),
        _ => Some("another item"),
    };
    let found: BTreeSet<_> = parsed(text).items.iter().filter_map(kind).collect();
    found.into_iter().collect()
}

fn is_beside_its_folder(file: &Path) -> bool {
    file.with_extension("").is_dir()
}

/// The files for which something holds, as paths from the repository's root, with what there is to say of them.
fn files_that(tell: impl Fn(&Path) -> Option<String>) -> Vec<(String, String)> {
    let files = packages().into_iter().flat_map(|package| rust_files(&package.join("src")));
    let found = files.filter_map(|file| {
        let said = tell(&file)?;
        let path = file.strip_prefix(repository()).expect("a path of the repository");
        Some((path.to_str().expect("a name in UTF-8").to_string(), said))
    });
    found.collect()
}

/// What is found and not known, and what is known and not found.
fn violations(found: &[(String, String)], known: &[&str], list: &str) -> Vec<String> {
    let new = found.iter().filter(|(file, _)| !known.contains(&file.as_str()));
    let settled = known.iter().filter(|file| !found.iter().any(|(there, _)| there == *file));
    let new = new.map(|(file, said)| format!("  {file}: {said}"));
    new.chain(settled.map(|file| format!("  {file} keeps the rule: take it out of {list}"))).collect()
}

#[test]
fn a_mod_lists_rooms_and_does_no_work() {
    let found = files_that(|file| {
        let found =
            if file.ends_with("mod.rs") { work(&std::fs::read_to_string(file).expect("a source")) } else { Vec::new() };
        (!found.is_empty()).then(|| format!("has {}", found.join(", ")))
    });
    let found = violations(&found, &WORKING_MODS, "WORKING_MODS");
    assert!(found.is_empty(), "a mod.rs does work:\n{}", found.join("\n"));
}

#[test]
fn the_root_of_a_folder_is_its_mod() {
    let found = files_that(|file| is_beside_its_folder(file).then(|| "a folder of this name is beside it".into()));
    let found = violations(&found, &BESIDE_THEIR_FOLDERS, "BESIDE_THEIR_FOLDERS");
    assert!(found.is_empty(), "the root of a folder is its mod.rs:\n{}", found.join("\n"));
}

#[cfg(test)]
mod samples {
    use super::{is_beside_its_folder, violations, work};

    #[test]
    fn work_is_noticed() {
        let rooms = "//! Rooms.\nmod a;\n#[cfg(x)] pub(crate) mod b;\npub use a::A;\nuse b::*;\n#[cfg(test)] mod tests { fn f() {} }";
        assert_eq!(work(rooms), [""; 0]);
        for (item, kind) in [
            ("fn f() {}", "fn"),
            ("struct A;", "struct"),
            ("enum A {}", "enum"),
            ("trait A {}", "trait"),
            ("impl A {}", "impl"),
            ("const A: u8 = 1;", "const"),
            ("static A: u8 = 1;", "static"),
            ("type A = u8;", "type"),
            ("macro_rules! a { () => {} }", "a macro"),
            ("mod c { fn f() {} }", "mod {}"),
            ("union A { a: u8 }", "another item"),
        ] {
            assert_eq!(work(&format!("{rooms}\n{item}")), [kind]);
        }
    }

    #[test]
    fn a_file_beside_its_folder_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("a")).expect("a folder");
        assert!(is_beside_its_folder(&folder.path().join("a.rs")));
        assert!(!is_beside_its_folder(&folder.path().join("a/mod.rs")));
        assert!(!is_beside_its_folder(&folder.path().join("b.rs")));
    }

    #[test]
    fn exceptions_are_named_and_no_longer_than_needed() {
        let found = [("a".to_string(), "has fn".to_string())];
        assert_eq!(violations(&found, &[], "LIST"), ["  a: has fn"]);
        assert_eq!(violations(&found, &["a"], "LIST"), [""; 0]);
        assert_eq!(violations(&[], &["a"], "LIST"), ["  a keeps the rule: take it out of LIST"]);
    }
}
