//! MessagePack to Lua values.

use crate::libraries::parameters::MAX_SLOTS;
use crate::libraries::pile::Pile;
use crate::libraries::raise;
use mlua::{Error, Lua, Table, Value};

/// Why there is no room for one more value.
pub const TOO_MANY: &str = "too many return values at once; use unpack_one or unpack_limit instead.";

/// Bytes to read values from.
pub struct Input<'a> {
    lua: &'a Lua,
    /// What is not read yet.
    pub rest: &'a [u8],
    /// Stack slots that C code would have in use here.
    slots: usize,
}

/// How far a table is read; it is on the pile of tables, a map's key on that of keys.
enum Open {
    Array {
        len: u32,
        read: u32,
    },
    /// The next item is a key.
    Key {
        left: u32,
    },
    /// The next item is the value of a key.
    Value {
        left: u32,
    },
}

/// What a first byte stands for.
enum Item {
    Value(Value),
    Array(u32),
    Map(u32),
}

impl<'a> Input<'a> {
    /// All of these bytes, for a C function with so many slots in use.
    pub fn new(lua: &'a Lua, bytes: &'a [u8], slots: usize) -> Input<'a> {
        Input { lua, rest: bytes, slots }
    }

    /// Reads a value.
    pub fn value(&mut self) -> mlua::Result<Value> {
        let (mut open, mut tables, mut keys) = (Vec::new(), Pile::new(self.lua), Pile::new(self.lua));
        loop {
            let mut value = match self.item()? {
                Item::Value(value) => {
                    self.slots += 1;
                    value
                }
                Item::Array(len) => {
                    self.slots += 1;
                    self.check_slots("in function mp_decode_to_lua_array")?;
                    let table = self.lua.create_table()?;
                    if len > 0 {
                        // The index.
                        self.slots += 1;
                        open.push(Open::Array { len, read: 0 });
                        tables.push(table)?;
                        continue;
                    }
                    Value::Table(table)
                }
                Item::Map(left) => {
                    self.slots += 1;
                    let table = self.lua.create_table()?;
                    if left > 0 {
                        open.push(Open::Key { left });
                        tables.push(table)?;
                        continue;
                    }
                    Value::Table(table)
                }
            };
            // The value may be the last one of several tables.
            loop {
                let (Some(state), Some(table)) = (open.pop(), tables.pop()?) else { return Ok(value) };
                let next = match state {
                    Open::Array { len, read } => {
                        let read = read + 1;
                        table.raw_set(read, value)?;
                        // Value and index are gone; the next index comes.
                        self.slots -= if read < len { 1 } else { 2 };
                        (read < len).then_some(Open::Array { len, read })
                    }
                    Open::Key { left } => {
                        keys.push(value)?;
                        Some(Open::Value { left })
                    }
                    Open::Value { left } => {
                        self.set(&table, keys.pop()?.unwrap_or(Value::Nil), value)?;
                        self.slots -= 2;
                        (left > 1).then_some(Open::Key { left: left - 1 })
                    }
                };
                if let Some(next) = next {
                    open.push(next);
                    tables.push(table)?;
                    break;
                }
                value = Value::Table(table);
            }
        }
    }

    fn set(&self, table: &Table, key: Value, value: Value) -> mlua::Result<()> {
        match key {
            Value::Nil => Err(raise::text(self.lua, "table index is nil")),
            Value::Number(number) if number.is_nan() => Err(raise::text(self.lua, "table index is NaN")),
            key => table.raw_set(key, value),
        }
    }

    fn check_slots(&self, why: &str) -> mlua::Result<()> {
        if self.slots + 1 > MAX_SLOTS {
            return Err(raise::no_slots(self.lua, why));
        }
        Ok(())
    }

    fn missing(&self) -> Error {
        raise::error(self.lua, "Missing bytes in input.")
    }

    fn take(&mut self, len: usize) -> mlua::Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.missing())?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> mlua::Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| self.missing())?;
        self.rest = rest;
        Ok(*taken)
    }

    fn string(&mut self, len: usize) -> mlua::Result<Item> {
        let bytes = self.take(len)?;
        Ok(Item::Value(Value::String(self.lua.create_string(bytes)?)))
    }

    fn item(&mut self) -> mlua::Result<Item> {
        let [first] = self.array()?;
        self.check_slots(TOO_MANY)?;
        let number = match first {
            0..=0x7f => f64::from(first),
            0x80..=0x8f => return Ok(Item::Map(u32::from(first & 0xf))),
            0x90..=0x9f => return Ok(Item::Array(u32::from(first & 0xf))),
            0xa0..=0xbf => return self.string(usize::from(first & 0x1f)),
            0xc0 => return Ok(Item::Value(Value::Nil)),
            0xc2 => return Ok(Item::Value(Value::Boolean(false))),
            0xc3 => return Ok(Item::Value(Value::Boolean(true))),
            0xca => f64::from(f32::from_be_bytes(self.array()?)),
            0xcb => f64::from_be_bytes(self.array()?),
            0xcc => f64::from(u8::from_be_bytes(self.array()?)),
            0xcd => f64::from(u16::from_be_bytes(self.array()?)),
            0xce => f64::from(u32::from_be_bytes(self.array()?)),
            // Redis takes large unsigned ones for negative, too.
            0xcf | 0xd3 => i64::from_be_bytes(self.array()?) as f64,
            0xd0 => f64::from(i8::from_be_bytes(self.array()?)),
            0xd1 => f64::from(i16::from_be_bytes(self.array()?)),
            0xd2 => f64::from(i32::from_be_bytes(self.array()?)),
            0xd9 => {
                let len = u8::from_be_bytes(self.array()?);
                return self.string(usize::from(len));
            }
            0xda => {
                let len = u16::from_be_bytes(self.array()?);
                return self.string(usize::from(len));
            }
            0xdb => {
                let len = u32::from_be_bytes(self.array()?);
                return self.string(len as usize);
            }
            0xdc => return Ok(Item::Array(u16::from_be_bytes(self.array()?).into())),
            0xdd => return Ok(Item::Array(u32::from_be_bytes(self.array()?))),
            0xde => return Ok(Item::Map(u16::from_be_bytes(self.array()?).into())),
            0xdf => return Ok(Item::Map(u32::from_be_bytes(self.array()?))),
            0xc1 | 0xc4..=0xc9 | 0xd4..=0xd8 => return Err(raise::error(self.lua, "Bad data format in input.")),
            0xe0..=0xff => f64::from(first.cast_signed()),
        };
        Ok(Item::Value(Value::Number(number)))
    }
}
