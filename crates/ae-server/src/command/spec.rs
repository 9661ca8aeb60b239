//! What a command is: its name, arity, flags and keys. What runs it is not here, so that everybody may know it.
//! `build.rs` makes [`SPECS`] of `commands.csv`.

use super::{category, flag};

/// A command, or a subcommand of one.
#[derive(Debug)]
pub struct Spec {
    /// Its place in [`SPECS`].
    pub id: u16,
    /// In lower case; a subcommand's without its parent's.
    pub name: &'static str,
    /// `client|list` for a subcommand.
    pub full_name: &'static str,
    pub parent: Option<&'static str>,
    /// The name of the group that COMMAND DOCS reports.
    pub group: &'static str,
    /// The number of arguments with the name; negative for "at least". A subcommand's counts the command's name too.
    pub arity: i32,
    /// A sum of the constants in [`flag`].
    pub flags: u32,
    pub effect: Effect,
    /// The categories that the flags do not imply.
    pub listed_categories: u32,
    pub tips: &'static [&'static str],
    pub keys: &'static [KeySpec],
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// The version from which on another command is recommended; empty for none.
    pub deprecated: &'static str,
    /// What later versions have added, each with the version.
    pub history: &'static [(&'static str, &'static str)],
    pub arguments: &'static [Argument],
    /// The arguments as people write them.
    pub syntax: &'static str,
    pub complexity: &'static str,
    pub summary: &'static str,
}

/// What a command is called with. `command-table` says how the table has it.
#[derive(Debug)]
pub struct Argument {
    pub name: &'static str,
    pub kind: ArgumentKind,
    /// A word before it; for a word, the word itself.
    pub word: Option<&'static str>,
    /// Which of the command's key specifications it belongs to.
    pub key: Option<u8>,
    /// The version that brought it, if that is not the command's; empty otherwise, as the next one is.
    pub since: &'static str,
    pub deprecated: &'static str,
    pub optional: bool,
    pub repeated: bool,
    /// It is repeated with its word.
    pub word_repeated: bool,
    /// What it is one of, or what it consists of.
    pub parts: &'static [Argument],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArgumentKind {
    String,
    Key,
    Integer,
    Double,
    Pattern,
    Time,
    Word,
    OneOf,
    Block,
}

/// What is told to the append-only file and to replicas when a command has changed something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// The request as it came.
    Request,
    /// What the command says: the request could do something else there, or later.
    Own,
    /// It changes nothing itself. Keys that have expired and that it comes across have nothing to do with each other.
    Separate,
}

/// Where some of a command's arguments are keys, and what becomes of them.
#[derive(Debug)]
pub struct KeySpec {
    /// A sum of the constants in [`key_flag`].
    pub flags: u16,
    pub begin: Begin,
    pub find: Find,
}

#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// At an argument.
    Index(i32),
    /// Behind a word that comes at an argument or after it; searched backwards if that is negative.
    Keyword(&'static str, i32),
    /// The command alone knows.
    Unknown,
}

#[derive(Clone, Copy, Debug)]
pub enum Find {
    /// Up to `last`, counted from the beginning, or from the end if it is negative; only a part (a half, a third ...) of
    /// that with a `limit` of 2 and above.
    Range { last: i32, step: i32, limit: i32 },
    /// As many as an argument says. All are counted from the beginning.
    Number { at: i32, first: i32, step: i32 },
    /// The command alone knows.
    Unknown,
}

pub mod key_flag {
    //! What a command does to a key.

    pub const RO: u16 = 1;
    pub const RW: u16 = 1 << 1;
    pub const OW: u16 = 1 << 2;
    pub const RM: u16 = 1 << 3;
    pub const ACCESS: u16 = 1 << 4;
    pub const UPDATE: u16 = 1 << 5;
    pub const INSERT: u16 = 1 << 6;
    pub const DELETE: u16 = 1 << 7;
    pub const NOT_KEY: u16 = 1 << 8;
    pub const INCOMPLETE: u16 = 1 << 9;
    pub const VARIABLE_FLAGS: u16 = 1 << 10;

    /// In the order of Redis's replies.
    pub const NAMES: [(u16, &str); 11] = [
        (RO, "RO"),
        (RW, "RW"),
        (OW, "OW"),
        (RM, "RM"),
        (ACCESS, "access"),
        (UPDATE, "update"),
        (INSERT, "insert"),
        (DELETE, "delete"),
        (NOT_KEY, "not_key"),
        (INCOMPLETE, "incomplete"),
        (VARIABLE_FLAGS, "variable_flags"),
    ];
}

include!(concat!(env!("OUT_DIR"), "/specs.rs"));

impl Spec {
    pub fn fits(&self, args: usize) -> bool {
        if self.arity < 0 { args >= self.arity.unsigned_abs() as usize } else { args == self.arity as usize }
    }

    /// A sum of the constants in [`category`].
    pub fn categories(&self) -> u32 {
        self.listed_categories | category::implied(self.flags, self.listed_categories)
    }

    pub fn is(&self, flags: u32) -> bool {
        self.flags & flags != 0
    }

    pub fn is_write(&self) -> bool {
        self.is(flag::WRITE)
    }
}
