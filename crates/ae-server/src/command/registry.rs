//! Rows of commands with what runs them, and a hash table of them.
//!
//! What runs a command gets the registry, so the rows leave open (`R`) what that is.

use super::flag;
use super::spec::{Keys, Spec};

/// A command, or a subcommand of one, with what runs it.
pub struct Row<R: 'static> {
    pub spec: Spec,
    pub run: R,
    pub subcommands: &'static [Row<R>],
}

/// Rows under the name of the group that COMMAND DOCS reports for them.
pub type Group<R> = (&'static str, &'static [&'static [Row<R>]]);

impl<R: Copy> Row<R> {
    pub const fn with_subcommands(mut self, subcommands: &'static [Row<R>]) -> Row<R> {
        self.subcommands = subcommands;
        self
    }

    pub const fn with_keys(mut self, keys: Keys) -> Row<R> {
        self.spec.keys = keys;
        self
    }

    /// The subcommand of that name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Row<R>> {
        self.subcommands.iter().find(|sub| name.eq_ignore_ascii_case(sub.spec.name.as_bytes()))
    }
}

/// A power of two, several times the number of commands so that probing is short.
const SLOTS: usize = 512;

/// The longest name there is, with room to spare.
pub const NAME_MAX: usize = 32;

/// All commands: by group, and in an open-addressing hash table made by the compiler.
pub struct Registry<R: 'static> {
    groups: &'static [Group<R>],
    slots: [Option<&'static Row<R>>; SLOTS],
}

impl<R> Registry<R> {
    pub const fn new(groups: &'static [Group<R>]) -> Registry<R> {
        let mut slots: [Option<&'static Row<R>>; SLOTS] = [None; SLOTS];
        let mut group = 0;
        while group < groups.len() {
            let mut part = 0;
            while part < groups[group].1.len() {
                let rows = groups[group].1[part];
                let mut i = 0;
                while i < rows.len() {
                    let mut slot = hash(rows[i].spec.name.as_bytes()) % SLOTS;
                    while slots[slot].is_some() {
                        slot = (slot + 1) % SLOTS;
                    }
                    slots[slot] = Some(&rows[i]);
                    i += 1;
                }
                part += 1;
            }
            group += 1;
        }
        Registry { groups, slots }
    }

    /// The command of that name, in any case.
    pub fn find(&self, name: &[u8]) -> Option<&'static Row<R>> {
        if name.len() > NAME_MAX {
            return None;
        }
        let mut slot = hash(name) % SLOTS;
        while let Some(row) = self.slots[slot] {
            if name.eq_ignore_ascii_case(row.spec.name.as_bytes()) {
                return Some(row);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }

    /// Every command with its group, except hidden ones.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &'static Row<R>)> + use<R> {
        let rows = self
            .groups
            .iter()
            .flat_map(|(group, parts)| parts.iter().flat_map(move |rows| rows.iter().map(move |row| (*group, row))));
        rows.filter(|(_, row)| row.spec.flags & flag::HIDDEN == 0)
    }
}

/// FNV-1a. Setting bit 5 makes capitals small; what it does to other bytes does not matter here.
const fn hash(name: &[u8]) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut i = 0;
    while i < name.len() {
        hash = (hash ^ (name[i] | 0x20) as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    (hash ^ (hash >> 32)) as usize
}
