//! What a parameter is.

use super::settings::Config;

/// When a parameter can be given another value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    AnyTime,
    AtStart,
    /// Fixed: known because clients and scripts written for Redis name it, but there is only one value.
    Never,
}

/// A row of the table.
pub struct Parameter {
    pub name: &'static str,
    pub change: Change,
    /// What the value looks like, for `--help`; empty for parameters not listed there.
    pub usage: &'static str,
    pub help: &'static str,
    pub get: fn(&Config) -> Vec<u8>,
    /// The error says what is wrong with the value, in the words of CONFIG SET.
    pub set: fn(&mut Config, &[u8]) -> Result<(), String>,
}

macro_rules! parameter {
    ($name:literal, $change:ident, $usage:literal, $help:literal, $get:expr, $set:expr) => {
        Parameter { name: $name, change: Change::$change, usage: $usage, help: $help, get: $get, set: $set }
    };
}

pub(super) use parameter;
