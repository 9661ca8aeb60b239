//! Commands that `rename-command` gives other names, or takes away.

use super::spec::SPECS;
use crate::config::groups::RenameLine;
use std::collections::{HashMap, HashSet};

/// Which commands have other names. Only clients use those; rights, logs and replies go by the own names.
#[derive(Default)]
pub struct Renames {
    /// The commands' own names by their new ones, in lower case.
    original: HashMap<Vec<u8>, &'static str>,
    /// Own names that are no longer in force.
    hidden: HashSet<&'static str>,
}

impl Renames {
    /// The error is one line for the operator.
    pub fn new(lines: &[RenameLine]) -> Result<Renames, String> {
        let mut renames = Renames::default();
        for RenameLine { from, to, place } in lines {
            let text = String::from_utf8_lossy;
            renames
                .add(from, to)
                .map_err(|error| format!("{place}: 'rename-command {} {}': {error}", text(from), text(to)))?;
        }
        Ok(renames)
    }

    /// The error is in Redis's words.
    fn add(&mut self, from: &[u8], to: &[u8]) -> Result<(), &'static str> {
        let name = self.own_name(from).and_then(find).ok_or("No such command in rename-command")?;
        self.original.remove(&from.to_ascii_lowercase());
        self.hidden.insert(name);
        if !to.is_empty() {
            if self.own_name(to).and_then(find).is_some() {
                return Err("Target command name already exists");
            }
            self.original.insert(to.to_ascii_lowercase(), name);
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.hidden.is_empty()
    }

    /// The own name of the command that a client calls so; none if clients cannot call it by that name.
    pub fn own_name<'a>(&self, name: &'a [u8]) -> Option<&'a [u8]> {
        if self.is_empty() { Some(name) } else { self.renamed(name) }
    }

    #[cold]
    fn renamed<'a>(&self, name: &'a [u8]) -> Option<&'a [u8]> {
        match self.original.get(&name.to_ascii_lowercase()) {
            Some(original) => Some(original.as_bytes()),
            None => Some(name).filter(|_| find(name).is_none_or(|own| !self.hidden.contains(own))),
        }
    }

    /// Whether clients can call a command by any name.
    pub fn shows(&self, own_name: &str) -> bool {
        !self.hidden.contains(own_name) || self.original.values().any(|name| *name == own_name)
    }
}

/// The command of that name, in any case.
fn find(name: &[u8]) -> Option<&'static str> {
    let commands = SPECS.iter().filter(|spec| spec.parent.is_none());
    commands.map(|spec| spec.name).find(|own| name.eq_ignore_ascii_case(own.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renames(pairs: &[(&str, &str)]) -> Result<Renames, String> {
        let line = |(from, to): &(&str, &str)| RenameLine {
            from: from.as_bytes().into(),
            to: to.as_bytes().into(),
            place: "here".into(),
        };
        Renames::new(&pairs.iter().map(line).collect::<Vec<_>>())
    }

    #[test]
    fn names() {
        let some = renames(&[("CONFIG", "Secret"), ("flushall", ""), ("get", "config")]).unwrap();
        assert_eq!(some.own_name(b"SECRET"), Some(&b"config"[..]));
        assert_eq!(some.own_name(b"Config"), Some(&b"get"[..]));
        assert_eq!(some.own_name(b"get"), None);
        assert_eq!(some.own_name(b"FLUSHALL"), None);
        assert_eq!(some.own_name(b"set"), Some(&b"set"[..]));
        assert!(some.shows("get") && some.shows("config") && some.shows("set") && !some.shows("flushall"));
    }

    #[test]
    fn a_new_name_may_be_given_to_another_one() {
        let twice = renames(&[("get", "x"), ("x", "Y")]).unwrap();
        // That is no command any more.
        assert_eq!(twice.own_name(b"x"), Some(&b"x"[..]));
        assert_eq!(twice.own_name(b"y"), Some(&b"get"[..]));
        assert_eq!(twice.own_name(b"get"), None);
    }

    #[test]
    fn what_is_refused() {
        for (pairs, reason) in [
            (&[("nosuch", "x")][..], "No such command in rename-command"),
            (&[("get", ""), ("get", "x")], "No such command in rename-command"),
            (&[("get", "SET")], "Target command name already exists"),
            (&[("get", "x"), ("set", "X")], "Target command name already exists"),
        ] {
            let (from, to) = pairs.last().unwrap();
            let error = format!("here: 'rename-command {from} {to}': {reason}");
            assert_eq!(renames(pairs).err(), Some(error));
        }
    }
}
