//! What scripts may set, and the functions that set it.

use crate::libraries::parameters::Arguments;
use mlua::{IntoLua, Lua, Value};

/// What becomes of infinite numbers and those that are none.
#[derive(Clone, Copy, PartialEq)]
pub enum InvalidNumbers {
    /// An error.
    Refused,
    /// Names that JSON does not have.
    Written,
    /// null.
    Null,
}

/// The longest text in bytes: no value of a database is longer.
const MAX_TEXT: usize = 512 * 1024 * 1024;

/// The settings of one library table.
#[derive(Clone, Copy)]
pub struct Settings {
    /// Whether a very sparse array becomes an object; an error if not.
    pub sparse_convert: bool,
    /// An array is very sparse if its largest index is this many times the count of its elements; 0 for never.
    pub sparse_ratio: i32,
    /// The largest index at which an array is never very sparse.
    pub sparse_safe: i32,
    /// How deep tables may nest.
    pub write_depth: i32,
    /// How deep JSON may nest.
    pub read_depth: i32,
    /// How many significant digits numbers are written with.
    pub precision: i32,
    /// Whether the text's memory is kept for the next one, which nothing shows.
    pub keep_buffer: bool,
    /// Invalid numbers in Lua values.
    pub write_invalid: InvalidNumbers,
    /// Whether invalid numbers in JSON are read.
    pub read_invalid: bool,
    /// The longest text that is written, in bytes; scripts cannot set it.
    pub max_text: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            write_depth: 1_000,
            read_depth: 1_000,
            precision: 14,
            keep_buffer: true,
            write_invalid: InvalidNumbers::Refused,
            read_invalid: true,
            max_text: MAX_TEXT,
        }
    }
}

/// Fails if there are more arguments than these.
pub fn at_most(arguments: &Arguments, count: usize) -> mlua::Result<()> {
    if arguments.count() > count {
        return Err(arguments.error(count + 1, "found too many arguments"));
    }
    Ok(())
}

/// Sets an integer if the argument is there; returns what it is then.
pub fn integer(arguments: &Arguments, number: usize, setting: &mut i32, min: i32, max: i32) -> mlua::Result<i32> {
    if !arguments.is_none_or_nil(number) {
        let value = arguments.integer(number)? as i32;
        if !(min..=max).contains(&value) {
            // Redis names the first argument always.
            return Err(arguments.error(1, format!("expected integer between {min} and {max}")));
        }
        *setting = value;
    }
    Ok(*setting)
}

/// Sets a switch if the argument is there; returns what it is then.
pub fn switch(arguments: &Arguments, number: usize, setting: &mut bool) -> mlua::Result<bool> {
    if let Some(index) = option(arguments, number, &["off", "on"])? {
        *setting = index == 1;
    }
    Ok(*setting)
}

/// Sets what is written for invalid numbers if the argument is there; returns what it is then.
pub fn invalid_numbers(lua: &Lua, arguments: &Arguments, setting: &mut InvalidNumbers) -> mlua::Result<Value> {
    use InvalidNumbers::{Null, Refused, Written};
    if let Some(index) = option(arguments, 1, &["off", "on", "null"])? {
        *setting = [Refused, Written, Null][index];
    }
    match *setting {
        Refused => Ok(Value::Boolean(false)),
        Written => Ok(Value::Boolean(true)),
        Null => "null".into_lua(lua),
    }
}

/// The index of the option that the argument names; false is the first, true the second. None for nil.
fn option(arguments: &Arguments, number: usize, names: &[&str]) -> mlua::Result<Option<usize>> {
    if arguments.is_none_or_nil(number) {
        return Ok(None);
    }
    if let Some(Value::Boolean(on)) = arguments.get(number) {
        return Ok(Some(usize::from(*on)));
    }
    let text = arguments.string(number)?;
    let text = text.as_bytes();
    // As in C, a zero byte ends the name.
    let name = text.split(|&byte| byte == 0).next().unwrap_or_default();
    match names.iter().position(|known| known.as_bytes() == name) {
        Some(index) => Ok(Some(index)),
        None => Err(arguments.error(number, [b"invalid option '", name, b"'"].concat())),
    }
}
