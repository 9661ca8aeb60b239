//! Empty tables that stand for those that scripts share and may not change.

use mlua::{Lua, Table};

const NAME: &str = "stand-ins";

/// Makes them known: `contents` has the tables behind them, by themselves.
pub fn set(lua: &Lua, contents: Table) -> mlua::Result<()> {
    lua.set_named_registry_value(NAME, contents)
}

/// The table itself, or the one that it stands for.
pub fn content(lua: &Lua, table: &Table) -> mlua::Result<Table> {
    // Each of them has a metatable.
    let contents: Option<Table> = if table.metatable().is_some() { lua.named_registry_value(NAME)? } else { None };
    let content = contents.map_or(Ok(None), |contents| contents.raw_get::<Option<Table>>(table))?;
    Ok(content.unwrap_or_else(|| table.clone()))
}
