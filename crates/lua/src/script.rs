//! What can be run.

/// A compiled script. Clones share one reference into the interpreter: another one would cost more than a count.
#[cfg(feature = "interpreter")]
#[derive(Clone)]
pub struct Script(pub(crate) std::rc::Rc<mlua::Function>);

/// Nobody makes one.
#[cfg(not(feature = "interpreter"))]
#[derive(Clone, Debug)]
pub struct Script(());
