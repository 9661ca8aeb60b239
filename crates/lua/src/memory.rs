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
