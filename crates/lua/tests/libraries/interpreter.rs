//! Scripts, run by a Lua with the libraries, and by redis-server.

use lua::libraries::{bits, json, msgpack, raise, structs};
use lua::mlua::{Lua, LuaString, Value};
use testkit::Client;

/// What scripts to compare begin with.
pub const SHOW: &str = include_str!("show.lua");

/// A Lua with the libraries as globals.
pub fn interpreter() -> Lua {
    let lua = Lua::new();
    raise::catch_as_values(&lua).unwrap();
    let globals = lua.globals();
    globals.set("bit", bits::library(&lua).unwrap()).unwrap();
    globals.set("cjson", json::library(&lua).unwrap()).unwrap();
    globals.set("cmsgpack", msgpack::library(&lua).unwrap()).unwrap();
    globals.set("struct", structs::library(&lua).unwrap()).unwrap();
    lua
}

/// What a script returns: bytes, or the text of its error.
pub fn run(lua: &Lua, script: &str, arguments: &[&[u8]]) -> Vec<u8> {
    let strings = arguments.iter().map(|bytes| lua.create_string(bytes).unwrap());
    lua.globals().set("ARGV", lua.create_sequence_from(strings).unwrap()).unwrap();
    let result = lua.load(script).set_name("@user_script").eval::<LuaString>();
    match result {
        Ok(bytes) => bytes.as_bytes().to_vec(),
        Err(error) => match raise::value_of(lua, &error).unwrap() {
            Value::String(text) => text.as_bytes().to_vec(),
            other => panic!("{other:?}"),
        },
    }
}

/// What an expression is as text, or the text of its error.
#[track_caller]
pub fn check(lua: &Lua, expression: &str, expected: &str) {
    let script =
        format!("local ok, text = pcall(function() local x = {expression} return x end) return tostring(text)");
    let text: LuaString = lua.load(script).set_name("@script").eval().unwrap();
    assert_eq!(text.to_string_lossy(), expected, "{expression}");
}

/// The same by redis-server.
pub fn run_redis(client: &mut Client, script: &str, arguments: &[&[u8]]) -> Vec<u8> {
    let mut request: Vec<&[u8]> = vec![b"EVAL", script.as_bytes(), b"0"];
    request.extend(arguments);
    client.ask(&request)
}
