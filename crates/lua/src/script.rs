//! What can be run.

/// A compiled script. Clones share one reference into the interpreter: another one would cost more than a count.
#[cfg(feature = "interpreter")]
#[derive(Clone)]
pub struct Script(pub(crate) std::rc::Rc<Compiled>);

#[cfg(feature = "interpreter")]
pub(crate) struct Compiled {
    pub run: mlua::Function,
    /// The line of all that it returns, if that is one line.
    pub return_line: Option<usize>,
}

#[cfg(feature = "interpreter")]
impl Script {
    pub(crate) fn new(run: mlua::Function, return_line: Option<usize>) -> Script {
        Script(Compiled { run, return_line }.into())
    }
}

/// Nobody makes one.
#[cfg(not(feature = "interpreter"))]
#[derive(Clone, Debug)]
pub struct Script(());
