use super::*;
use crate::host::{Interrupted, LogLevel, Registered, Replication};
use resp::Args;

/// A server that knows ECHO and ERR.
#[derive(Default)]
pub(super) struct Echo {
    pub(super) logged: Vec<String>,
    interrupts: usize,
    pub(super) registered: Vec<Registered>,
}

impl Host for Echo {
    fn call(&mut self, args: Args<'_>, _: Protocol, reply: &mut Vec<u8>) -> bool {
        match &args[0] {
            b"echo" => resp::writer::bulk(reply, &args[1]),
            b"raw" => reply.extend_from_slice(&args[1]),
            _ => {
                resp::writer::error(reply, "ERR no");
                return false;
            }
        }
        true
    }

    fn may_run(&mut self, args: Args<'_>) -> Option<bool> {
        (args[0] == *b"echo").then_some(args.len() == 2)
    }

    fn log(&mut self, level: LogLevel, text: &[u8]) {
        self.logged.push(format!("{level:?} {}", String::from_utf8_lossy(text)));
    }

    fn replicate(&mut self, _: Replication) {}

    fn interrupt(&mut self) -> Interrupted {
        self.interrupts += 1;
        if self.interrupts < 3 { Interrupted::GoesOn } else { Interrupted::Ends("enough") }
    }

    fn register(&mut self, function: Registered) -> Result<(), String> {
        self.registered.push(function);
        Ok(())
    }
}

pub(super) fn shown(engine: &Engine, text: &str, protocol: Protocol) -> String {
    let script = match engine.compile(text.as_bytes()) {
        Ok(script) => script,
        Err(error) => return format!("not compiled: {error}"),
    };
    let (result, chosen) = engine.run(&script, Kind::Script, &[b"k1", b"k2"], &[b"a1"], &mut Echo::default());
    match result {
        Ok(value) => {
            let mut out = Vec::new();
            crate::write(&value, &mut out, usize::MAX, (protocol, chosen), &mut |_, _| {}).unwrap();
            String::from_utf8_lossy(&out).replace("\r\n", " ").trim_end().into()
        }
        Err(failure) => {
            let place = failure.place.map(|(source, line)| format!(" {source}:{line}")).unwrap_or_default();
            format!("failed: {}{place}", String::from_utf8_lossy(&failure.text))
        }
    }
}

pub(super) fn expect(script: &str, reply: &str) {
    let engine = Engine::new(&[("REDIS_VERSION", "7.0.15")], &[]).unwrap();
    assert_eq!(shown(&engine, script, Protocol::Resp2), reply, "{script}");
}

#[test]
fn results() {
    expect("return 3.99", ":3");
    expect("return -3.99", ":-3");
    for outside in ["2^63", "-2^70", "1/0", "0/0"] {
        expect(&format!("return {outside}"), ":-9223372036854775808");
    }
    expect("return 'a\\0b'", "$3 a\0b");
    expect("return {1,'b',{true,false,nil,4}}", "*3 :1 $1 b *2 :1 $-1");
    expect("return {err='MY x'}", "-MY x");
    expect("return {err='-MY x'}", "--MY x");
    expect("return {ok='fi\\r\\nne'}", "+fi  ne");
    expect("return {double=3.5}", "$3 3.5");
    expect("return {big_number='12\\r\\n3'}", "$5 12  3");
    expect("return {KEYS[1],KEYS[2],ARGV[1],KEYS[3]}", "*3 $2 k1 $2 k2 $2 a1");
    let too_deep = "-ERR reached lua stack limit";
    expect("local t={} t[1]=t return t", &format!("{}{too_deep}", "*1 ".repeat(DEPTH)));
    expect("local t={} t.map={k=t} return t", &format!("{}{too_deep}", "*2 $1 k ".repeat(DEPTH)));
    expect("local t={} t.map={[t]=1} return t", &format!("{}{too_deep}{}", "*2 ".repeat(DEPTH), " :1".repeat(DEPTH)));
    expect("local t={} t.set={[t]=true} return t", &format!("{}{too_deep}", "*1 ".repeat(DEPTH)));
}

const DEPTH: usize = crate::DEPTH_MAX;

#[test]
fn as_many_keys_and_arguments_as_there_are() {
    let engine = Engine::new(&[], &[]).unwrap();
    let shown = "return {#keys, #args, table.concat(keys, ','), table.concat(args, ',')}";
    let script = engine.compile(format!("local keys, args = KEYS, ARGV {shown}").as_bytes()).unwrap();
    let mut host = Echo::default();
    let library = format!("redis.register_function('f', function(keys, args) {shown} end)");
    engine.load_library(library.as_bytes(), &mut host).unwrap();
    let function = host.registered.remove(0).script;
    for texts in [[&b"a"[..], b"", b"c", b"d", b"e"], [b"a", b"\xff\0", b"c", b"d", b"e"]] {
        for (keys, args) in (0..=5).flat_map(|keys| (0..=5).map(move |args| (keys, args))) {
            let (keys, args) = (&texts[..keys], &texts[..args]);
            let (mut expected, mut out) = (Vec::new(), Vec::new());
            resp::writer::array(&mut expected, 4);
            resp::writer::integer(&mut expected, keys.len() as i64);
            resp::writer::integer(&mut expected, args.len() as i64);
            resp::writer::bulk(&mut expected, &keys.join(&b','));
            resp::writer::bulk(&mut expected, &args.join(&b','));
            for (script, kind) in [(&script, Kind::Script), (&function, Kind::Function)] {
                out.clear();
                let (result, chosen) = engine.run(script, kind, keys, args, &mut Echo::default());
                let protocols = (Protocol::Resp2, chosen);
                crate::write(&result.unwrap(), &mut out, usize::MAX, protocols, &mut |_, _| {}).unwrap();
                assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
            }
        }
    }
}

#[test]
fn calls() {
    expect("return redis.call('echo', 12)", "$2 12");
    expect("return redis.call('echo', 1.5)", "$3 1.5");
    expect("return redis.call('raw', '*2\\r\\n$-1\\r\\n:5\\r\\n')[2]", ":5");
    expect("redis.call('echo', 'a') return redis.call('echo', 'b')", "$1 b");
    for (reply, value) in [
        ("'$-1\\r\\n'", " == false"),
        ("'*-1\\r\\n'", " == false"),
        ("'_\\r\\n'", " == nil"),
        ("'=5\\r\\ntxt:b\\r\\n'", ".verbatim_string.format == 'txt'"),
        ("'~1\\r\\n+a\\r\\n'", ".set ~= nil"),
        ("'~1\\r\\n:7\\r\\n'", ".set[7] == true"),
        // No key of a table is null.
        ("'~1\\r\\n_\\r\\n'", ".set[1] == nil"),
        ("'%1\\r\\n_\\r\\n:1\\r\\n'", ".map[1] == nil"),
    ] {
        expect(&format!("return redis.call('raw', {reply}){value}"), ":1");
    }
    expect("return redis.call('raw', '|1\\r\\n+a\\r\\n*1\\r\\n:1\\r\\n+b\\r\\n')", "+b");
    expect("return redis.call('nosuch')", "failed: ERR no @user_script:1");
    expect("return redis.pcall('nosuch')", "-ERR no");
    expect("local ok, e = pcall(redis.call, 'nosuch') return {tostring(ok), e}", "*2 $5 false $6 ERR no");
    expect(
        "return redis.call({})",
        "failed: ERR Lua redis lib command arguments must be strings or integers @user_script:1",
    );
    expect("return redis.pcall({})", "-ERR Lua redis lib command arguments must be strings or integers");
    expect("return redis.pcall()", "-ERR Please specify at least one argument for this redis lib call");
    expect("return redis.error_reply('-X y')", "-X y");
    expect("return redis.error_reply('x')", "-ERR x");
    expect("return redis.sha1hex('')", "$40 da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect("\nreturn redis.log(9,'a')", "failed: ERR Invalid debug level. @user_script:2");
}

#[test]
fn failures_say_where() {
    expect("error('x')", "failed: ERR user_script:1: x @user_script:1");
    expect("error({err='MY x'})", "failed: MY x @user_script:1");
    expect("return 1+nil", "failed: ERR user_script:1: attempt to perform arithmetic on a nil value @user_script:1");
    expect("while", "not compiled: user_script:1: unexpected symbol near '<eof>'");
    expect("\x1bLua", "not compiled: bytecode is not allowed");
}

#[test]
fn what_all_scripts_share_cannot_be_changed() {
    const READONLY: &str = "Attempt to modify a readonly table @user_script:1";
    for script in [
        "a=10",
        "redis=1",
        "KEYS=1",
        "_G={}",
        "string.format=1",
        "getmetatable(_G).__index={}",
        "getmetatable('').__index=1",
    ] {
        expect(script, &format!("failed: ERR user_script:1: {READONLY}"));
    }
    for script in ["setmetatable(_G,{})", "rawset(_G,'a',1)", "table.insert(redis,1)", "table.sort(redis)"] {
        expect(script, &format!("failed: ERR {READONLY}"));
    }
    expect(
        "return x",
        "failed: ERR user_script:1: Script attempted to access nonexistent global variable 'x' @user_script:1",
    );
    for name in ["os", "io", "debug", "dofile", "loadfile", "print", "getfenv", "setfenv", "newproxy", "require"] {
        expect(&format!("return rawget(_G, '{name}')"), "$-1");
    }
    expect("return tostring(loadstring('\\27Lua'))", "$3 nil");
    expect("return loadstring('return KEYS[1]')()", "$2 k1");
    expect("return pcall(loadstring('x=1')) and 1 or 2", ":2");
    expect("local n=0 for k in pairs(redis) do n=n+1 end return n > 10", ":1");
}

#[test]
fn random_numbers_of_a_seed() {
    expect("math.randomseed(0) return {math.random(100), math.random(100), math.random(5,6)}", "*3 :18 :75 :5");
    expect("math.randomseed(0) pcall(math.random, 0) return math.random(100)", ":75");
    expect("math.randomseed(0) return math.random('1.9', 1.9)", ":1");
    expect("local r = math.random math.randomseed(-1) local a = r() math.randomseed(2^32 - 1) return a == r()", ":1");
}

#[test]
fn a_script_without_an_end_is_interrupted() {
    expect("while true do end", "failed: ERR enough @user_script:1");
    expect("while true do pcall(function() while true do end end) end", "failed: ERR enough @user_script:1");
    expect("coroutine.wrap(function() while true do end end)()", "failed: ERR enough @user_script:1");
    expect("pcall(function() while true do end end) error('x')", "failed: ERR enough @user_script:1");
    let engine = Engine::new(&[], &[]).unwrap();
    for _ in 0..2 {
        assert_eq!(shown(&engine, "while true do end", Protocol::Resp2), "failed: ERR enough @user_script:1");
        assert_eq!(shown(&engine, "return 1", Protocol::Resp2), ":1");
    }
}

#[test]
fn memory_has_a_limit() {
    const MIB: usize = 1024 * 1024;
    let engine = Engine::new(&[], &[]).unwrap();
    engine.limit_memory(4 * MIB);
    let lacks = "failed: ERR not enough memory";
    for script in [
        "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "loadstring('return 1')() local s = 'x' while true do s = s .. s end",
        "redis.call('echo', 'x') redis.pcall('err') local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1e9)",
        "while true do KEYS[#KEYS + 1] = (tostring(#KEYS) .. 'x'):rep(1000) end",
        "local f = function() end while true do local g = f f = function() return g() end end",
        "return unpack((function() local t = {} for i = 1, 7000 do t[i] = i end for i = 1, 1e9 do t[i] = {unpack(t)} end end)())",
        "return string.format(('%s'):rep(1000), unpack((function() local t = {} for i = 1, 1000 do t[i] = ('x'):rep(5000) end return t end)()))",
    ] {
        assert_eq!(shown(&engine, script, Protocol::Resp2), lacks, "{script}");
        // Nothing is left of it.
        assert_eq!(shown(&engine, "return #('x'):rep(1000000)", Protocol::Resp2), ":1000000", "{script}");
        assert!(engine.memory() < 3 * MIB, "{} after {script}", engine.memory());
    }
    // What is made beside the interpreter counts, too.
    let large = "local s, t = ('x'):rep(100000), {} for i = 1, 100 do t[i] = s end ";
    for (call, shows) in [
        ("return cjson.encode(t)", "failed: ERR not enough memory"),
        ("return cmsgpack.pack(t)", "failed: ERR not enough memory"),
        ("return struct.pack(('s'):rep(100), unpack(t))", "failed: ERR not enough memory"),
        ("return redis.call('echo', unpack(t))", "failed: ERR not enough memory @user_script:1"),
        ("redis.log(redis.LOG_WARNING, unpack(t))", "failed: ERR not enough memory @user_script:1"),
        ("return table.concat(t)", "failed: ERR not enough memory"),
        ("return (('x'):rep(100000):gsub('x', ('y'):rep(1000)))", "failed: ERR not enough memory"),
        (
            "s = '*100000\\r\\n' .. (':1\\r\\n'):rep(100000) for i = 1, 4 do t[i] = redis.call('raw', s) end return 1",
            "failed: ERR not enough memory @user_script:1",
        ),
    ] {
        let answer = shown(&engine, &format!("{large}{call}"), Protocol::Resp2);
        assert_eq!(answer.trim_end_matches(" @user_script:1"), shows.trim_end_matches(" @user_script:1"), "{call}");
    }
    // A script may go on without.
    let goes_on = "local ok, e = pcall(function() return ('x'):rep(1e9) end) return {tostring(ok), e}";
    assert_eq!(shown(&engine, goes_on, Protocol::Resp2), "*2 $5 false $17 not enough memory");
    let source = [b"return {".to_vec(), b"1,".repeat(MIB), b"}".to_vec()].concat();
    assert_eq!(engine.compile(&source).err().as_deref(), Some("not enough memory"));
    assert_eq!(shown(&engine, "return 1", Protocol::Resp2), ":1");
    // It can be raised.
    engine.limit_memory(64 * MIB);
    assert_eq!(shown(&engine, &format!("{large}return #cjson.encode(t)"), Protocol::Resp2), ":10000301");
}

#[test]
fn a_pattern_has_a_limit() {
    let complex = "failed: ERR user_script:1: pattern too complex @user_script:1";
    for call in [
        "local p = ('a?'):rep(300000) local x = string.find('a', p)",
        "local p = ('a*'):rep(300000) local x = ('a'):match(p)",
        "local p = ('a-'):rep(2001) for x in ('a'):gmatch(p) do end",
        "local p = ('.+'):rep(2001) local x = ('a'):gsub(p, '')",
        "local p = ('.+'):rep(2001) local x = ('a'):gsub(p, function() end)",
    ] {
        expect(call, complex);
    }
    // As deep as it may be, and where there is least stack: in as many calls as Lua allows.
    let deepest = "local p = ('a?'):rep(2000) .. 'b' \
        local function f(n) if n == 0 then return #(('a'):rep(2000) .. 'b'):match(p) end \
        return (('x'):gsub('x', function() return f(n - 1) end)) end return {f(0), f(150)}";
    expect(deepest, "*2 :2001 $4 2001");
    expect("return (('x'):rep(100000):find(('x'):rep(50000)))", ":1");
    expect("return {('a?*'):rep(3000):find(('a?*'):rep(3000), 1, true)}", "*2 :1 :9000");
}

#[test]
fn numbers_that_are_no_place_do_no_harm() {
    let numbers = "local numbers = {0, 1, -1, 1.5, '2', 2^31 - 1, -2^31, 2^31, -2^31 - 1, 2^32, -2^32 - 2^31, 1e300, 1/0, -1/0, 0/0} ";
    let all = "for _, i in ipairs(numbers) do pcall(unpack, {}, i) for _, j in ipairs(numbers) do pcall(unpack, {}, i, j) \
        end pcall(table.remove, {1}, i) end return {unpack({1, 2, 3}, '2', 2.9)}";
    expect(&format!("{numbers}{all}"), "*1 :2");
    let too_many = "failed: ERR user_script:1: too many results to unpack @user_script:1";
    for places in
        ["0, 2147483647", "-2^31, -1", "-2147483647, 2147483647", "1, 8001", "1, 1/0", "0/0", "0, -2147483649"]
    {
        expect(&format!("local x = unpack({{1, 2, 3}}, {places})"), too_many);
    }
    expect("local t = {} for i = 1, 7999 do t[i] = i end return select('#', unpack(t))", ":7999");
    let filled = "local t = {} for i = 1, 7998 do t[i] = i end";
    expect(&format!("{filled} return select('#', unpack(t, 1, 7997))"), ":7997");
    expect(&format!("{filled} return unpack(t, 1, 7998)"), too_many);
    expect("local t = {} for i = 1, 8000 do t[i] = i end return unpack(t)", too_many);
    expect("local t = {} t[2^31] = 0 table.insert(t, 2^31, 'a') return t[2^31]", "$1 a");
    expect("local t = {'a', 'b'} table.insert(t, 0, 'c') return {t[0], t[2], t[3], t[1]}", "*3 $1 c $1 a $1 b");
    expect("local t = {} table.insert(t, -0.5, 'a') table.insert(t, -1.5, 'b') return {t[-1], t[1]}", "*2 $1 b $1 a");
    expect("local t = {} table.insert(t, 0.5, 'a') return {t[0], #t}", "*2 $1 a :0");
    expect("local t = {'a'} table.insert(t, '1', 'b') return t", "*2 $1 b $1 a");
    let stopped = "failed: ERR enough @user_script:1";
    expect("table.insert({}, -2^31, 1)", stopped);
    expect("table.insert({}, '-2147483648', 1)", stopped);
}

#[test]
fn shared_tables_have_their_content() {
    expect(
        "return pcall(cjson.encode, redis) and 1 or select(2, pcall(cjson.encode, {redis}))",
        "$45 Cannot serialise function: type not supported",
    );
    expect("local n = 0 for _ in pairs(cmsgpack.unpack(cmsgpack.pack(redis))) do n = n + 1 end return n > 5", ":1");
    expect("local n = 0 table.foreach(bit, function() n = n + 1 end) return n", ":12");
    expect("error(redis)", "failed: ERR the script failed with an error that is no text @user_script:1");
    expect("pcall(error, redis) error(redis.source)", "failed: ERR nil @user_script:1");
    expect("return redis.setresp(3.9)", "$-1");
    expect("redis.setresp(9)", "failed: ERR RESP version must be 2 or 3. @user_script:1");
    expect("return redis.set_repl('x')", "$-1");
    expect("return redis.set_repl({})", "$-1");
    expect("redis.set_repl(1, 2)", "failed: ERR redis.set_repl() requires two arguments. @user_script:1");
    expect(
        "redis.set_repl(77)",
        "failed: ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE. @user_script:1",
    );
}

#[test]
fn failures_of_luas_own_functions_name_the_scripts_line() {
    for (script, text) in [
        ("return math.random(0)", "user_script:1: bad argument #1 to 'random' (interval is empty)"),
        ("return math.random(2, 1)", "user_script:1: bad argument #2 to 'random' (interval is empty)"),
        ("return math.random(1, 2, 3)", "user_script:1: wrong number of arguments"),
        (
            "local t = {1, 2, 3, 4, 5} table.sort(t, function() return true end)",
            "user_script:1: invalid order function for sorting",
        ),
        ("local t = {1, 2} table.insert(t, 1, 2, 3)", "user_script:1: wrong number of arguments to 'insert'"),
        ("local t = {1, 2} table.insert(t)", "user_script:1: wrong number of arguments to 'insert'"),
        (
            "local t = {1, 2} table.insert(t, 'x', 2)",
            "user_script:1: bad argument #2 to 'insert' (number expected, got string)",
        ),
        (
            "local t = {1, 2} table.remove(t, 'x')",
            "user_script:1: bad argument #2 to 'remove' (number expected, got string)",
        ),
    ] {
        expect(script, &format!("failed: ERR {text} @user_script:1"));
    }
    expect(
        "local t = {} return select(2, pcall(function() table.insert(t, 1, 2, 3) end)):sub(1, 14)",
        "$14 user_script:1:",
    );
}

#[test]
fn failures_in_what_a_script_returns_name_its_line() {
    for (script, failure) in [
        (
            "return string.find(nil, 'a')",
            "user_script:1: bad argument #1 to 'find' (string expected, got nil) @user_script:1",
        ),
        (
            "local f = function()\n return string.match('a') end\nf()",
            "user_script:2: bad argument #2 to 'match' (string expected, got no value) @user_script:3",
        ),
        ("\n\nreturn pairs(nil)", "user_script:3: bad argument #1 to 'pairs' (table expected, got nil) @user_script:3"),
        ("local return_1 = 1\nreturn next({}, 'a')", "invalid key to 'next' @user_script:2"),
        ("return load('x')", "user_script:1: bad argument #1 to 'load' (function expected, got string) @user_script:1"),
        (
            "return loadstring()",
            "user_script:1: bad argument #1 to 'loadstring' (string expected, got no value) @user_script:1",
        ),
        ("return ('a'):find(('a?'):rep(2001))", "user_script:1: pattern too complex @user_script:1"),
        ("return table.sort(nil)", "user_script:1: bad argument #1 to 'sort' (table expected, got nil) @user_script:1"),
        ("return rawset(_G, 'a', 1)", "Attempt to modify a readonly table @user_script:1"),
        ("return next({}, 'a')", "invalid key to 'next' @user_script:1"),
        // Nobody knows which of these has failed.
        ("if KEYS[9] then return end\nreturn rawset(_G, 'a', 1)", "Attempt to modify a readonly table"),
        ("if KEYS[9] then return end\nreturn rawget(1)", "bad argument #1 to 'rawget' (table expected, got number)"),
        ("if KEYS[9] then return end\nreturn table.sort(nil)", "bad argument #1 to 'sort' (table expected, got nil)"),
        ("local returns = 1\nreturn\rrawset(_G, 'a', 1)", "Attempt to modify a readonly table"),
    ] {
        expect(script, &format!("failed: ERR {failure}"));
    }
    // What pcall itself has called has no line.
    expect("return select(2, pcall(string.find))", "$57 bad argument #1 to 'find' (string expected, got no value)");
}

#[test]
fn coroutines_that_nest_too_deep_say_so() {
    let text = "local function f(n) local c = coroutine.wrap(f) local r = c(n + 1) return r end \
        local _, e = pcall(f, 1) return {e:gsub('user_script:1: ', '')}";
    assert!(shown(&Engine::new(&[], &[]).unwrap(), text, Protocol::Resp2).starts_with("*2 $16 C stack overflow :"));
    expect(
        "coroutine.wrap(1)",
        "failed: ERR user_script:1: bad argument #1 to 'wrap' (Lua function expected) @user_script:1",
    );
    expect(
        "coroutine.wrap(type)",
        "failed: ERR user_script:1: bad argument #1 to 'wrap' (Lua function expected) @user_script:1",
    );
}

#[test]
fn an_error_may_be_a_number() {
    expect("error({err = 12})", "failed: 12 @user_script:1");
    expect("error({err = -0.5})", "failed: -0.5 @user_script:1");
}

#[test]
fn garbage_is_no_reason_to_fail() {
    let engine = Engine::new(&[], &[]).unwrap();
    engine.limit_memory(8 << 20);
    for _ in 0..20 {
        for table in ["KEYS", "ARGV"] {
            let leaves = "KEYS[1] = ('x'):rep(1900000) KEYS[2] = KEYS[1] .. 'y' return #KEYS[2]".replace("KEYS", table);
            assert_eq!(shown(&engine, &leaves, Protocol::Resp2), ":1900001");
        }
    }
}

#[test]
fn libraries_register_functions() {
    let engine = Engine::new(&[], &[]).unwrap();
    let load = |text: &str| {
        let mut host = Echo::default();
        engine.load_library(text.as_bytes(), &mut host).map(|()| host.registered)
    };
    let functions = load(
        "local n = 'v' redis.register_function('f', function(k, a) return {k[1], a[1], n, type(math), type(redis.call)} end) \
         redis.register_function{function_name='g', callback=function() return KEYS end, flags={'no-writes'}, \
         description='d'}",
    )
    .unwrap();
    let shown: Vec<_> = functions
        .iter()
        .map(|function| (function.name.clone(), function.description.clone(), function.flags.len()))
        .collect();
    assert_eq!(shown, [(b"f".to_vec(), None, 0), (b"g".to_vec(), Some(b"d".to_vec()), 1)]);
    let run = |function: &Registered| {
        let (result, _) = engine.run(&function.script, Kind::Function, &[b"k"], &[b"a"], &mut Echo::default());
        result.map(|value| {
            let mut out = Vec::new();
            crate::write(&value, &mut out, usize::MAX, (Protocol::Resp2, Protocol::Resp2), &mut |_, _| {}).unwrap();
            String::from_utf8(out).unwrap().replace("\r\n", " ")
        })
    };
    assert_eq!(run(&functions[0]), Ok("*5 $1 k $1 a $1 v $5 table $8 function ".into()));
    assert_eq!(
        run(&functions[1]).unwrap_err().text,
        b"ERR user_function:1: Script attempted to access nonexistent global variable 'KEYS'"
    );
    for (text, error) in [
        ("retu 1", "Error compiling function: user_function:1: '=' expected near '1'"),
        (
            "redis.call('get')",
            "Error registering functions: ERR user_function:1: Script attempted to access nonexistent global variable 'call'",
        ),
        (
            "return math",
            "Error registering functions: ERR user_function:1: Script attempted to access nonexistent global variable 'math'",
        ),
        ("a = 1", "Error registering functions: ERR user_function:1: Attempt to modify a readonly table"),
        (
            "redis.register_function('f')",
            "Error registering functions: ERR calling redis.register_function with a single argument is only applicable to \
             Lua table (representing named arguments).",
        ),
        (
            "redis.register_function('f', 1)",
            "Error registering functions: ERR second argument to redis.register_function must be a function",
        ),
        (
            "redis.register_function{callback=function() end}",
            "Error registering functions: ERR redis.register_function must get a function name argument",
        ),
        ("while true do end", "Error registering functions: ERR enough"),
    ] {
        assert_eq!(load(text).err().as_deref(), Some(error), "{text}");
    }
}
