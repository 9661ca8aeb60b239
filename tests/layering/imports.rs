//! Which file of a crate imports which. An item that a module only passes on counts for the file that defines it. A
//! file that lists rooms imports those whose items its own code uses: that it names them is its task. Tests do not
//! count.

use crate::mentions::{Kind, Mention, mentions};
use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use syn::Item;

/// An import, and one path that shows it.
pub type Imports = BTreeMap<(String, String), String>;

/// How many re-exports lead from one to the next at most.
const STEPS: usize = 16;

struct File<'a> {
    source: &'a Source,
    mentions: Vec<Mention>,
    /// The names that its `use` declarations make, `*` for everything, with the paths behind them; none for another
    /// crate's.
    uses: Vec<(String, Option<Vec<String>>)>,
    defined: HashSet<String>,
    /// Whether it declares modules that are files.
    lists_rooms: bool,
}

/// The files of a crate, of several for one module where `cfg` chooses.
struct Crate<'a> {
    files: Vec<File<'a>>,
    modules: HashMap<&'a [String], Vec<usize>>,
}

/// All imports between the files of a crate.
pub fn imports(sources: &[Source]) -> Imports {
    let files: Vec<_> = sources.iter().filter(|source| !source.of_tests).map(File::new).collect();
    let mut modules: HashMap<&[String], Vec<usize>> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        modules.entry(&file.source.module).or_default().push(at);
    }
    let mut house = Crate { files, modules };
    for at in 0..house.files.len() {
        let uses = house.uses_of(at);
        house.files[at].uses = uses;
        let module = &house.files[at].source.module;
        house.files[at].lists_rooms =
            house.modules.keys().any(|other| other.len() == module.len() + 1 && other.starts_with(module));
    }
    let mut found = Imports::new();
    for file in &house.files {
        for (path, target) in house.targets(file) {
            let target = &house.files[target].source.file;
            if *target != file.source.file {
                found.entry((file.source.file.clone(), target.clone())).or_insert_with(|| path.join("::"));
            }
        }
    }
    found
}

impl File<'_> {
    fn new(source: &Source) -> File<'_> {
        let mentions = mentions(&source.syntax).into_iter().filter(|mention| !mention.of_tests).collect();
        let defined = source.syntax.items.iter().filter_map(name_of).collect();
        File { source, mentions, uses: Vec::new(), defined, lists_rooms: false }
    }
}

/// The name that an item of a file defines.
fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        _ => return None,
    };
    Some(name.to_string())
}

impl Crate<'_> {
    /// Where a path of a file leads from the root; `None` for another crate's, and for a name of the file's own.
    fn absolute(&self, file: &File, mention: &Mention) -> Option<Vec<String>> {
        if let Some(path) = mention.absolute(&file.source.module) {
            return Some(path);
        }
        // A module of its own, or a name that `use` has made.
        let mut below = mention.scope(&file.source.module);
        below.push(mention.path[0].clone());
        if self.modules.contains_key(&below[..]) {
            return Some([&below, &mention.path[1..]].concat());
        }
        let (_, path) = file.uses.iter().find(|(name, _)| *name == mention.path[0])?;
        Some([path.as_ref()?, &mention.path[1..]].concat())
    }

    fn uses_of(&self, at: usize) -> Vec<(String, Option<Vec<String>>)> {
        let file = &self.files[at];
        let made = file.mentions.iter().filter_map(|mention| match &mention.kind {
            Kind::Use(name) | Kind::ReExport(name) => Some((name.clone(), self.absolute(file, mention))),
            Kind::Code | Kind::Call => None,
        });
        made.collect()
    }

    /// What a file imports: each path, and the file that it counts for.
    fn targets(&self, file: &File) -> Vec<(Vec<String>, usize)> {
        let words: BTreeSet<&String> = file.mentions.iter().filter(|it| is_code(it)).map(|it| &it.path[0]).collect();
        let mut found = Vec::new();
        for mention in &file.mentions {
            let Some(path) = self.absolute(file, mention) else { continue };
            let by_use = !is_code(mention);
            if let Some((star, module)) = path.split_last()
                && star == "*"
            {
                // By the names that it goes on to use.
                for word in &words {
                    let item = [module, &[word.to_string()]].concat();
                    found.extend(self.definers(&item, STEPS, true).into_iter().map(|target| (item.clone(), target)));
                }
            } else if !(by_use && file.lists_rooms) {
                found.extend(self.definers(&path, STEPS, false).into_iter().map(|target| (path.clone(), target)));
            }
        }
        found
    }

    /// The files that define what a path leads to. With `sure`, none where that cannot be told.
    fn definers(&self, path: &[String], steps: usize, sure: bool) -> Vec<usize> {
        let length = (0..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]));
        let Some(length) = length.filter(|_| steps > 0) else { return Vec::new() };
        let rest = &path[length..];
        let mut found = Vec::new();
        for at in &self.modules[&path[..length]] {
            let file = &self.files[*at];
            let Some(item) = rest.first() else {
                // The module as such: of one that lists rooms the paths through it count instead.
                if !file.lists_rooms {
                    found.push(*at);
                }
                continue;
            };
            if file.defined.contains(item) {
                found.push(*at);
                continue;
            }
            let before = found.len();
            for (_, target) in file.uses.iter().filter(|(name, _)| name == "*") {
                let Some((_, module)) = target.as_ref().and_then(|path| path.split_last()) else { continue };
                found.extend(self.definers(&[module, rest].concat(), steps - 1, true));
            }
            if let Some((_, target)) = file.uses.iter().find(|(name, _)| name == item) {
                let Some(target) = target else { continue };
                found.extend(self.definers(&[target, &rest[1..]].concat(), steps - 1, sure));
            } else if found.len() == before && !sure {
                // A macro has made it there.
                found.push(*at);
            }
        }
        found
    }
}

fn is_code(mention: &Mention) -> bool {
    matches!(mention.kind, Kind::Code | Kind::Call)
}

#[cfg(test)]
pub mod samples {
    use super::imports;
    use crate::source::Source;

    /// The imports of a crate with these files (path, module, text): "from to" each.
    fn found(files: &[(&str, &str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(file, module, text)| Source::sample(file, module, text)).collect();
        imports(&sources).keys().map(|(from, to)| format!("{from} {to}")).collect()
    }

    #[test]
    fn paths_lead_to_files() {
        let files = |text| [("lib.rs", "", "mod a; mod b;"), ("a.rs", "a", text), ("b.rs", "b", "pub fn f() {}")];
        for text in [
            "use crate::b;",
            "use super::b::f;",
            "use crate::b::*; fn g() { f() }",
            "fn g() { crate::b::f() }",
            "fn g() { assert!(super::b::f()) }",
            "mod inside { use super::super::b; }",
        ] {
            assert_eq!(found(&files(text)), ["a.rs b.rs"], "{text}");
        }
        for text in ["#[cfg(test)] mod tests { use crate::b; }", "use self::c; mod c {}", "use std::b;", "fn b() {}"] {
            assert_eq!(found(&files(text)), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_passed_on_counts_for_its_own_file() {
        let files = |user| {
            [
                ("lib.rs", "", "mod a; mod user;"),
                ("a/mod.rs", "a", "mod b; mod c; pub use b::f; pub use c::*; pub use nix::Errno; pub fn here() {}"),
                ("a/b.rs", "a::b", "pub fn f() {}"),
                ("a/c.rs", "a::c", "pub struct G;"),
                ("user.rs", "user", user),
            ]
        };
        assert_eq!(found(&files("use crate::a::f;")), ["user.rs a/b.rs"]);
        assert_eq!(found(&files("use crate::a::G;")), ["user.rs a/c.rs"]);
        assert_eq!(found(&files("use crate::a::here;")), ["user.rs a/mod.rs"]);
        assert_eq!(found(&files("use crate::a; fn x() { a::f() }")), ["user.rs a/b.rs"]);
        assert_eq!(found(&files("use crate::a::*; fn x() { G }")), ["user.rs a/c.rs"]);
        assert_eq!(found(&files("use crate::a::made_by_a_macro;")), ["user.rs a/mod.rs"]);
        assert_eq!(found(&files("use crate::a::Errno;")), [""; 0]);
    }

    #[test]
    fn who_lists_rooms_imports_those_that_it_works_with() {
        let files = |text| [("a/mod.rs", "a", text), ("a/b.rs", "a::b", "pub fn f() {} pub trait T {}")];
        assert_eq!(found(&files("mod b; pub use b::f;")), [""; 0]);
        assert_eq!(found(&files("mod b; use b::f; fn g() { f() }")), ["a/mod.rs a/b.rs"]);
        assert_eq!(found(&files("mod b; fn g() { b::f() }")), ["a/mod.rs a/b.rs"]);
        assert_eq!(found(&files("mod b; use b::*; fn g() { f() }")), ["a/mod.rs a/b.rs"]);
    }
}
