//! The files of a crate, found from its root as the compiler finds them.

use proc_macro2::{TokenStream, TokenTree};
use std::path::{Path, PathBuf};
use syn::{Attribute, Expr, Item, Lit, Meta};

/// A file of a crate.
pub struct Source {
    /// Its path from the crate's `src`.
    pub file: String,
    /// The module that it is; empty for the crate's root.
    pub module: Vec<String>,
    /// Whether only the tests' build has it.
    pub of_tests: bool,
    pub syntax: syn::File,
}

impl Source {
    /// One that is not in any file.
    #[cfg(test)]
    pub fn sample(file: &str, module: &str, text: &str) -> Source {
        let module = module.split("::").filter(|name| !name.is_empty()).map(String::from).collect();
        Source { file: file.into(), module, of_tests: false, syntax: parsed(text) }
    }
}

/// Panics where the text is not Rust.
pub fn parsed(text: &str) -> syn::File {
    syn::parse_file(text).unwrap_or_else(|error| panic!("{error} in: {text}"))
}

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of the workspace's packages, the library's first.
pub fn packages() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository().join("crates")).expect("the folder of packages");
    let mut found: Vec<_> = folder.map(|entry| entry.expect("a folder entry").path()).collect();
    found.sort();
    found.insert(0, repository().to_path_buf());
    found
}

/// The files of the crate whose root is this file. Fails where a module has no file.
pub fn crate_files(root: &Path) -> Vec<Source> {
    let src = root.parent().expect("a folder");
    let mut found = Vec::new();
    read(root, src, Vec::new(), false, src, &mut found);
    found
}

/// Reads a file and those of its modules, which lie in `folder`.
fn read(file: &Path, folder: &Path, module: Vec<String>, of_tests: bool, src: &Path, found: &mut Vec<Source>) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let syntax = parsed(&text);
    let mut below = Vec::new();
    declared(&syntax.items, file, folder, of_tests, &mut below);
    let path = file.strip_prefix(src).expect("a path below src").to_str().expect("a name in UTF-8");
    found.push(Source { file: path.into(), module: module.clone(), of_tests, syntax });
    for (file, folder, names, of_tests) in below {
        read(&file, &folder, [module.clone(), names].concat(), of_tests, src, found);
    }
}

/// The modules in other files: the file, the folder of what it declares itself, the module's path from here, and
/// whether it is of the tests alone.
fn declared(
    items: &[Item],
    file: &Path,
    folder: &Path,
    of_tests: bool,
    found: &mut Vec<(PathBuf, PathBuf, Vec<String>, bool)>,
) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let of_tests = of_tests || only_for_tests(&module.attrs);
        let inside = folder.join(&name);
        if let Some((_, items)) = &module.content {
            let before = found.len();
            declared(items, file, &inside, of_tests, found);
            found[before..].iter_mut().for_each(|(.., names, _)| names.insert(0, name.clone()));
        } else if let Some(path) = path_attribute(&module.attrs) {
            let target = file.parent().expect("a folder").join(path);
            let beside = target.parent().expect("a folder").to_path_buf();
            found.push((target, beside, vec![name], of_tests));
        } else {
            let flat = folder.join(format!("{name}.rs"));
            let target = if flat.exists() { flat } else { inside.join("mod.rs") };
            found.push((target, inside, vec![name], of_tests));
        }
    }
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// Whether there is a `#[cfg(test)]`.
pub fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let words = words(list.tokens.clone());
            words.iter().any(|word| word == "test") && !words.iter().any(|word| word == "not")
        }
        _ => false,
    })
}

/// The names and keywords in tokens, those inside of brackets too, without comments, strings and characters.
pub fn words(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(word) => vec![word.to_string()],
            TokenTree::Group(group) => words(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        })
        .collect()
}

/// Those of a source.
pub fn words_of(text: &str) -> Vec<String> {
    words(text.parse().expect("Rust"))
}

/// Every Rust file below a folder.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a folder entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn every_file_belongs_to_a_crate() {
    for package in packages() {
        let src = package.join("src");
        let roots = ["lib.rs", "main.rs"].map(|name| src.join(name));
        let reached: Vec<_> =
            roots.iter().filter(|root| root.exists()).flat_map(|root| crate_files(root)).map(|it| it.file).collect();
        assert!(!reached.is_empty(), "{} has no root", package.display());
        for file in rust_files(&src) {
            let path = file.strip_prefix(&src).expect("a path below src").to_str().expect("a name in UTF-8");
            assert!(reached.iter().any(|it| it == path), "no module is in {}", file.display());
        }
    }
}

#[test]
fn cfg_test_is_recognized() {
    let is = |text| match &parsed(text).items[0] {
        Item::Mod(module) => only_for_tests(&module.attrs),
        _ => unreachable!("a module"),
    };
    assert!(is("#[cfg(test)] mod tests {}"));
    assert!(is("#[cfg(all(test, unix))] mod tests {}"));
    assert!(!is("#[cfg(not(test))] mod a {}"));
    assert!(!is("#[cfg(abi_v1)] mod a {}"));
}

#[test]
fn modules_lead_to_their_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let src = folder.path();
    for (file, text) in [
        ("lib.rs", "mod a; mod b; mod inline { mod c; } #[path = \"other.rs\"] mod d; #[cfg(test)] mod tests;"),
        ("a.rs", "#[cfg(test)] #[path = \"a_tests.rs\"] mod tests;"),
        ("a_tests.rs", ""),
        ("b/mod.rs", "mod e;"),
        ("b/e.rs", ""),
        ("inline/c.rs", ""),
        ("other.rs", ""),
        ("tests.rs", "mod f;"),
        ("tests/f.rs", ""),
    ] {
        std::fs::create_dir_all(src.join(file).parent().expect("a folder")).expect("a folder");
        std::fs::write(src.join(file), text).expect("a file");
    }
    let found = crate_files(&src.join("lib.rs"));
    let found: Vec<_> = found.iter().map(|it| (it.file.as_str(), it.module.join("::"), it.of_tests)).collect();
    let expected = [
        ("lib.rs", "", false),
        ("a.rs", "a", false),
        ("a_tests.rs", "a::tests", true),
        ("b/mod.rs", "b", false),
        ("b/e.rs", "b::e", false),
        ("inline/c.rs", "inline::c", false),
        ("other.rs", "d", false),
        ("tests.rs", "tests", true),
        ("tests/f.rs", "tests::f", true),
    ];
    assert_eq!(found, expected.map(|(file, module, of_tests)| (file, module.to_string(), of_tests)));
}
