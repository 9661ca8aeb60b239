//! The paths that a file mentions, with what it does with them.

use crate::source::only_for_tests;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprCall, Item, ItemMod, ItemUse, Macro, UseTree, VisRestricted, Visibility};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By `use`, under this name: `*` for everything, `_` for none.
    Use(String),
    /// The same, for others as well.
    ReExport(String),
    Code,
    Call,
}

/// A path as it is written, `use` trees spelled out.
#[derive(Clone, Debug)]
pub struct Mention {
    pub path: Vec<String>,
    pub kind: Kind,
    /// The modules of the file around it.
    inside: Vec<String>,
    pub of_tests: bool,
}

impl Mention {
    /// Where it leads from the crate's root, if it begins with `crate`, `self` or `super`. `module` is the file's.
    pub fn absolute(&self, module: &[String]) -> Option<Vec<String>> {
        let mut found = match self.path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.scope(module),
            _ => return None,
        };
        for word in &self.path {
            match word.as_str() {
                "crate" | "self" => {}
                "super" => drop(found.pop()),
                _ => found.push(word.clone()),
            }
        }
        Some(found)
    }

    /// The module that it stands in.
    pub fn scope(&self, module: &[String]) -> Vec<String> {
        [module, &self.inside].concat()
    }
}

/// All of a file's.
pub fn mentions(file: &syn::File) -> Vec<Mention> {
    let mut reader = Reader { found: Vec::new(), inside: Vec::new(), tests: 0 };
    reader.visit_file(file);
    reader.found
}

struct Reader {
    found: Vec<Mention>,
    inside: Vec<String>,
    /// How many `cfg(test)` are around.
    tests: usize,
}

impl Reader {
    fn add(&mut self, path: Vec<String>, kind: Kind) {
        self.found.push(Mention { path, kind, inside: self.inside.clone(), of_tests: self.tests > 0 });
    }

    fn tree(&mut self, tree: &UseTree, mut path: Vec<String>, kind: fn(String) -> Kind) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.tree(&step.tree, path, kind);
            }
            UseTree::Name(last) => {
                path.push(last.ident.to_string());
                self.leaf(path, None, kind);
            }
            UseTree::Rename(last) => {
                path.push(last.ident.to_string());
                self.leaf(path, Some(last.rename.to_string()), kind);
            }
            UseTree::Glob(_) => {
                path.push("*".into());
                self.leaf(path, None, kind);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, path.clone(), kind)),
        }
    }

    fn leaf(&mut self, mut path: Vec<String>, name: Option<String>, kind: fn(String) -> Kind) {
        // `a::{self}` is `a`.
        if path.len() > 1 {
            path.pop_if(|last| last == "self");
        }
        let name = name.unwrap_or_else(|| path.last().expect("a name").clone());
        self.add(path, kind(name));
    }

    /// The paths in tokens that syn leaves as they are: a macro's, and an attribute's.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        // Colons since the last word.
        let mut colons = 0;
        for token in tokens {
            match &token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(word) => {
                    if colons != 2 {
                        self.end(&mut path, Kind::Code);
                    }
                    path.push(word.to_string());
                }
                TokenTree::Group(group) => {
                    let is_call = group.delimiter() == Delimiter::Parenthesis && colons == 0;
                    self.end(&mut path, if is_call { Kind::Call } else { Kind::Code });
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.end(&mut path, Kind::Code),
            }
            colons = 0;
        }
        self.end(&mut path, Kind::Code);
    }

    fn end(&mut self, path: &mut Vec<String>, kind: Kind) {
        if !path.is_empty() {
            self.add(std::mem::take(path), kind);
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a Item) {
        let of_tests = usize::from(only_for_tests(attributes(item)));
        self.tests += of_tests;
        visit::visit_item(self, item);
        self.tests -= of_tests;
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        let of_tests = usize::from(only_for_tests(&function.attrs));
        self.tests += of_tests;
        visit::visit_impl_item_fn(self, function);
        self.tests -= of_tests;
    }

    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        self.inside.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        let kind = if matches!(item.vis, Visibility::Inherited) { Kind::Use } else { Kind::ReExport };
        self.tree(&item.tree, Vec::new(), kind);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        self.add(path.segments.iter().map(|segment| segment.ident.to_string()).collect(), Kind::Code);
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        if let Expr::Path(function) = &*call.func {
            self.add(function.path.segments.iter().map(|segment| segment.ident.to_string()).collect(), Kind::Call);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        visit::visit_macro(self, called);
        self.tokens(called.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'a Attribute) {}

    // `pub(super)` imports nothing.
    fn visit_vis_restricted(&mut self, _: &'a VisRestricted) {}
}

#[cfg(test)]
mod samples {
    use super::{Kind, mentions};
    use crate::source::parsed;

    fn found(text: &str) -> Vec<String> {
        let module = ["a".to_string(), "b".to_string()];
        mentions(&parsed(text)).iter().filter_map(|it| it.absolute(&module)).map(|path| path.join("::")).collect()
    }

    #[test]
    fn trees_and_roots() {
        assert_eq!(found("use crate::{c::*, d::{self, E as F}};"), ["c::*", "d", "d::E"]);
        assert_eq!(found("use super::c; use self::d; use super::super::e;"), ["a::c", "a::b::d", "e"]);
        assert_eq!(found("mod tests { use super::*; }"), ["a::b::*"]);
        assert_eq!(found("pub(super) fn f(a: &crate::c::D<super::E>) {}"), ["c::D", "a::E"]);
        assert_eq!(found("fn f() { println!(\"crate::no\", crate::c::d(super::E { x: 1 })) }"), ["c::d", "a::E"]);
        assert_eq!(found("macro_rules! m { ($a:ident) => { $crate::c::$a(crate::d) } }"), ["c", "d"]);
    }

    #[test]
    fn tests_are_marked() {
        let of_tests = |text| mentions(&parsed(text)).iter().all(|it| it.of_tests);
        assert!(of_tests("#[cfg(test)] mod tests { use super::*; fn f() { crate::a::b() } }"));
        assert!(of_tests("#[cfg(test)] use crate::a;"));
        assert!(!of_tests("use crate::a; #[cfg(test)] mod tests {}"));
    }

    #[test]
    fn calls() {
        let calls =
            |text| mentions(&parsed(text)).iter().any(|it| it.kind == Kind::Call && it.path == ["libc", "close"]);
        assert!(calls("fn f() { libc::close(1) }"));
        assert!(calls("fn f() { assert!(libc::close(1) == 0) }"));
        assert!(!calls("fn f() { g(libc::close) }"));
    }
}
