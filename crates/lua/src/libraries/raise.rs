//! Errors of the libraries' functions, as scripts see them.
//!
//! A Rust function cannot raise a Lua string itself: mlua raises a userdata of its own. The userdata of these errors
//! carries the value that C code would have raised, and `catch_as_values` makes `pcall` and its relatives hand that out.

use mlua::{Error, Function, Lua, Table, Value};
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

/// Lua functions, so that they add nothing to the C calls that may nest. As in Redis, pcall gives the text of an error
/// table's `err`, and shows that there is none as a third result.
const CATCHING: &str = r#"
    local pcall, xpcall, resume, select, type, error, plain = ...
    local function seen(ok, ...)
        if not ok and type((...)) == 'userdata' then return ok, plain((...)) end
        return ok, ...
    end
    local function seen_by_pcall(ok, ...)
        if ok then return ok, ... end
        local failure = ...
        if type(failure) == 'userdata' then failure = plain(failure) end
        if type(failure) ~= 'table' then return ok, failure end
        local text = failure.err
        if type(text) == 'string' or type(text) == 'number' then return ok, text end
        return ok, failure, text
    end
    return function(...)
        if select('#', ...) == 0 then return false, 'attempt to call a boolean value' end
        return seen_by_pcall(pcall(...))
    end, function(...)
        if select('#', ...) < 2 then error("bad argument #2 to 'xpcall' (value expected)", 2) end
        local run, handler = ...
        return seen(xpcall(run, function(failure)
            if type(failure) == 'userdata' then failure = plain(failure) end
            return handler(failure)
        end))
    end, function(...)
        return seen(resume(...))
    end
"#;

/// Replaces `pcall`, `xpcall` and `coroutine.resume` by functions whose callers see the values of `raise`'s errors.
pub fn catch_as_values(lua: &Lua) -> mlua::Result<()> {
    let globals = lua.globals();
    let coroutine: Table = globals.get("coroutine")?;
    let plain = lua.create_function(|lua, failure: Value| match failure {
        Value::Error(error) => value_of(lua, &error),
        other => Ok(other),
    })?;
    let [old_pcall, old_xpcall, select, kind, error] =
        ["pcall", "xpcall", "select", "type", "error"].map(|name| globals.get::<Function>(name));
    let resume: Function = coroutine.get("resume")?;
    let (pcall, xpcall, resume): (Function, Function, Function) =
        lua.load(CATCHING).set_name("=[C]").call((old_pcall?, old_xpcall?, resume, select?, kind?, error?, plain))?;
    globals.set("pcall", pcall)?;
    globals.set("xpcall", xpcall)?;
    coroutine.set("resume", resume)
}
