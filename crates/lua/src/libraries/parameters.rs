//! The arguments of a call, read as Lua's auxiliary library reads them.

use crate::libraries::numbers::to_i64;
use crate::libraries::raise;
use mlua::{Error, IntoLuaMulti, Lua, LuaString, MultiValue, Table, Value};

/// How many stack slots Lua 5.1 allows to a C function. What needs more fails with an error.
pub const MAX_SLOTS: usize = 8_000;

/// The arguments of a call; the first is number 1.
pub struct Arguments<'a> {
    lua: &'a Lua,
    values: MultiValue,
}

impl Arguments<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// One of them.
    pub fn get(&self, number: usize) -> Option<&Value> {
        self.values.get(number.checked_sub(1)?)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    /// Adds nils up to this count.
    pub fn fill(&mut self, count: usize) {
        while self.values.len() < count {
            self.values.push_back(Value::Nil);
        }
    }

    /// Whether it is nil or absent.
    pub fn is_none_or_nil(&self, number: usize) -> bool {
        matches!(self.get(number), None | Some(Value::Nil))
    }

    /// A number, or a string that is one.
    pub fn number(&self, number: usize) -> mlua::Result<f64> {
        to_number(self.lua, self.get(number).unwrap_or(&Value::Nil))?.ok_or_else(|| self.wrong(number, "number"))
    }

    /// A number as C's `long`.
    pub fn integer(&self, number: usize) -> mlua::Result<i64> {
        self.number(number).map(to_i64)
    }

    /// The same, with a value for nil and absent ones.
    pub fn integer_or(&self, number: usize, default: i64) -> mlua::Result<i64> {
        if self.is_none_or_nil(number) { Ok(default) } else { self.integer(number) }
    }

    /// A string, or a number as one.
    pub fn string(&self, number: usize) -> mlua::Result<LuaString> {
        match self.get(number) {
            Some(Value::String(string)) => Ok(string.clone()),
            Some(value @ (Value::Integer(_) | Value::Number(_))) => {
                self.lua.coerce_string(value.clone())?.ok_or_else(|| self.wrong(number, "string"))
            }
            _ => Err(self.wrong(number, "string")),
        }
    }

    /// An error of this argument.
    pub fn error(&self, number: usize, message: impl AsRef<[u8]>) -> Error {
        raise::argument(self.lua, number, message)
    }

    fn wrong(&self, number: usize, expected: &str) -> Error {
        let got = self.get(number).map_or("no value", type_name);
        self.error(number, format!("{expected} expected, got {got}"))
    }
}

/// The value as a number, as lua_tonumber has it.
pub fn to_number(lua: &Lua, value: &Value) -> mlua::Result<Option<f64>> {
    match value {
        Value::Integer(integer) => Ok(Some(*integer as f64)),
        Value::Number(number) => Ok(Some(*number)),
        Value::String(_) => lua.coerce_number(value.clone()),
        _ => Ok(None),
    }
}

/// The name of a value's type, as Lua's `type` has it.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}

/// Adds a function to a library.
pub fn add<R: IntoLuaMulti>(
    lua: &Lua,
    library: &Table,
    name: &str,
    function: impl Fn(&Lua, Arguments) -> mlua::Result<R> + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, values| function(lua, Arguments { lua, values }))?;
    library.raw_set(name, function)
}
