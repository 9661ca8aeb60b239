//! Who imports whom in the packages of the server: imports point down, and no file imports itself by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The server's rooms, files or folders, from the bottom up: a file imports from its own room and from those before it.
const ROOMS: [&str; 23] = [
    "glob",
    "log",
    "memory",
    "long_double",
    "files",
    "config",
    "command/flag",
    "command/spec",
    "clients",
    "db",
    "server",
    "observe",
    "command/registry",
    "command/error",
    "command/context",
    "command/declare",
    "commands",
    "command/table",
    "command/dispatch",
    "net",
    "serve",
    "signals",
    "startup",
];

/// Files that are tests and may import anything.
const TESTS: [&str; 5] = ["testing", "commands/properties", "properties", "dict_tests", "parser_tests"];

/// Each file, as its path below src/ without suffix and `mod`, with the files that it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// What a `use` tree names: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str, found: &mut Vec<String>) {
    let Some((before, rest)) = tree.split_once('{') else {
        found.push(tree.split(" as ").next().unwrap_or_default().trim().into());
        return;
    };
    let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inside.char_indices().chain([(inside.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = inside[start..at].trim();
                if !part.is_empty() {
                    expand(&format!("{}{part}", before.trim()), found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The paths that a source names, in `use` and elsewhere. Tests, which come last, and comments are left out.
fn paths(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let source = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    let mut rest = String::new();
    for item in source.split_inclusive(';') {
        match item.rsplit_once("use ") {
            Some((before, tree)) if before.is_empty() || before.ends_with(['\n', ' ']) => {
                expand(tree.trim_end_matches(';'), &mut found);
                rest.push_str(before);
            }
            _ => rest.push_str(item),
        }
    }
    let words = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    found.extend(words.filter(|word| word.contains("::")).map(String::from));
    found
}

/// The file that a path named in the file `own` leads to.
fn target(path: &str, own: &str, is_folder: bool, files: &BTreeSet<String>) -> Option<String> {
    let mut at: Vec<&str> = own.split('/').filter(|part| !part.is_empty()).collect();
    for (place, word) in path.split("::").enumerate() {
        match word {
            "crate" => at.clear(),
            "super" => _ = at.pop(),
            "self" => {}
            // Another package's name, unless it is one of a folder's rooms.
            _ if place == 0 && !is_folder => return None,
            word => at.push(word),
        }
    }
    while !at.is_empty() && !files.contains(&at.join("/")) {
        at.pop();
    }
    Some(at.join("/")).filter(|found| found != own && files.contains(found))
}

fn imports(sources: &BTreeMap<String, (String, bool)>) -> Imports {
    let files: BTreeSet<String> = sources.keys().cloned().collect();
    let of = |own: &str, source: &str, is_folder| {
        paths(source).iter().filter_map(|path| target(path, own, is_folder, &files)).collect()
    };
    sources.iter().map(|(own, (source, is_folder))| (own.clone(), of(own, source, *is_folder))).collect()
}

/// The files that import themselves by way of others, with what lies between: takes away what imports nothing and what
/// nobody imports, again and again.
fn circles(mut imports: Imports) -> Vec<String> {
    loop {
        let before = imports.len();
        let left: BTreeSet<String> = imports.keys().cloned().collect();
        imports.retain(|_, targets| targets.iter().any(|target| left.contains(target)));
        let wanted: BTreeSet<String> = imports.values().flatten().cloned().collect();
        imports.retain(|file, _| wanted.contains(file));
        if imports.len() == before {
            return imports.into_keys().collect();
        }
    }
}

fn read(folder: &Path, prefix: &str, sources: &mut BTreeMap<String, (String, bool)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let module = if prefix.is_empty() { name.into() } else { format!("{prefix}/{name}") };
        if path.is_dir() {
            read(&path, &module, sources);
        } else if !TESTS.contains(&module.as_str()) && name != "main" {
            let is_folder = ["mod", "lib"].contains(&name);
            let module = if is_folder { prefix.into() } else { module };
            sources.insert(module, (std::fs::read_to_string(&path).unwrap(), is_folder));
        }
    }
}

fn imports_of(package: &str) -> Imports {
    let mut sources = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("src"), "", &mut sources);
    imports(&sources)
}

/// The place of a file's room in the list; None for a folder's own root, which lists its rooms.
fn room(file: &str) -> Option<usize> {
    ROOMS.iter().position(|room| file == *room || file.strip_prefix(room).is_some_and(|rest| rest.starts_with('/')))
}

fn upward(imports: &Imports) -> Vec<String> {
    let arrows = imports.iter().flat_map(|(file, targets)| targets.iter().map(move |target| (file, target)));
    let wrong = arrows.filter(|(file, target)| match (room(file), room(target)) {
        (Some(own), Some(other)) => other > own,
        // `lib` and `command` list their rooms.
        (None, _) => false,
        (Some(_), None) => true,
    });
    wrong.map(|(file, target)| format!("{file} imports {target}")).collect()
}

#[test]
fn no_file_imports_itself_by_way_of_others() {
    for package in ["ae-server", "store", "resp", "testkit"] {
        let imports = imports_of(package);
        assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 3, "{package}: {imports:?}");
        assert_eq!(circles(imports), Vec::<String>::new(), "{package}");
    }
}

#[test]
fn imports_point_down() {
    let imports = imports_of("ae-server");
    for file in imports.keys().filter(|file| !["", "command"].contains(&file.as_str())) {
        assert!(room(file).is_some(), "the file {file} is in no room");
    }
    for name in ROOMS {
        assert!(imports.keys().any(|file| file.starts_with(name)), "there is no {name}");
    }
    assert_eq!(upward(&imports), Vec::<String>::new());
}

/// What the tests above would not let pass.
#[test]
fn wrong_imports_are_seen() {
    let sources = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| (name.to_string(), (text.to_string(), name.is_empty())));
        imports(&files.collect())
    };
    let circle = sources(&[
        ("", "mod clients; mod db; mod log;"),
        ("clients/client", "use crate::{log, db::databases::Databases};\nuse std::fmt;"),
        ("db/databases", "fn f() { crate::clients::client::g() }"),
        ("log", "// use crate::db;\n#[cfg(test)]\nmod tests { use crate::db::databases; }"),
    ]);
    assert_eq!(circles(circle.clone()), ["clients/client", "db/databases"]);
    assert_eq!(upward(&circle), ["clients/client imports db/databases"]);
    let parent = sources(&[("", "pub use a::A;\nmod a;"), ("a", "use super::B;\nstruct A;")]);
    assert_eq!(circles(parent), ["", "a"]);
    let fine =
        sources(&[("", "pub use a::A;\nmod a;"), ("a", "use crate::b::B;"), ("b", "use std::io::{self, Read};")]);
    assert_eq!(circles(fine), Vec::<String>::new());
}
