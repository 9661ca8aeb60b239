//! How much memory scripts may have.

use crate::shared::Shared;
use mlua::Lua;
use std::rc::Rc;

/// The limit on what is made in one piece beside the interpreter, which has the same limit for its own: copies of
/// arguments, results of encoders.
pub fn memory_max(lua: &Lua) -> usize {
    lua.app_data_ref::<Rc<Shared>>().map_or(usize::MAX, |shared| shared.memory_max.get())
}

/// A limit of the interpreter while this lives. It has one while scripts run, and none otherwise: what is made in it then
/// is no script's own, and costs more under a limit, since whatever might fail is called so that it can.
pub struct Limit<'l> {
    lua: &'l Lua,
    before: usize,
}

impl Limit<'_> {
    /// `usize::MAX` is none.
    pub fn begin(lua: &Lua, max: usize) -> Limit<'_> {
        Limit::set(lua, if max == usize::MAX { 0 } else { max })
    }

    pub fn none(lua: &Lua) -> Limit<'_> {
        Limit::set(lua, 0)
    }

    fn set(lua: &Lua, bytes: usize) -> Limit<'_> {
        // It fails only in interpreters that were made elsewhere.
        Limit { lua, before: lua.set_memory_limit(bytes).unwrap_or(0) }
    }
}

impl Drop for Limit<'_> {
    fn drop(&mut self) {
        let _ = self.lua.set_memory_limit(self.before);
    }
}
