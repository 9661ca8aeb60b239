//! What takes the interpreter's place in builds without it: nothing can be made, so nothing runs.

use crate::host::Host;
use crate::kind::{Failure, Kind};
use crate::script::Script;
use resp::Protocol;

/// There is none.
pub enum Engine {}

/// Nobody makes one.
pub struct Value(());

impl Engine {
    /// Fails.
    pub fn new(_: &[(&str, &str)], _: &[(&str, f64)]) -> Result<Engine, String> {
        Err("this server was built without scripts".into())
    }

    /// Compiles a script.
    pub fn compile(&self, _: &[u8]) -> Result<Script, String> {
        match *self {}
    }

    /// Runs a script.
    pub fn run(
        &self,
        _: &Script,
        _: Kind,
        _: &[&[u8]],
        _: &[&[u8]],
        _: &mut dyn Host,
    ) -> (Result<Value, Failure>, Protocol) {
        match *self {}
    }

    /// Loads a library.
    pub fn load_library(&self, _: &[u8], _: &mut dyn Host) -> Result<(), String> {
        match *self {}
    }

    /// Limits its memory.
    pub fn limit_memory(&self, _: usize) {
        match *self {}
    }

    /// Its memory.
    pub fn memory(&self) -> usize {
        match *self {}
    }
}

/// Writes nothing.
pub fn write(
    _: &Value,
    _: &mut Vec<u8>,
    _: usize,
    _: (Protocol, Protocol),
    _: &mut dyn FnMut(&[u8], bool),
) -> Result<(), &'static str> {
    Err("there are no scripts")
}

/// An error as text.
pub fn reason(error: &str) -> &str {
    error
}
