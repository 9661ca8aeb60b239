//! Replies of commands as a script's values.

use mlua::{Lua, Table, Value};
use resp::number;

/// The value of the reply that `bytes` begin with, and what comes after it. The server wrote it, so it is whole.
pub fn value<'b>(lua: &Lua, bytes: &'b [u8]) -> mlua::Result<(Value, &'b [u8])> {
    let Some((kind, line, rest)) = line(bytes) else { return Ok((Value::Nil, &[])) };
    let value = match kind {
        b'+' => match str::from_utf8(line) {
            // Needs no reference of its own.
            Ok(line) => one_field(lua, "ok", line)?,
            Err(_) => one_field(lua, "ok", lua.create_string(line)?)?,
        },
        b'-' => {
            let table = lua.create_table_with_capacity(0, 2)?;
            table.raw_set("err", lua.create_string(line)?)?;
            table.raw_set("ignore_error_stats_update", true)?;
            Value::Table(table)
        }
        b':' => Value::Number(int(line) as f64),
        b'#' => Value::Boolean(line == b"t"),
        b'_' => Value::Nil,
        b',' => one_field(lua, "double", double(line))?,
        b'(' => one_field(lua, "big_number", lua.create_string(line)?)?,
        b'$' => {
            return bulk(line, rest).map_or(Ok((Value::Boolean(false), rest)), |(text, rest)| {
                Ok((Value::String(lua.create_string(text)?), rest))
            });
        }
        b'=' => {
            let (text, rest) = bulk(line, rest).unwrap_or((b"txt:", rest));
            let verbatim = lua.create_table()?;
            verbatim.raw_set("format", lua.create_string(text.get(..3).unwrap_or_default())?)?;
            verbatim.raw_set("string", lua.create_string(text.get(4..).unwrap_or_default())?)?;
            return Ok((one_field(lua, "verbatim_string", verbatim)?, rest));
        }
        b'*' | b'>' => return elements(lua, line, rest),
        b'|' => return behind_attributes(lua, int(line), rest),
        b'%' => return pairs(lua, "map", int(line), rest),
        b'~' => return members(lua, int(line), rest),
        _ => Value::Nil,
    };
    Ok((value, rest))
}

fn one_field(lua: &Lua, name: &str, value: impl mlua::IntoLua) -> mlua::Result<Value> {
    Ok(Value::Table(lua.create_table_from([(name, value)])?))
}

/// The kind, the rest of the first line, and what comes after it.
fn line(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (kind, line) = bytes[..end].split_first()?;
    Some((*kind, line, &bytes[end + 2..]))
}

fn int(line: &[u8]) -> i64 {
    number::parse(line).unwrap_or(-1)
}

fn double(line: &[u8]) -> f64 {
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

fn bulk<'b>(line: &[u8], rest: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
    let len = usize::try_from(int(line)).ok()?;
    Some((rest.get(..len)?, rest.get(len + 2..)?))
}

fn elements<'b>(lua: &Lua, line: &[u8], mut rest: &'b [u8]) -> mlua::Result<(Value, &'b [u8])> {
    let Ok(count) = usize::try_from(int(line)) else { return Ok((Value::Boolean(false), rest)) };
    let table = lua.create_table_with_capacity(count, 0)?;
    for at in 1..=count {
        let (element, after) = value(lua, rest)?;
        table.raw_set(at, element)?;
        rest = after;
    }
    Ok((Value::Table(table), rest))
}

/// Scripts do not see attributes.
fn behind_attributes<'b>(lua: &Lua, count: i64, mut rest: &'b [u8]) -> mlua::Result<(Value, &'b [u8])> {
    for _ in 0..count {
        rest = value(lua, value(lua, rest)?.1)?.1;
    }
    value(lua, rest)
}

fn pairs<'b>(lua: &Lua, field: &str, count: i64, mut rest: &'b [u8]) -> mlua::Result<(Value, &'b [u8])> {
    let map = lua.create_table()?;
    for _ in 0..count {
        let (key, after) = value(lua, rest)?;
        let (value, after) = value(lua, after)?;
        put(&map, key, value)?;
        rest = after;
    }
    Ok((one_field(lua, field, map)?, rest))
}

fn members<'b>(lua: &Lua, count: i64, mut rest: &'b [u8]) -> mlua::Result<(Value, &'b [u8])> {
    let set = lua.create_table()?;
    for _ in 0..count {
        let (member, after) = value(lua, rest)?;
        put(&set, member, Value::Boolean(true))?;
        rest = after;
    }
    Ok((one_field(lua, "set", set)?, rest))
}

/// A null is no key in Lua.
fn put(table: &Table, key: Value, value: Value) -> mlua::Result<()> {
    if key.is_nil() { Ok(()) } else { table.raw_set(key, value) }
}
