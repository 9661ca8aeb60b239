//! Lua values to JSON.

use crate::libraries::json::settings::{InvalidNumbers, Settings};
use crate::libraries::numbers::{append_general, to_i32};
use crate::libraries::parameters::{MAX_SLOTS, type_name};
use crate::libraries::pile::Pile;
use crate::libraries::raise;
use crate::libraries::stand_ins;
use crate::memory::memory_max;
use mlua::{Error, Function, Lua, Table, Value};

/// How far a table is written; it is on the pile of tables, an object's last key on that of keys.
enum Open {
    Array { written: i32, len: i32 },
    Object { is_empty: bool },
}

struct Writer<'a> {
    lua: &'a Lua,
    next: &'a Function,
    settings: Settings,
    text: Vec<u8>,
    open: Vec<Open>,
    tables: Pile<'a, Table>,
    keys: Pile<'a, Value>,
    /// Stack slots that C code would have in use here.
    slots: usize,
}

/// The JSON of a value. `next` is Lua's function of this name.
pub fn write(lua: &Lua, next: &Function, mut settings: Settings, value: &Value) -> mlua::Result<Vec<u8>> {
    settings.max_text = settings.max_text.min(memory_max(lua));
    let (text, open, tables, keys) = (Vec::new(), Vec::new(), Pile::new(lua), Pile::new(lua));
    let mut writer = Writer { lua, next, settings, text, open, tables, keys, slots: 1 };
    writer.value(value)?;
    while let (Some(open), Some(table)) = (writer.open.pop(), writer.tables.pop()?) {
        writer.go_on(open, table)?;
    }
    Ok(writer.text)
}

impl Writer<'_> {
    /// Writes a value, or the start of a table, which is then open.
    fn value(&mut self, value: &Value) -> mlua::Result<()> {
        match value {
            Value::String(string) => self.string(&string.as_bytes()),
            Value::Integer(integer) => self.number(*integer as f64)?,
            Value::Number(number) => self.number(*number)?,
            Value::Boolean(true) => self.text.extend_from_slice(b"true"),
            Value::Boolean(false) => self.text.extend_from_slice(b"false"),
            Value::Table(table) => self.table(table)?,
            Value::Nil => self.text.extend_from_slice(b"null"),
            other if other.is_null() => self.text.extend_from_slice(b"null"),
            other => return Err(self.refusal(type_name(other), "type not supported")),
        }
        Ok(())
    }

    fn refusal(&self, kind: &str, reason: &str) -> Error {
        raise::error(self.lua, format!("Cannot serialise {kind}: {reason}"))
    }

    fn string(&mut self, string: &[u8]) {
        self.text.push(b'"');
        let mut plain = 0;
        for (at, &byte) in string.iter().enumerate() {
            let short = match byte {
                b'"' | b'\\' | b'/' => Some(byte),
                8 => Some(b'b'),
                b'\t' => Some(b't'),
                b'\n' => Some(b'n'),
                12 => Some(b'f'),
                b'\r' => Some(b'r'),
                0..=31 | 127 => None,
                _ => continue,
            };
            self.text.extend_from_slice(&string[plain..at]);
            plain = at + 1;
            match short {
                Some(short) => self.text.extend_from_slice(&[b'\\', short]),
                None => self.text.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            }
        }
        self.text.extend_from_slice(&string[plain..]);
        self.text.push(b'"');
    }

    fn number(&mut self, number: f64) -> mlua::Result<()> {
        match self.settings.write_invalid {
            InvalidNumbers::Refused if !number.is_finite() => {
                return Err(self.refusal("number", "must not be NaN or Inf"));
            }
            InvalidNumbers::Null if !number.is_finite() => self.text.extend_from_slice(b"null"),
            InvalidNumbers::Written if number.is_nan() => self.text.extend_from_slice(b"nan"),
            _ => append_general(&mut self.text, number, self.settings.precision as usize),
        }
        Ok(())
    }

    fn table(&mut self, table: &Table) -> mlua::Result<()> {
        let depth = self.open.len() + 1;
        if depth > self.settings.write_depth as usize || self.slots + 3 > MAX_SLOTS {
            return Err(raise::error(self.lua, format!("Cannot serialise, excessive nesting ({depth})")));
        }
        let table = stand_ins::content(self.lua, table)?;
        self.tables.push(table.clone())?;
        match self.array_len(&table)? {
            Some(len) if len > 0 => {
                self.text.push(b'[');
                self.slots += 1;
                self.open.push(Open::Array { written: 0, len });
            }
            _ => {
                self.text.push(b'{');
                self.slots += 2;
                self.open.push(Open::Object { is_empty: true });
                self.keys.push(Value::Nil)?;
            }
        }
        Ok(())
    }

    /// The largest index of a table that is an array.
    fn array_len(&self, table: &Table) -> mlua::Result<Option<i32>> {
        let (mut max, mut count, mut is_array) = (0i32, 0i32, true);
        let walked = table.for_each(|key: Value, _: bool| {
            let index = match key {
                Value::Integer(index) => index as f64,
                // Infinity is an integer here.
                Value::Number(index) if index.floor() == index => index,
                _ => 0.0,
            };
            if index < 1.0 {
                is_array = false;
                // Any error ends the walk.
                return Err(Error::StackError);
            }
            if index > f64::from(max) {
                max = to_i32(index);
            }
            count = count.wrapping_add(1);
            Ok(())
        });
        if !is_array {
            return Ok(None);
        }
        walked?;
        let Settings { sparse_convert, sparse_ratio, sparse_safe, .. } = self.settings;
        if sparse_ratio > 0 && max > count.wrapping_mul(sparse_ratio) && max > sparse_safe {
            if !sparse_convert {
                return Err(self.refusal("table", "excessively sparse array"));
            }
            return Ok(None);
        }
        Ok(Some(max))
    }

    /// Writes more of the innermost table: up to a table in it, or to its end.
    fn go_on(&mut self, open: Open, table: Table) -> mlua::Result<()> {
        match open {
            Open::Array { written, len } => self.elements(&table, written, len),
            Open::Object { is_empty } => self.members(&table, is_empty),
        }
    }

    fn elements(&mut self, table: &Table, written: i32, len: i32) -> mlua::Result<()> {
        for index in written..len {
            self.check_len()?;
            if index > 0 {
                self.text.push(b',');
            }
            let value: Value = table.raw_get(index + 1)?;
            if value.is_table() {
                self.tables.push(table.clone())?;
                self.open.push(Open::Array { written: index + 1, len });
                return self.value(&value);
            }
            self.value(&value)?;
        }
        self.text.push(b']');
        self.slots -= 1;
        Ok(())
    }

    fn members(&mut self, table: &Table, mut is_empty: bool) -> mlua::Result<()> {
        let mut key = self.keys.pop()?.unwrap_or(Value::Nil);
        loop {
            self.check_len()?;
            let value: Value;
            (key, value) = self.next.call((table, key))?;
            if key.is_nil() {
                self.text.push(b'}');
                self.slots -= 2;
                return Ok(());
            }
            if !is_empty {
                self.text.push(b',');
            }
            is_empty = false;
            self.key(&key)?;
            if value.is_table() {
                self.tables.push(table.clone())?;
                self.keys.push(key)?;
                self.open.push(Open::Object { is_empty });
                return self.value(&value);
            }
            self.value(&value)?;
        }
    }

    fn check_len(&self) -> mlua::Result<()> {
        if self.text.len() > self.settings.max_text { Err(raise::text(self.lua, "not enough memory")) } else { Ok(()) }
    }

    fn key(&mut self, key: &Value) -> mlua::Result<()> {
        match key {
            Value::String(string) => self.string(&string.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                self.text.push(b'"');
                self.value(key)?;
                self.text.push(b'"');
            }
            other => return Err(self.refusal(type_name(other), "table key must be a number or string")),
        }
        self.text.push(b':');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Shared;

    fn written(source: &str, settings: Settings) -> Result<Vec<u8>, String> {
        let lua = Lua::new();
        let value: Value = lua.load(source).eval().unwrap();
        let next = lua.globals().get("next").unwrap();
        write(&lua, &next, settings, &value).map_err(|error| error.to_string())
    }

    #[test]
    fn text_ends_at_its_limit() {
        let settings = Settings { max_text: 100, sparse_ratio: 0, ..Settings::default() };
        let shared = "local t = {1} for i = 1, 40 do t = {t, t} end return t";
        let members = "local t = {x = 1} for i = 1, 40 do t = {a = t, b = t} end return t";
        for endless in ["{[2^31 - 1] = 1}", shared, members] {
            assert_eq!(written(endless, settings), Err("not enough memory".into()));
        }
        assert_eq!(written("{1, {2}, ('x'):rep(80)}", settings).unwrap().len(), 90);
        assert!(written("{1, {2}, ('x'):rep(90)}", settings).is_ok(), "the last value may pass it");
    }

    #[test]
    fn text_ends_at_the_limit_of_the_scripts_memory() {
        let lua = Shared::with_memory(1_000_000);
        let value: Value = lua.load("local t = {1} for i = 1, 22 do t = {t, t} end return t").eval().unwrap();
        let next = lua.globals().get("next").unwrap();
        let written = write(&lua, &next, Settings::default(), &value);
        assert!(written.is_err_and(|error| error.to_string() == "not enough memory"));
    }

    #[test]
    fn tables_nest_up_to_the_depth() {
        let settings = Settings { write_depth: 3, ..Settings::default() };
        assert_eq!(written("{a = {{1}, {}}}", settings).unwrap(), b"{\"a\":[[1],{}]}");
        assert_eq!(written("{a = {{{}}}}", settings), Err("Cannot serialise, excessive nesting (4)".into()));
    }
}
