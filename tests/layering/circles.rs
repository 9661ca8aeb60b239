//! No files of a crate import each other in a circle.

use crate::imports::{Imports, imports};
use crate::source::{crate_files, packages, repository};
use crate::still_open::CIRCLES;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The sets of files that all lead to each other.
fn circles(imports: &Imports) -> Vec<BTreeSet<&str>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in imports.keys() {
        next.entry(from).or_default().push(to);
    }
    let reached = |from| {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = vec![from];
        while let Some(file) = open.pop() {
            open.extend(next.get(file).into_iter().flatten().filter(|to| seen.insert(**to)));
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|from| (*from, reached(from))).collect();
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for (file, all) in &reach {
        let leads_back = |to: &&str| reach.get(to).is_some_and(|all| all.contains(file));
        let circle: BTreeSet<_> = all.iter().copied().filter(leads_back).collect();
        if !circle.is_empty() && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// A circle, with what its files import of each other.
fn shown(circle: &BTreeSet<&str>, imports: &Imports) -> String {
    let inside = imports.iter().filter(|((from, to), _)| circle.contains(&from[..]) && circle.contains(&to[..]));
    let lines: Vec<_> = inside.map(|((from, to), path)| format!("    {from} -> {to} ({path})")).collect();
    format!("  {:?}\n{}", circle, lines.join("\n"))
}

/// What is wrong in a crate, given the circles that are known to be open.
fn violations(imports: &Imports, known: &[&[&str]]) -> Vec<String> {
    let circles = circles(imports);
    let is_known = |circle: &&BTreeSet<&str>| known.iter().any(|files| circle.iter().all(|file| files.contains(file)));
    let new = circles.iter().filter(|circle| !is_known(circle)).map(|circle| shown(circle, imports));
    let files = known.iter().flat_map(|files| files.iter());
    let opened = files.filter(|file| circles.iter().all(|circle| !circle.contains(*file)));
    new.chain(opened.map(|file| format!("  {file} is in no circle: take it out of CIRCLES"))).collect()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for (name, _) in CIRCLES {
        assert!(repository().join(name).join("src").is_dir(), "{name} of CIRCLES is no package");
    }
    let mut found = Vec::new();
    for package in packages() {
        let src = package.join("src");
        let root = ["lib.rs", "main.rs"].map(|name| src.join(name)).into_iter().find(|root| root.exists());
        let name = package.strip_prefix(repository()).ok().and_then(|path| path.to_str()).expect("a name in UTF-8");
        let known: Vec<&[&str]> = CIRCLES.iter().filter(|(of, _)| *of == name).map(|(_, files)| *files).collect();
        let problems = violations(&imports(&crate_files(&root.expect("a root"))), &known);
        if !problems.is_empty() {
            let src = Path::new(name).join("src");
            found.push(format!("in {}:\n{}", src.display(), problems.join("\n")));
        }
    }
    assert!(found.is_empty(), "files import each other in a circle:\n{}", found.join("\n"));
}

#[cfg(test)]
mod samples {
    use super::{Imports, circles, violations};

    fn imports(pairs: &[(&str, &str)]) -> Imports {
        pairs.iter().map(|(from, to)| ((from.to_string(), to.to_string()), String::new())).collect()
    }

    #[test]
    fn circles_are_found_whole() {
        let found = imports(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("f", "a")]);
        let found: Vec<Vec<_>> = circles(&found).into_iter().map(|circle| circle.into_iter().collect()).collect();
        assert_eq!(found, [vec!["a", "b", "c"], vec!["d", "e"]]);
        assert!(circles(&imports(&[("a", "b"), ("a", "c"), ("b", "c")])).is_empty());
    }

    #[test]
    fn they_are_refused_unless_known_and_no_longer_than_needed() {
        let circle = imports(&[("a", "b"), ("b", "a")]);
        assert_eq!(violations(&circle, &[]).len(), 1);
        assert_eq!(violations(&circle, &[&["a", "b"]]).len(), 0);
        assert_eq!(violations(&circle, &[&["a"], &["b"]]).len(), 1);
        assert_eq!(violations(&circle, &[&["a", "b", "c"]]).len(), 1); // c has left it
        assert_eq!(violations(&imports(&[("a", "b")]), &[&["a", "b"]]).len(), 2);
    }
}
