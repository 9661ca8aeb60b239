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
            let mut slot = slot_of(rows[i].spec.name.as_bytes());
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
        let mut slot = slot_of(name);
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

/// Where a name is looked for first. Two pieces of four bytes, which overlap in most names, tell nearly all of them apart
/// without a loop. Setting bit 5 makes capitals small; what it does to other bytes does not matter here.
const fn slot_of(name: &[u8]) -> usize {
    const SMALL: u64 = u64::from_le_bytes([0x20; 8]);
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (first, last) = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first), u32::from_le_bytes(*last)),
        _ => match *name {
            [] => (0, 0),
            [first, ..] => (
                u32::from_le_bytes([first, 0, 0, 0]),
                u32::from_le_bytes([name[name.len() / 2], 0, 0, name[name.len() - 1]]),
            ),
        },
    };
    let mixed = ((first as u64) << 32 | last as u64 | SMALL).wrapping_add(name.len() as u64).wrapping_mul(FACTOR);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}
