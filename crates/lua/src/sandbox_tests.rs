//! Tests of what scripts see.

use super::tests::{Echo, expect, shown};
use super::*;
use crate::host::Registered;

#[test]
fn functions_of_redis_refuse_other_arguments() {
    for (call, error) in [
        ("redis.log('x', 'y')", "First argument must be a number (log level)."),
        ("redis.acl_check_cmd()", "Please specify at least one argument for this redis lib call"),
        ("redis.acl_check_cmd('nosuch')", "Invalid command passed to redis.acl_check_cmd()"),
        ("redis.log(1)", "redis.log() requires two arguments or more."),
        ("redis.setresp(2, 3)", "redis.setresp() requires one argument."),
        ("redis.set_repl(1, 2)", "redis.set_repl() requires two arguments."),
        ("redis.sha1hex('a', 'b')", "wrong number of arguments"),
    ] {
        expect(call, &format!("failed: ERR {error} @user_script:1"));
    }
    expect("return redis.status_reply(1)", "-ERR wrong number or type of arguments");
    expect("return redis.sha1hex(12)", "$40 7b52009b64fd0a2a49e6d8a939753077792b0554");
    for text in ["{}", "true"] {
        expect(&format!("return redis.sha1hex({text})"), "$40 da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
    expect("return redis.status_reply('a', 'b')", "-ERR wrong number or type of arguments");
    expect(
        "return {redis.status_reply('a b'), redis.error_reply('MYERR'), redis.error_reply('My err')}",
        "*3 +a b -ERR MYERR -My err",
    );
    expect("return {redis.error_reply('-MY err'), redis.error_reply('-MY')}", "*2 -MY err -ERR MY");
    expect("return redis.error_reply(' x')", "- x");
    expect("redis.setresp(3) redis.setresp(2) return false", "$-1");
    expect("return redis.replicate_commands()", ":1");
    expect("return {tostring(redis.breakpoint()), type(redis.debug)}", "*2 $5 false $8 function");
    expect("return {redis.acl_check_cmd('echo', 'a'), redis.acl_check_cmd('echo')}", "*2 :1 $-1");
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
fn functions_of_strings_fail_as_in_c() {
    for (call, failure) in [
        ("string.find('a', nil)", "bad argument #2 to 'find' (string expected, got nil)"),
        ("string.gsub('a', 'a')", "bad argument #3 to 'gsub' (string/function/table expected)"),
        ("string.gsub('a', 'a', {a = {}})", "invalid replacement value (a table)"),
        ("string.gsub('a', '(', {})", "unfinished capture"),
        ("('a'):match('%')", "malformed pattern (ends with '%')"),
        ("('a'):gsub('a', '%2')", "invalid capture index"),
        ("('a'):gsub('[a', 'b')", "malformed pattern (missing ']')"),
        ("pairs(nil)", "bad argument #1 to 'pairs' (table expected, got nil)"),
        ("pairs()", "bad argument #1 to 'pairs' (table expected, got no value)"),
        ("next(1)", "bad argument #1 to 'next' (table expected, got number)"),
        ("rawset(1, 2, 3)", "bad argument #1 to 'rawset' (table expected, got number)"),
        ("table.sort()", "bad argument #1 to 'sort' (table expected, got no value)"),
        ("table.sort({2, 1}, 5)", "bad argument #2 to 'sort' (function expected, got number)"),
        ("getmetatable()", "bad argument #1 to 'getmetatable' (value expected)"),
        ("setmetatable({}, 1)", "bad argument #2 to 'setmetatable' (nil or table expected)"),
        ("unpack()", "bad argument #1 to 'unpack' (table expected, got no value)"),
        ("unpack({}, 'x')", "bad argument #2 to 'unpack' (number expected, got string)"),
        ("unpack({}, 1, 7998)", "too many results to unpack"),
        ("table.insert({}, 'x', 1)", "bad argument #2 to 'insert' (number expected, got string)"),
        ("table.insert(1, 2)", "bad argument #1 to 'insert' (table expected, got number)"),
        ("table.setn({}, 1)", "'setn' is obsolete"),
        ("math.random(2^40)", "bad argument #1 to 'random' (interval is empty)"),
        ("math.random(0, 2^31)", "bad argument #2 to 'random' (interval is empty)"),
        ("math.random('x', 2)", "bad argument #1 to 'random' (number expected, got string)"),
        ("math.random(1, {})", "bad argument #2 to 'random' (number expected, got table)"),
    ] {
        let text = format!("user_script:1: {failure}");
        expect(&format!("local x = {call}"), &format!("failed: ERR {text} @user_script:1"));
        let caught = format!("return select(2, pcall(function() local x = {call} end))");
        expect(&caught, &format!("${} {text}", text.len()));
    }
    expect("local x = ('a'):gsub('a', function() error({err = 'MY e'}) end)", "failed: MY e @user_script:1");
    expect(
        "local t = setmetatable({}, {__index = function() error('mine', 0) end}) \
         return select(2, pcall(function() ('a'):gsub('a', t) end))",
        "$4 mine",
    );
    expect("return ('a'):find(('a?'):rep(2001), 1, true)", "$-1");
    expect("return {('abc'):gsub('%w', {a = 'x'})}", "*2 $3 xbc :3");
    expect("return {string.gfind('a b', '%a')(), ('k=v'):match('(%w)=(%w)')}", "*3 $1 a $1 k $1 v");
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
    expect(
        "local pieces = {'x x'} return select(2, load(function() return table.remove(pieces) end, '@chunk'))",
        "$30 chunk:1: '=' expected near 'x'",
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
fn caught_errors_name_the_scripts_line() {
    for (script, text) in [
        ("a = 1", "Attempt to modify a readonly table"),
        ("redis.a = 1", "Attempt to modify a readonly table"),
        ("return a", "Script attempted to access nonexistent global variable 'a'"),
        ("string.find()", "bad argument #1 to 'find' (string expected, got no value)"),
        ("error(select(2, load(function() return {} end)), 0)", "reader function must return a string"),
    ] {
        let text = format!("user_script:1: {text}");
        let expected = format!("${} {text}", text.len());
        expect(&format!("return select(2, pcall(function() {script} end))"), &expected);
    }
}

/// A function has no line of the script that was run before it.
#[test]
fn functions_and_scripts_know_nothing_of_each_others_lines() {
    let engine = Engine::new(&[], &[]).unwrap();
    let text = "redis.register_function('f', function() return string.find(nil, 'a') end)";
    let function = load(&engine, text).unwrap().0.remove(0).script;
    let failure = || {
        let (result, _) = engine.run(&function, Kind::Function, &[], &[], &mut Echo::default());
        String::from_utf8(result.unwrap_err().text).unwrap()
    };
    let before = failure();
    assert_eq!(shown(&engine, "\n\nreturn 1", Protocol::Resp2), ":1");
    assert_eq!(failure(), before);
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
