//! cmsgpack: MessagePack.

use mlua::{Lua, Table};

/// The library's table.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    lua.create_table()
}
