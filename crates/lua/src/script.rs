//! What can be run.

use mlua::Function;

/// A compiled script.
#[derive(Clone)]
pub struct Script(pub(crate) Function);
