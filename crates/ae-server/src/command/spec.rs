//! What a command is: its name, arity, flags and keys. What runs it is not here, so that everybody may know it.

/// A command, or a subcommand of one.
pub struct Spec {
    /// In lower case; a subcommand's without its parent's.
    pub name: &'static str,
    pub parent: Option<&'static str>,
    /// The number of arguments with the name; negative for "at least".
    pub arity: i32,
    /// A sum of the constants in [`flag`](super::flag).
    pub flags: u16,
    pub keys: Keys,
    /// The version of Redis that brought it.
    pub since: &'static str,
    pub summary: &'static str,
}

/// Positions of the first and the last key (negative: from the end) and the step between keys; 0 for none.
pub type Keys = (i8, i8, i8);

pub const NO_KEYS: Keys = (0, 0, 0);
/// The first argument.
pub const ONE_KEY: Keys = (1, 1, 1);
/// All arguments.
pub const ALL_KEYS: Keys = (1, -1, 1);

impl Spec {
    /// `client|list` for a subcommand.
    pub fn full_name(&self) -> String {
        match self.parent {
            Some(parent) => format!("{parent}|{}", self.name),
            None => self.name.into(),
        }
    }

    pub fn fits(&self, args: usize) -> bool {
        if self.arity < 0 { args >= self.arity.unsigned_abs() as usize } else { args == self.arity as usize }
    }
}
