//! The library's table.

use crate::libraries::msgpack::packing::Output;
use crate::libraries::msgpack::unpacking::{Input, TOO_MANY};
use crate::libraries::parameters::{Arguments, MAX_SLOTS, add};
use crate::libraries::raise;
use mlua::{Lua, MultiValue, Table, Value};

/// The library's table.
pub fn library(lua: &Lua) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    add(lua, &library, "pack", |lua, arguments| {
        if arguments.count() == 0 {
            return Err(arguments.error(0, "MessagePack pack needs input."));
        }
        // As many slots again for their texts.
        if 2 * arguments.count() > MAX_SLOTS {
            return Err(arguments.error(0, "Too many arguments for MessagePack pack."));
        }
        let mut output = Output::new(lua);
        arguments.iter().try_for_each(|value| output.value(value))?;
        lua.create_string(output.bytes)
    })?;
    add(lua, &library, "unpack", |lua, arguments| unpack(lua, &arguments, arguments.count(), 0, 0))?;
    add(lua, &library, "unpack_one", |lua, arguments| {
        let offset = arguments.integer_or(2, 0)?;
        unpack(lua, &arguments, 1, 1, offset)
    })?;
    add(lua, &library, "unpack_limit", |lua, arguments| {
        let limit = arguments.integer(2)?;
        let offset = arguments.integer_or(3, 0)?;
        unpack(lua, &arguments, 1, limit, offset)
    })?;
    library.raw_set("_NAME", "cmsgpack")?;
    library.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    library.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    library.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(library)
}

/// The values in the first argument from an offset on, all of them if limit and offset are 0; else after the offset of
/// what follows them, -1 for nothing. C code has as many stack slots in use as `slots` says.
fn unpack(lua: &Lua, arguments: &Arguments, slots: usize, limit: i64, offset: i64) -> mlua::Result<MultiValue> {
    unpacked(lua, arguments, slots, limit, offset).map_err(|error| raise::no_slots_if_so(lua, error, TOO_MANY))
}

fn unpacked(lua: &Lua, arguments: &Arguments, slots: usize, limit: i64, offset: i64) -> mlua::Result<MultiValue> {
    let bytes = arguments.string(1)?;
    let bytes = bytes.as_bytes();
    let len = bytes.len();
    if offset < 0 || limit < 0 {
        // Redis shows the length as the limit.
        let (offset, len) = (offset as i32, len as i32);
        let message = format!("Invalid request to unpack with offset of {offset} and limit of {len}.");
        return Err(raise::error(lua, message));
    }
    let Some(rest) = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)) else {
        let message = format!("Start offset {} greater than input length {len}.", offset as i32);
        return Err(raise::error(lua, message));
    };
    let all = limit == 0 && offset == 0;
    let mut input = Input::new(lua, rest, slots);
    let mut values = MultiValue::new();
    while !input.rest.is_empty() && (all || (values.len() as i64) < limit) {
        values.push_back(input.value()?);
    }
    if !all {
        let next = if input.rest.is_empty() { -1 } else { (len - input.rest.len()) as i64 };
        values.push_front(Value::Integer(next));
    }
    Ok(values)
}
