//! Lua values to MessagePack.

use crate::libraries::numbers::to_i64;
use crate::libraries::raise;
use crate::libraries::stand_ins;
use crate::memory::memory_max;
use mlua::{Lua, Table, Value};

/// How deep tables may nest; those deeper are written as nil.
const MAX_NESTING: usize = 16;

/// The longest result in bytes: no value of a database is longer.
const MAX_BYTES: usize = 512 * 1024 * 1024;

/// Appends values to bytes.
pub struct Output<'a> {
    lua: &'a Lua,
    /// What is written.
    pub bytes: Vec<u8>,
    max_bytes: usize,
}

impl<'a> Output<'a> {
    /// Empty.
    pub fn new(lua: &'a Lua) -> Output<'a> {
        Output { lua, bytes: Vec::new(), max_bytes: memory_max(lua).min(MAX_BYTES) }
    }

    /// Appends a value.
    pub fn value(&mut self, value: &Value) -> mlua::Result<()> {
        self.value_in(value, 0)
    }

    /// A value that is inside of so many tables.
    fn value_in(&mut self, value: &Value, level: usize) -> mlua::Result<()> {
        if self.bytes.len() > self.max_bytes {
            return Err(raise::text(self.lua, "not enough memory"));
        }
        let bytes = &mut self.bytes;
        match value {
            Value::String(string) => {
                let string = string.as_bytes();
                head(bytes, string.len(), Heads { short: 0xa0, max_short: 31, one_byte: Some(0xd9), two_bytes: 0xda });
                bytes.extend_from_slice(&string);
            }
            Value::Boolean(boolean) => bytes.push(if *boolean { 0xc3 } else { 0xc2 }),
            Value::Integer(integer) => pack_integer(bytes, *integer),
            Value::Number(number) => pack_number(bytes, *number),
            Value::Table(table) if level < MAX_NESTING => self.table(table, level)?,
            _ => bytes.push(0xc0),
        }
        Ok(())
    }

    fn table(&mut self, table: &Table, level: usize) -> mlua::Result<()> {
        let table = &stand_ins::content(self.lua, table)?;
        let (count, is_array) = measure(table)?;
        if is_array {
            head(&mut self.bytes, count, Heads { short: 0x90, max_short: 15, one_byte: None, two_bytes: 0xdc });
            for index in 1..=count {
                self.value_in(&table.raw_get(index)?, level + 1)?;
            }
        } else {
            head(&mut self.bytes, count, Heads { short: 0x80, max_short: 15, one_byte: None, two_bytes: 0xde });
            for pair in table.pairs::<Value, Value>() {
                let (key, value) = pair?;
                self.value_in(&key, level + 1)?;
                self.value_in(&value, level + 1)?;
            }
        }
        Ok(())
    }
}

/// The first bytes of what has a length.
struct Heads {
    short: u8,
    max_short: usize,
    one_byte: Option<u8>,
    /// The next one is for four bytes.
    two_bytes: u8,
}

fn head(bytes: &mut Vec<u8>, len: usize, heads: Heads) {
    let four = (len as u32).to_be_bytes();
    if len <= heads.max_short {
        bytes.push(heads.short | four[3]);
    } else if let (Some(first), 0..=0xff) = (heads.one_byte, len) {
        bytes.extend_from_slice(&[first, four[3]]);
    } else if len <= 0xffff {
        bytes.extend_from_slice(&[heads.two_bytes, four[2], four[3]]);
    } else {
        bytes.push(heads.two_bytes + 1);
        bytes.extend_from_slice(&four);
    }
}

fn pack_number(bytes: &mut Vec<u8>, number: f64) {
    let integer = to_i64(number);
    if integer as f64 == number {
        pack_integer(bytes, integer);
    } else if f64::from(number as f32) == number {
        bytes.push(0xca);
        bytes.extend_from_slice(&(number as f32).to_be_bytes());
    } else {
        bytes.push(0xcb);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
}

fn pack_integer(bytes: &mut Vec<u8>, integer: i64) {
    let all = integer.to_be_bytes();
    let (first, len) = match integer {
        -32..=0x7f => return bytes.push(all[7]),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        ..=-0x8000_0001 => (0xd3, 8),
    };
    bytes.push(first);
    bytes.extend_from_slice(&all[8 - len..]);
}

/// How many keys there are, and whether they are the integers from 1 on.
fn measure(table: &Table) -> mlua::Result<(usize, bool)> {
    let (mut count, mut max, mut integers) = (0, 0, true);
    table.for_each(|key: Value, _: bool| {
        count += 1;
        match key {
            Value::Integer(key) if key >= 1 && key <= i64::from(i32::MAX) => max = max.max(key as usize),
            _ => integers = false,
        }
        Ok(())
    })?;
    Ok((count, integers && max == count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::Shared;

    #[test]
    fn bytes_end_at_their_limit() {
        let lua = Lua::new();
        let packed = |source: &str, max_bytes| {
            let value: Value = lua.load(source).eval().unwrap();
            let mut output = Output { max_bytes, ..Output::new(&lua) };
            output.value(&value).map(|()| output.bytes.len()).map_err(|error| error.to_string())
        };
        let shared = "local t = {1} for i = 1, 15 do t = {t, t, t, t, t, t, t, t} end return t";
        assert_eq!(packed(shared, 1_000), Err("not enough memory".into()));
        assert_eq!(packed("{1, 2, 3, {a = 'b'}}", 1_000), Ok(9));
        assert_eq!(packed("{1, 2, 3, {a = 'b'}}", 4), Err("not enough memory".into()));
    }

    #[test]
    fn bytes_end_at_the_limit_of_the_scripts_memory() {
        let lua = Shared::with_memory(1_000);
        let value: Value = lua.load("local t = {1} for i = 1, 12 do t = {t, t} end return t").eval().unwrap();
        let packed = Output::new(&lua).value(&value);
        assert!(packed.is_err_and(|error| error.to_string() == "not enough memory"));
    }
}
