use super::*;

/// A server that knows ECHO and ERR.
#[derive(Default)]
struct Echo {
    logged: Vec<String>,
    interrupts: usize,
    registered: Vec<Registered>,
}

impl Host for Echo {
    fn call(&mut self, args: &[Vec<u8>], _: Protocol, reply: &mut Vec<u8>) -> bool {
        match &args[0][..] {
            b"echo" => resp::writer::bulk(reply, &args[1]),
            b"raw" => reply.extend_from_slice(&args[1]),
            _ => {
                resp::writer::error(reply, "ERR no");
                return false;
            }
        }
        true
    }

    fn may_run(&mut self, args: &[Vec<u8>]) -> Option<bool> {
        (args[0] == b"echo").then_some(true)
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

fn shown(engine: &Engine, text: &str, protocol: Protocol) -> String {
    let script = match engine.compile(text.as_bytes()) {
        Ok(script) => script,
        Err(error) => return format!("not compiled: {error}"),
    };
    let (result, chosen) = engine.run(&script, Kind::Script, &[b"k1", b"k2"], &[b"a1"], &mut Echo::default());
    match result {
        Ok(value) => {
            let mut out = Vec::new();
            crate::write(&value, &mut out, protocol, chosen, &mut |_, _| {}).unwrap();
            String::from_utf8_lossy(&out).replace("\r\n", " ").trim_end().into()
        }
        Err(failure) => {
            let place = failure.place.map(|(source, line)| format!(" {source}:{line}")).unwrap_or_default();
            format!("failed: {}{place}", String::from_utf8_lossy(&failure.text))
        }
    }
}

fn expect(script: &str, reply: &str) {
    let engine = Engine::new(&[("REDIS_VERSION", "7.0.15")], &[]).unwrap();
    assert_eq!(shown(&engine, script, Protocol::Resp2), reply, "{script}");
}

#[test]
fn results() {
    expect("return 3.99", ":3");
    expect("return -3.99", ":-3");
    expect("return 'a\\0b'", "$3 a\0b");
    expect("return {1,'b',{true,false,nil,4}}", "*3 :1 $1 b *2 :1 $-1");
    expect("return {err='MY x'}", "-MY x");
    expect("return {ok='fi\\r\\nne'}", "+fi  ne");
    expect("return {double=3.5}", "$3 3.5");
    expect("return {big_number='12\\r\\n3'}", "$5 12  3");
    expect("return {KEYS[1],KEYS[2],ARGV[1],KEYS[3]}", "*3 $2 k1 $2 k2 $2 a1");
    expect("local t={} t[1]=t return t", &format!("{}-ERR reached lua stack limit", "*1 ".repeat(DEPTH)));
}

const DEPTH: usize = crate::DEPTH_MAX;

#[test]
fn calls() {
    expect("return redis.call('echo', 12)", "$2 12");
    expect("return redis.call('echo', 1.5)", "$3 1.5");
    expect("return redis.call('raw', '*2\\r\\n$-1\\r\\n:5\\r\\n')[2]", ":5");
    expect("return redis.call('raw', '|1\\r\\n+a\\r\\n*1\\r\\n:1\\r\\n+b\\r\\n')", "+b");
    expect("return redis.call('nosuch')", "failed: ERR no @user_script:1");
    expect("return redis.pcall('nosuch')", "-ERR no");
    expect("local ok, e = pcall(redis.call, 'nosuch') return {tostring(ok), e}", "*2 $5 false $6 ERR no");
    expect(
        "return redis.call({})",
        "failed: ERR Lua redis lib command arguments must be strings or integers @user_script:1",
    );
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
}

#[test]
fn a_script_without_an_end_is_interrupted() {
    expect("while true do end", "failed: ERR enough @user_script:1");
    expect("while true do pcall(function() while true do end end) end", "failed: ERR enough @user_script:1");
    expect("coroutine.wrap(function() while true do end end)()", "failed: ERR enough @user_script:1");
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
            crate::write(&value, &mut out, Protocol::Resp2, Protocol::Resp2, &mut |_, _| {}).unwrap();
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
