//! Errors that Rust functions raise in scripts.

use mlua::{Error, Lua, Value};
use std::fmt;

/// An error that scripts see as its text alone.
#[derive(Debug)]
pub struct Raised {
    pub text: Vec<u8>,
    /// The server has counted it already.
    pub counted: bool,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}

impl std::error::Error for Raised {}

impl From<Raised> for Error {
    fn from(raised: Raised) -> Error {
        Error::external(raised)
    }
}

/// What a script sees of a failure: that of a Rust function is a table with its text, or a text if Lua made it.
pub fn opened(lua: &Lua, failure: Value) -> mlua::Result<Value> {
    let Value::Error(error) = &failure else { return Ok(failure) };
    if let Some(raised) = error.downcast_ref::<Raised>() {
        let table = lua.create_table_with_capacity(0, 2)?;
        table.raw_set("err", lua.create_string(&raised.text)?)?;
        if raised.counted {
            table.raw_set("ignore_error_stats_update", true)?;
        }
        return Ok(Value::Table(table));
    }
    let mut cause: &Error = error;
    while let Error::CallbackError { cause: inner, .. } | Error::WithContext { cause: inner, .. } = cause {
        cause = inner;
    }
    let text = match cause {
        Error::RuntimeError(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(Value::String(lua.create_string(text)?))
}
