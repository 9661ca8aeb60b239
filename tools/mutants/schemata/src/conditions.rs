//! Which parts of a source the build leaves out.

use std::collections::BTreeSet;
use syn::{Attribute, Expr, Lit, Meta, Token, punctuated::Punctuated};

/// What `rustc --print cfg` prints, a line each: `unix`, `target_os="linux"`.
pub struct Conditions(BTreeSet<String>);

impl Conditions {
    pub fn new(lines: &str) -> Self {
        Self(lines.lines().map(|line| line.trim().to_string()).collect())
    }

    /// Whether what has these attributes is part of the build, and not of its tests.
    pub fn keep(&self, attributes: &[Attribute]) -> bool {
        attributes.iter().all(|attribute| {
            if attribute.path().is_ident("test") {
                return false;
            }
            !attribute.path().is_ident("cfg") || attribute.parse_args::<Meta>().is_ok_and(|meta| self.hold(&meta))
        })
    }

    fn hold(&self, meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.get_ident().is_some_and(|name| self.0.contains(&name.to_string())),
            Meta::NameValue(pair) => {
                let Expr::Lit(value) = &pair.value else { return false };
                let (Some(name), Lit::Str(value)) = (pair.path.get_ident(), &value.lit) else { return false };
                self.0.contains(&format!("{name}=\"{}\"", value.value()))
            }
            Meta::List(list) => {
                let Ok(inner) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated) else {
                    return false;
                };
                match list.path.get_ident().map(|name| name.to_string()).as_deref() {
                    Some("not") => !inner.iter().any(|one| self.hold(one)),
                    Some("any") => inner.iter().any(|one| self.hold(one)),
                    _ => inner.iter().all(|one| self.hold(one)),
                }
            }
        }
    }
}
