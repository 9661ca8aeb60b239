//! How much memory scripts may have.

use mlua::Lua;

/// The limit of an interpreter, in bytes; part of its data.
pub struct MemoryMax(pub usize);

impl Default for MemoryMax {
    fn default() -> Self {
        MemoryMax(usize::MAX)
    }
}

/// The limit on what is made in one piece beside the interpreter, which has the same limit for its own: copies of
/// arguments, results of encoders.
pub fn memory_max(lua: &Lua) -> usize {
    lua.app_data_ref::<MemoryMax>().map_or(usize::MAX, |max| max.0)
}

/// While this lives, the interpreter has its limit. Otherwise it has none: what is made in it then is no script's own,
/// and costs more under a limit, since whatever might fail is called so that it can.
pub struct Limited<'l>(&'l Lua);

impl Limited<'_> {
    pub fn begin(lua: &Lua) -> Limited<'_> {
        let max = memory_max(lua);
        // 0 is none. It fails only in interpreters that were made elsewhere.
        let _ = lua.set_memory_limit(if max == usize::MAX { 0 } else { max });
        Limited(lua)
    }
}

impl Drop for Limited<'_> {
    fn drop(&mut self) {
        let _ = self.0.set_memory_limit(0);
    }
}

/// While this lives, the interpreter has no limit, for what a running script calls.
pub struct Unlimited<'l> {
    lua: &'l Lua,
    before: usize,
}

impl Unlimited<'_> {
    pub fn begin(lua: &Lua) -> Unlimited<'_> {
        Unlimited { lua, before: lua.set_memory_limit(0).unwrap_or(0) }
    }
}

impl Drop for Unlimited<'_> {
    fn drop(&mut self) {
        let _ = self.lua.set_memory_limit(self.before);
    }
}
