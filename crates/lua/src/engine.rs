//! An interpreter that scripts share.

use crate::arguments;
use crate::host::{Host, Interrupted, LogLevel, Registered, Replication};
use crate::libraries::{self, raise};
use crate::memory::{MemoryMax, memory_max};
use crate::random::Random;
use crate::replies;
use crate::script::Script;
use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, Variadic, VmState};
use resp::Protocol;
use sha1::{Digest, Sha1};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What scripts are called in errors.
const SCRIPT_NAME: &str = "@user_script";
const LIBRARY_NAME: &str = "@user_function";
const SANDBOX_NAME: &str = "=sandbox";
const INTERRUPT: &str = "interrupt";
/// A running script is interrupted after so many instructions.
const INSTRUCTIONS: u32 = 100_000;
/// A pattern may have so many items that repeat: Lua's matcher calls itself for each of them.
const REPEATS_MAX: usize = 2_000;
const NO_MEMORY: &str = "not enough memory";

/// What `redis.call` and the others tell the engine to do; sandbox.lua has the same numbers.
mod op {
    pub const LOG: u8 = 1;
    pub const MAY_RUN: u8 = 2;
    pub const REPLICATE: u8 = 3;
    pub const RESP: u8 = 4;
    pub const INTERRUPT: u8 = 5;
    pub const REGISTER: u8 = 6;
}

/// An interpreter with its sandbox.
pub struct Engine {
    lua: Lua,
    shared: Rc<Shared>,
    globals: Table,
    library_globals: Table,
    run_script: Function,
    run_function: Function,
    load_library: Function,
    loaded: Function,
    forget: Function,
    /// What was in use after the last collection that was not Lua's own.
    collected: Cell<usize>,
}

/// What Rust functions in the interpreter and the engine share.
#[derive(Default)]
struct Shared {
    random: Random,
    /// Why the running script has to end.
    ended: Cell<Option<&'static str>>,
}

/// What is called: both get their keys and arguments in another way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// As the globals KEYS and ARGV.
    Script,
    /// As two arguments.
    Function,
}

/// Why a script failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The error, with its code.
    pub text: Vec<u8>,
    /// Where in the script, if that is known: the name of the source, and the line.
    pub place: Option<(String, usize)>,
    /// The server has counted the error already.
    pub counted: bool,
}

impl Engine {
    /// An interpreter; `constants` are fields of `redis` that are texts.
    pub fn new(constants: &[(&str, &str)], numbers: &[(&str, f64)]) -> Result<Engine, String> {
        Engine::made(constants, numbers).map_err(|error| error.to_string())
    }

    fn made(texts: &[(&str, &str)], numbers: &[(&str, f64)]) -> mlua::Result<Engine> {
        let libs = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
        let lua = Lua::new_with(libs, LuaOptions::default())?;
        let shared = Rc::new(Shared::default());
        let tools = tools(&lua, &shared)?;
        raise::catch_as_values(&lua)?;
        let constants = lua.create_table()?;
        texts.iter().try_for_each(|(name, text)| constants.raw_set(*name, *text))?;
        numbers.iter().try_for_each(|(name, number)| constants.raw_set(*name, *number))?;
        for (level, name) in ["LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"].into_iter().enumerate() {
            constants.raw_set(name, level)?;
        }
        for (bits, names) in
            [(0, &["REPL_NONE"][..]), (1, &["REPL_AOF"]), (2, &["REPL_SLAVE", "REPL_REPLICA"]), (3, &["REPL_ALL"])]
        {
            names.iter().try_for_each(|name| constants.raw_set(*name, bits))?;
        }
        let libraries = lua.create_table()?;
        libraries.raw_set("bit", libraries::bits::library(&lua)?)?;
        libraries.raw_set("cjson", libraries::json::library(&lua)?)?;
        libraries.raw_set("cmsgpack", libraries::msgpack::library(&lua)?)?;
        libraries.raw_set("struct", libraries::structs::library(&lua)?)?;
        lua.set_app_data(MemoryMax::default());
        let sandbox = lua.load(include_str!("sandbox.lua")).set_name(SANDBOX_NAME).into_function()?;
        let made: Table = sandbox.call((lua.globals(), tools, libraries, constants))?;
        libraries::stand_ins::set(&lua, made.get("stand_ins")?)?;
        lua.set_named_registry_value(INTERRUPT, made.get::<Function>("interrupt")?)?;
        let engine = Engine {
            globals: made.get("globals")?,
            library_globals: made.get("library_globals")?,
            collected: Cell::default(),
            forget: made.get("forget")?,
            load_library: made.get("load_library")?,
            loaded: made.get("loaded")?,
            run_script: made.get("run_script")?,
            run_function: made.get("run_function")?,
            lua,
            shared,
        };
        interrupt_now_and_then(&engine.lua, &engine.shared)?;
        // What only its making needed.
        engine.lua.gc_collect()?;
        Ok(engine)
    }

    /// Compiles a script; the error is Lua's.
    pub fn compile(&self, text: &[u8]) -> Result<Script, String> {
        compiled(&self.lua, text, SCRIPT_NAME, &self.globals).map(Script)
    }

    /// Runs a script with its keys and arguments. Returns its result and the version of the protocol that it chose.
    pub fn run(
        &self,
        script: &Script,
        kind: Kind,
        keys: &[&[u8]],
        args: &[&[u8]],
        host: &mut dyn Host,
    ) -> (Result<Value, Failure>, Protocol) {
        self.enter(host, |entry| {
            let run = if kind == Kind::Script { &self.run_script } else { &self.run_function };
            let (keys, args) = (strings(&self.lua, keys)?, strings(&self.lua, args)?);
            run.call((&script.0, entry.host, entry.call, entry.pcall, keys, args))
        })
    }

    /// Compiles a library and has it register its functions. The error is Redis's, without its code.
    pub fn load_library(&self, text: &[u8], host: &mut dyn Host) -> Result<(), String> {
        let compiled = compiled(&self.lua, text, LIBRARY_NAME, &self.library_globals);
        let library = compiled.map_err(|error| format!("Error compiling function: {error}"))?;
        let (loaded, _) = self.enter(host, |entry| self.load_library.call((library, entry.host)));
        self.loaded.call::<()>(()).map_err(|error| reason(&error))?;
        let failed = |failure: Failure| String::from_utf8_lossy(&failure.text).into_owned();
        loaded.map(drop).map_err(|failure| format!("Error registering functions: {}", failed(failure)))
    }

    /// Has `start` call into Lua, from where calls go to `host`. It returns whether that worked, and the result or the
    /// error.
    fn enter(
        &self,
        host: &mut dyn Host,
        start: impl FnOnce(Entry) -> mlua::Result<(bool, Value)>,
    ) -> (Result<Value, Failure>, Protocol) {
        self.shared.ended.set(None);
        let protocol = Cell::new(Protocol::Resp2);
        let calls = RefCell::new(Calls { shared: &self.shared, protocol: &protocol, host });
        let outcome = self.lua.scope(|scope| {
            let calls = &calls;
            start(Entry {
                host: scope.create_function(move |lua, (op, args): (u8, Variadic<Value>)| {
                    calls.borrow_mut().run(lua, op, &args)
                })?,
                call: scope
                    .create_function(move |lua, args: Variadic<Value>| calls.borrow_mut().call(lua, &args, true))?,
                pcall: scope
                    .create_function(move |lua, args: Variadic<Value>| calls.borrow_mut().call(lua, &args, false))?,
            })
        });
        let ended = self.end();
        let result = match (outcome, ended) {
            (Ok((true, value)), None) => Ok(value),
            (Ok((_, Value::Table(failure))), reason) => Err(self.failure(&failure, reason)),
            // There was no memory for a table.
            (Ok((_, Value::String(text))), None) => Err(Failure::plain(&text.to_string_lossy())),
            (Err(error), None) => Err(Failure::plain(&reason(&error))),
            (_, reason) => Err(Failure::plain(reason.unwrap_or("the script failed"))),
        };
        self.collect();
        (result, protocol.get())
    }

    /// Lua collects garbage when there is twice as much as after its last collection, and fails when that is more than
    /// the limit. The next script must not pay for what this one has left.
    fn collect(&self) {
        let (used, max) = (self.memory(), memory_max(&self.lua));
        if used > max / 2 && used > self.collected.get() + max / 4 {
            // What fails leaves garbage.
            let _ = self.forget.call::<()>(());
            let _ = self.lua.gc_collect();
            self.collected.set(self.memory());
        }
    }

    /// Why the script that ran had to end, if it had to.
    fn end(&self) -> Option<&'static str> {
        let ended = self.shared.ended.take();
        if ended.is_some() {
            // It fails only without memory, and then the next script is interrupted too often.
            let _ = interrupt_now_and_then(&self.lua, &self.shared);
        }
        ended
    }

    fn failure(&self, failure: &Table, ended: Option<&'static str>) -> Failure {
        let text = match (ended, failure.raw_get("err")) {
            (Some(reason), _) => format!("ERR {reason}").into_bytes(),
            (None, Ok(Value::String(text))) => text.as_bytes().to_vec(),
            _ => b"ERR the script failed with an error that is no text".to_vec(),
        };
        let place = match (failure.raw_get::<Option<String>>("source"), failure.raw_get::<Option<usize>>("line")) {
            (Ok(Some(source)), Ok(Some(line))) => Some((source, line)),
            _ => None,
        };
        let counted = failure.raw_get::<Option<bool>>("ignore_error_stats_update").ok().flatten() == Some(true);
        Failure { text, place, counted }
    }

    /// Limits the memory of the interpreter and all its values, in bytes. A script that wants more fails.
    pub fn limit_memory(&self, bytes: usize) {
        let changed = self.lua.app_data_mut::<MemoryMax>().is_some_and(|mut max| {
            let earlier = std::mem::replace(&mut max.0, bytes);
            earlier != bytes
        });
        // It fails only in interpreters that were made elsewhere.
        let _ = changed.then(|| self.lua.set_memory_limit(bytes));
    }

    /// Memory of the interpreter and all its values.
    pub fn memory(&self) -> usize {
        self.lua.used_memory()
    }
}

impl Failure {
    fn plain(text: &str) -> Failure {
        Failure { text: format!("ERR {text}").into_bytes(), place: None, counted: false }
    }
}

/// An error of the interpreter as text.
pub fn reason(error: &mlua::Error) -> String {
    match error {
        mlua::Error::MemoryError(_) => NO_MEMORY.into(),
        mlua::Error::CallbackError { cause, .. } => reason(cause),
        error => error.to_string(),
    }
}

fn interrupt_now_and_then(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<()> {
    let shared = shared.clone();
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS), move |lua, _| {
        lua.named_registry_value::<Function>(INTERRUPT)?.call::<()>(())?;
        let Some(reason) = shared.ended.get() else { return Ok(VmState::Continue) };
        // What catches the error fails at its next line, too.
        lua.set_global_hook(HookTriggers::EVERY_LINE, move |_, debug| {
            if debug.source().source.is_none_or(|name| name.starts_with('=')) {
                return Ok(VmState::Continue);
            }
            Err(mlua::Error::RuntimeError(reason.into()))
        })?;
        Err(mlua::Error::RuntimeError(reason.into()))
    })
}

/// What scripts call, as functions of the interpreter.
struct Entry {
    host: Function,
    call: Function,
    pcall: Function,
}

/// What a running script calls.
struct Calls<'a> {
    shared: &'a Shared,
    protocol: &'a Cell<Protocol>,
    host: &'a mut dyn Host,
}

impl Calls<'_> {
    /// True if it failed, and the result or the error.
    fn run(&mut self, lua: &Lua, op: u8, args: &[Value]) -> mlua::Result<(bool, Value)> {
        // They are copied.
        if arguments::len(args) > memory_max(lua) {
            return text(lua, "ERR not enough memory");
        }
        match op {
            op::LOG => self.log(lua, args),
            op::MAY_RUN => self.may_run(lua, args),
            op::REPLICATE => Ok((self.replicate(args).is_none(), Value::Nil)),
            op::RESP => Ok((self.choose_protocol(args).is_none(), Value::Nil)),
            op::INTERRUPT => {
                if let Interrupted::Ends(reason) = self.host.interrupt() {
                    self.shared.ended.set(Some(reason));
                }
                Ok((false, Value::Nil))
            }
            op::REGISTER => self.register(lua, args),
            _ => Ok((true, Value::Nil)),
        }
    }

    fn call(&mut self, lua: &Lua, args: &[Value], raises: bool) -> mlua::Result<Value> {
        if args.is_empty() {
            return failed(lua, "ERR Please specify at least one argument for this redis lib call", raises);
        }
        // They are copied.
        if arguments::len(args) > memory_max(lua) {
            return failed(lua, "ERR not enough memory", raises);
        }
        let Some(args) = arguments::of_values(args) else {
            return failed(lua, "ERR Lua redis lib command arguments must be strings or integers", raises);
        };
        let mut reply = Vec::new();
        let worked = self.host.call(&args, self.protocol.get(), &mut reply);
        if !worked && raises {
            let text = reply.strip_prefix(b"-").and_then(|text| text.strip_suffix(b"\r\n")).unwrap_or(&reply);
            return Err(raise::value(error(lua, text, true)?));
        }
        Ok(replies::value(lua, &reply)?.0)
    }

    fn log(&mut self, lua: &Lua, args: &[Value]) -> mlua::Result<(bool, Value)> {
        let Some(level) = args.first().and_then(number) else {
            return text(lua, "ERR First argument must be a number (log level).");
        };
        let Some(level) = LogLevel::from_number(level) else { return text(lua, "ERR Invalid debug level.") };
        let words: Vec<Vec<u8>> =
            args[1..].iter().filter_map(|arg| arguments::of_values(std::slice::from_ref(arg))).flatten().collect();
        self.host.log(level, &words.join(&b' '));
        Ok((false, Value::Nil))
    }

    fn may_run(&mut self, lua: &Lua, args: &[Value]) -> mlua::Result<(bool, Value)> {
        let Some(args) = arguments::of_values(args) else {
            return text(lua, "ERR redis.acl_check_cmd() require all the arguments to be strings or integers");
        };
        match self.host.may_run(&args) {
            Some(may) => Ok((false, Value::Boolean(may))),
            None => text(lua, "ERR Invalid command passed to redis.acl_check_cmd()"),
        }
    }

    fn replicate(&mut self, args: &[Value]) -> Option<()> {
        self.host.replicate(Replication::from_number(number(args.first()?)?)?);
        Some(())
    }

    fn choose_protocol(&mut self, args: &[Value]) -> Option<()> {
        let version = number(args.first()?)?;
        self.protocol.set(if version == 2.0 {
            Protocol::Resp2
        } else if version == 3.0 {
            Protocol::Resp3
        } else {
            return None;
        });
        Some(())
    }

    fn register(&mut self, lua: &Lua, args: &[Value]) -> mlua::Result<(bool, Value)> {
        let [Value::String(name), Value::Function(call), description, flags @ ..] = args else {
            return text(lua, "ERR wrong arguments");
        };
        let Some(flags) = arguments::of_values(flags) else {
            return text(lua, "ERR unknown flag given");
        };
        let description = match description {
            Value::String(description) => Some(description.as_bytes().to_vec()),
            _ => None,
        };
        let name = name.as_bytes().to_vec();
        match self.host.register(Registered { name, script: Script(call.clone()), description, flags }) {
            Ok(()) => Ok((false, Value::Nil)),
            Err(reason) => text(lua, &reason),
        }
    }
}

/// An error of `redis.call` that is the script's own.
fn failed(lua: &Lua, text: &str, raises: bool) -> mlua::Result<Value> {
    let error = error(lua, text.as_bytes(), false)?;
    if raises { Err(raise::value(error)) } else { Ok(error) }
}

/// What an error is to a script. `counted`: the server has counted it already.
fn error(lua: &Lua, text: &[u8], counted: bool) -> mlua::Result<Value> {
    let table = lua.create_table_with_capacity(0, 2)?;
    table.raw_set("err", lua.create_string(text)?)?;
    if counted {
        table.raw_set("ignore_error_stats_update", true)?;
    }
    Ok(Value::Table(table))
}

fn text(lua: &Lua, text: &str) -> mlua::Result<(bool, Value)> {
    Ok((true, Value::String(lua.create_string(text)?)))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        Value::String(text) => text.to_str().ok()?.trim().parse().ok(),
        _ => None,
    }
}

fn strings(lua: &Lua, texts: &[&[u8]]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(texts.len(), 0)?;
    for (at, text) in texts.iter().enumerate() {
        table.raw_set(at + 1, lua.create_string(text)?)?;
    }
    Ok(table)
}

/// A function of a text that is no bytecode.
fn compiled(lua: &Lua, text: &[u8], name: &str, globals: &Table) -> Result<Function, String> {
    if text.first() == Some(&0x1B) {
        return Err("bytecode is not allowed".into());
    }
    let chunk = lua.load(text).set_name(name).set_mode(ChunkMode::Text).set_environment(globals.clone());
    chunk.into_function().map_err(|error| match error {
        mlua::Error::SyntaxError { message, .. } => message,
        error => reason(&error),
    })
}

/// What the sandbox needs of Rust.
fn tools(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let tools = lua.create_table()?;
    tools.raw_set("sha1", lua.create_function(|_, text: mlua::LuaString| Ok(hex(&text.as_bytes())))?)?;
    // Lua's own, which the sandbox's takes the place of.
    tools.raw_set("pcall", lua.globals().raw_get::<Function>("pcall")?)?;
    tools.raw_set("repeats_max", REPEATS_MAX)?;
    tools.raw_set("where", lua.create_function(|lua, ()| Ok(place(lua)))?)?;
    let random = shared.clone();
    tools.raw_set("random", lua.create_function(move |_, ()| Ok(random.random.next()))?)?;
    let random = shared.clone();
    tools.raw_set(
        "seed",
        lua.create_function(move |_, seed: f64| {
            random.random.seed(seed as i64 as u32);
            Ok(())
        })?,
    )?;
    tools.raw_set(
        "compile",
        lua.create_function(|lua, (text, name): (mlua::LuaString, mlua::LuaString)| {
            let compiled = compiled(lua, &text.as_bytes(), &name.to_string_lossy(), &lua.globals());
            match compiled {
                Ok(function) => Ok((Some(function), None)),
                Err(message) => Ok((None, Some(message))),
            }
        })?,
    )?;
    tools.raw_set(
        "failing",
        lua.create_function(|lua, run: Function| {
            lua.create_function(move |lua, args: MultiValue| {
                let (failure, result): (Option<mlua::LuaString>, Value) = run.call(args)?;
                match failure {
                    Some(text) => Err(raise::value(error(lua, &text.as_bytes(), false)?)),
                    None => Ok(result),
                }
            })
        })?,
    )?;
    Ok(tools)
}

fn hex(text: &[u8]) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The source and the line of the script's function that runs.
fn place(lua: &Lua) -> (Option<String>, Option<usize>) {
    for level in 1.. {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let name = source.source.as_deref().unwrap_or_default();
            let is_script = source.what != "C" && !name.starts_with('=');
            is_script.then(|| (name.to_string(), debug.current_line()))
        });
        match found {
            None => break,
            Some(Some((name, line))) => return (Some(name), line),
            Some(None) => {}
        }
    }
    (None, None)
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
