//! Rows of commands with what runs them, and a hash table of them.
//!
//! What runs a command gets the registry, so the rows leave open (`R`) what that is.

use super::spec::Spec;

/// A command, or a subcommand of one, with what runs it.
pub struct Row<R: 'static> {
    pub spec: &'static Spec,
    pub run: R,
    pub subcommands: &'static [Row<R>],
}

impl<R> Row<R> {
    /// The subcommand of that name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Row<R>> {
        self.subcommands.iter().find(|sub| name.eq_ignore_ascii_case(sub.spec.name.as_bytes()))
    }
}

/// A power of two, several times the number of commands so that probing is short.
const SLOTS: usize = 1024;

/// The longest name there is, with room to spare.
pub const NAME_MAX: usize = 32;

/// All commands: in the order of their rows, and in an open-addressing hash table made by the compiler.
pub struct Registry<R: 'static> {
    rows: &'static [Row<R>],
    slots: [Option<&'static Row<R>>; SLOTS],
}

impl<R> Registry<R> {
    pub const fn new(rows: &'static [Row<R>]) -> Registry<R> {
        let mut slots: [Option<&'static Row<R>>; SLOTS] = [None; SLOTS];
        let mut i = 0;
        while i < rows.len() {
            let mut slot = hash(rows[i].spec.name.as_bytes()) % SLOTS;
            while slots[slot].is_some() {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = Some(&rows[i]);
            i += 1;
        }
        Registry { rows, slots }
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

    /// A command, or a subcommand as `client|list`.
    pub fn find_full(&self, name: &[u8]) -> Option<&'static Row<R>> {
        match name.iter().position(|&c| c == b'|') {
            Some(at) => self.find(&name[..at])?.subcommand(&name[at + 1..]),
            None => self.find(name),
        }
    }

    /// Every command.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &'static Row<R>> + use<R> {
        self.rows.iter()
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
