//! Errors of the libraries' functions, as scripts see them.
//!
//! A Rust function cannot raise a Lua string itself: mlua raises a userdata of its own. The userdata of these errors
//! carries the value that C code would have raised, and `catch_as_values` makes `pcall` and its kind hand that out.

use mlua::{Error, Function, Lua, Value};
use std::fmt;

/// A Lua value on its way up as an error.
#[derive(Debug)]
struct Raised(Value);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(&text.to_string_lossy()),
            other => write!(f, "(error object is a {} value)", other.type_name()),
        }
    }
}

impl std::error::Error for Raised {}

/// An error that is this value.
pub fn value(value: Value) -> Error {
    Error::external(Raised(value))
}

/// An error that is this text, without a position.
pub fn text(lua: &Lua, message: impl AsRef<[u8]>) -> Error {
    lua.create_string(message).map_or_else(|error| error, |message| value(Value::String(message)))
}

/// An error of the function that runs, with its caller's position: what luaL_error raises.
pub fn error(lua: &Lua, message: impl AsRef<[u8]>) -> Error {
    let position = lua.inspect_stack(1, |caller| {
        let line = caller.current_line()?;
        Some(format!("{}:{line}: ", caller.source().short_src?))
    });
    text(lua, [position.flatten().unwrap_or_default().as_bytes(), message.as_ref()].concat())
}

/// An error of an argument of the function that runs: what luaL_argerror raises. The first argument is 1.
pub fn argument(lua: &Lua, number: usize, message: impl AsRef<[u8]>) -> Error {
    let names = lua.inspect_stack(0, |running| {
        let names = running.names();
        (names.name.map(|name| name.into_owned()), names.name_what == Some("method"))
    });
    let (name, method) = names.unwrap_or_default();
    let name = name.unwrap_or_else(|| "?".into());
    let start = match (method, number) {
        (true, 1) => format!("calling '{name}' on bad self ("),
        (true, 0) => format!("bad argument #-1 to '{name}' ("),
        (true, _) => format!("bad argument #{} to '{name}' (", number - 1),
        (false, _) => format!("bad argument #{number} to '{name}' ("),
    };
    error(lua, [start.as_bytes(), message.as_ref(), b")"].concat())
}

/// An error for want of stack slots: what luaL_checkstack raises.
pub fn no_slots(lua: &Lua, why: &str) -> Error {
    error(lua, format!("stack overflow ({why})"))
}

/// The same for a function that has failed for want of mlua's slots, of which there are a few less. It no longer has
/// any: the error needs one.
pub fn no_slots_if_so(lua: &Lua, error: Error, why: &str) -> Error {
    if let Error::StackError = error { no_slots(lua, why) } else { error }
}

/// The Lua value of an error: the one that was raised, or else its text.
pub fn value_of(lua: &Lua, error: &Error) -> mlua::Result<Value> {
    let text = match error {
        Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } => return value_of(lua, cause),
        Error::ExternalError(external) => match external.downcast_ref() {
            Some(Raised(value)) => return Ok(value.clone()),
            None => external.to_string(),
        },
        Error::RuntimeError(message) | Error::MemoryError(message) => message.clone(),
        other => other.to_string(),
    };
    Ok(Value::String(lua.create_string(text)?))
}

/// Makes `pcall`, `xpcall`, `coroutine.resume` and `coroutine.wrap` show the values of `raise`'s errors. Returns what
/// gives the value of an error that Lua's own functions have caught.
pub fn catch_as_values(lua: &Lua) -> mlua::Result<Function> {
    // There may be no memory for it when it is needed.
    let no_memory = lua.create_string("not enough memory")?;
    let plain = lua.create_function(move |lua, failure: Value| match failure {
        Value::Error(error) => Ok(value_of(lua, &error).unwrap_or_else(|_| Value::String(no_memory.clone()))),
        other => Ok(other),
    })?;
    lua.load(include_str!("catching.lua")).set_name("=[C]").call((lua.globals(), plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lua() -> Lua {
        let lua = Lua::new();
        catch_as_values(&lua).unwrap();
        let fail = lua.create_function(|lua, ()| -> mlua::Result<()> { Err(error(lua, b"failed \xff")) }).unwrap();
        let refuse = lua.create_function(|lua, ()| -> mlua::Result<()> { Err(argument(lua, 1, "no")) }).unwrap();
        let second = lua.create_function(|lua, ()| -> mlua::Result<()> { Err(argument(lua, 2, "no")) }).unwrap();
        let throw = lua.create_function(|_, thrown: Value| -> mlua::Result<()> { Err(value(thrown)) }).unwrap();
        for (name, function) in [("fail", fail), ("refuse", refuse), ("second", second), ("throw", throw)] {
            lua.globals().set(name, function).unwrap();
        }
        lua
    }

    fn results(lua: &Lua, source: &str) -> Vec<Value> {
        lua.load(source).set_name("@script").eval::<mlua::MultiValue>().unwrap().into_vec()
    }

    #[track_caller]
    fn check(source: &str, expected: &[u8]) {
        let lua = lua();
        let results = results(&lua, source);
        let text = results.last().and_then(Value::as_string).expect("a string");
        assert_eq!(text.as_bytes().escape_ascii().to_string(), expected.escape_ascii().to_string(), "{source}");
    }

    #[test]
    fn scripts_catch_strings_with_positions() {
        check("return pcall(function() local x = fail() end)", b"script:1: failed \xff");
        check("return pcall(function()\n return fail() end)", b"script:2: failed \xff");
        check("return pcall(fail)", b"failed \xff");
        check("return xpcall(fail, function(text) return text .. '!' end)", b"failed \xff!");
        check("return coroutine.resume(coroutine.create(function() fail() end))", b"script:1: failed \xff");
        check("local _, text = pcall(fail) return pcall(error, text)", b"failed \xff");
    }

    #[test]
    fn arguments_are_named() {
        check("return pcall(function() refuse() end)", b"script:1: bad argument #1 to 'refuse' (no)");
        check("local t = {f = refuse} return pcall(function() t:f() end)", b"script:1: calling 'f' on bad self (no)");
        check("return pcall(function() second(1) end)", b"script:1: bad argument #2 to 'second' (no)");
        check("local t = {f = second} return pcall(function() t:f(1) end)", b"script:1: bad argument #1 to 'f' (no)");
        check("return pcall(refuse)", b"bad argument #1 to '?' (no)");
    }

    #[test]
    fn other_values_stay_what_they_are() {
        let lua = lua();
        let results = |source| results(&lua, source);
        assert!(matches!(results("return pcall(throw, 7)")[..], [Value::Boolean(false), Value::Integer(7)]));
        assert!(matches!(results("return pcall(throw, {})")[..], [_, Value::Table(_), Value::Nil]));
        assert!(matches!(results("return pcall(error)")[..], [Value::Boolean(false), Value::Nil]));
        assert!(matches!(results("return pcall(select, '#', 1, nil)")[..], [Value::Boolean(true), Value::Integer(2)]));
        assert_eq!(results("return pcall(function() end)").len(), 1);
        check("return pcall(throw, {err = 'E'})", b"E");
    }

    #[test]
    fn uncaught_ones_have_their_value() {
        let lua = lua();
        let value = |source: &str| {
            let error = lua.load(source).set_name("@script").exec().unwrap_err();
            value_of(&lua, &error).unwrap()
        };
        assert_eq!(value("fail()").as_string().unwrap().as_bytes(), b"script:1: failed \xff".as_slice());
        assert!(value("throw({})").is_table());
    }
}
