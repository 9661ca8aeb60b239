//! What can be run.

/// A compiled script.
#[cfg(feature = "interpreter")]
#[derive(Clone)]
pub struct Script(pub(crate) mlua::Function);

/// Nobody makes one.
#[cfg(not(feature = "interpreter"))]
#[derive(Clone, Debug)]
pub struct Script(());
