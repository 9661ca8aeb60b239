//! Tests of what scripts see.

use super::tests::{Echo, expect, shown};
use super::*;
use crate::host::Registered;

#[test]
fn functions_of_redis_refuse_other_arguments() {
    for (call, error) in [
        ("redis.log(1)", "redis.log() requires two arguments or more."),
        ("redis.setresp(2, 3)", "redis.setresp() requires one argument."),
        ("redis.set_repl(1, 2)", "redis.set_repl() requires two arguments."),
        ("redis.sha1hex('a', 'b')", "wrong number of arguments"),
    ] {
        expect(call, &format!("failed: ERR {error} @user_script:1"));
    }
    expect("return redis.status_reply(1)", "-ERR wrong number or type of arguments");
    expect("return redis.sha1hex(12)", "$40 7b52009b64fd0a2a49e6d8a939753077792b0554");
    expect("return redis.replicate_commands()", ":1");
}

#[test]
fn every_shared_table_is_protected() {
    for script in ["coroutine.wrap=1", "table.insert=1", "math.pi=1", "string.x=1", "bit.band=1", "cjson.encode=1"] {
        expect(script, "failed: ERR user_script:1: Attempt to modify a readonly table @user_script:1");
    }
    expect("table.remove(redis)", "failed: ERR Attempt to modify a readonly table @user_script:1");
    expect("return tostring(getmetatable(math))", "$3 nil");
    expect("return type(next(redis))", "$6 string");
    // As an error it is none that could be told, and gets nothing from that.
    let engine = Engine::new(&[], &[]).unwrap();
    assert!(shown(&engine, "error(redis)", Protocol::Resp2).starts_with("failed: ERR "));
    assert_eq!(shown(&engine, "return redis.source", Protocol::Resp2), "$-1");
}

#[test]
fn texts_are_compiled_as_in_lua() {
    expect("return loadstring('return ...')(7)", ":7");
    expect("return select('#', loadstring(12))", ":2");
    expect("local n = 0 return load(function() n = n + 1 return n == 1 and 'return 7' or '' end)()", ":7");
    expect(
        "local pieces = {'x x'} return select(2, load(function() return table.remove(pieces) end))",
        "$31 (load):1: '=' expected near 'x'",
    );
}

#[test]
fn caught_errors_are_what_was_raised() {
    expect("return select(2, pcall(error, {err = 12}))", ":12");
    expect("return select(2, pcall())", "$31 attempt to call a boolean value");
    let with = "setmetatable({}, {__index = function() error('mine', 0) end})";
    expect(&format!("return select(2, pcall(function() local x = ('x'):gsub('.', {with}) end))"), "$4 mine");
}

#[test]
fn no_way_around_the_limit_of_patterns() {
    for call in ["local x = ('a'):gsub(('.+'):rep(2001), '', 1)", "for x in ('a'):gfind(('a-'):rep(2001)) do end"] {
        expect(call, "failed: ERR user_script:1: pattern too complex @user_script:1");
    }
}

/// What a library registers, or why it is refused.
fn load(engine: &Engine, text: &str) -> Result<(Vec<Registered>, Vec<String>), String> {
    let mut host = Echo::default();
    engine.load_library(text.as_bytes(), &mut host).map(|()| (host.registered, host.logged))
}

#[test]
fn functions_are_registered_by_names_alone() {
    let engine = Engine::new(&[], &[]).unwrap();
    let (registered, logged) = load(
        &engine,
        "redis.log(redis.LOG_NOTICE, 'loading') redis.register_function(5, function() \
         return {type(redis.replicate_commands), type(redis.breakpoint), type(redis.debug), type(redis.call)} end) \
         redis.register_function{function_name = 'f', callback = function() end, description = 6}",
    )
    .unwrap();
    assert_eq!(logged, ["Notice loading"]);
    let names: Vec<_> =
        registered.iter().map(|function| (&function.name[..], function.description.as_deref())).collect();
    assert_eq!(names, [(&b"5"[..], None), (b"f", Some(&b"6"[..]))]);
    let (result, _) = engine.run(&registered[0].script, Kind::Function, &[], &[], &mut Echo::default());
    let mut out = Vec::new();
    let protocols = (Protocol::Resp2, Protocol::Resp2);
    crate::write(&result.unwrap(), &mut out, usize::MAX, protocols, &mut |_, _| {}).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().replace("\r\n", " "), "*4 $3 nil $3 nil $3 nil $8 function ");
    for (arguments, error) in [
        ("('f', function() end, 1)", "wrong number of arguments to redis.register_function"),
        (
            "{function_name = 'f', callback = 1}",
            "callback argument given to redis.register_function must be a function",
        ),
        ("{function_name = 'f'}", "redis.register_function must get a callback argument"),
        (
            "{function_name = {}, callback = f}",
            "function_name argument given to redis.register_function must be a string",
        ),
        ("({}, f)", "first argument to redis.register_function must be a string"),
        (
            "{function_name = 'f', callback = f, flags = 1}",
            "flags argument to redis.register_function must be a table representing function flags",
        ),
        (
            "{function_name = 'f', callback = f, description = {}}",
            "description argument given to redis.register_function must be a string",
        ),
        ("{function_name = 'f', callback = f, x = 1}", "unknown argument given to redis.register_function"),
    ] {
        let refused = load(&engine, &format!("local f = function() end redis.register_function{arguments}")).err();
        assert_eq!(refused, Some(format!("Error registering functions: ERR {error}")), "{arguments}");
    }
}
