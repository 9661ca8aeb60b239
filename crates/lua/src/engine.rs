//! An interpreter that scripts share.

use crate::calls::{self, Calls};
use crate::host::Host;
use crate::kind::{Failure, Kind};
use crate::libraries::{self, raise};
use crate::memory::{Limit, memory_max};
use crate::script::Script;
use crate::shared::Shared;
use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};
use resp::Protocol;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;
use std::cell::Cell;
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

impl Engine {
    /// An interpreter; `constants` are fields of `redis` that are texts.
    pub fn new(constants: &[(&str, &str)], numbers: &[(&str, f64)]) -> Result<Engine, String> {
        Engine::made(constants, numbers).map_err(|error| error.to_string())
    }

    fn made(texts: &[(&str, &str)], numbers: &[(&str, f64)]) -> mlua::Result<Engine> {
        let libs = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
        let lua = Lua::new_with(libs, LuaOptions::default())?;
        let shared = Rc::new(Shared::new());
        let tools = tools(&lua, &shared)?;
        tools.raw_set("shown", raise::catch_as_values(&lua)?)?;
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
        lua.set_app_data(shared.clone());
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
        compiled(&self.lua, text, SCRIPT_NAME, &self.globals).map(|run| Script::new(run, return_line(text)))
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
        let run = if kind == Kind::Script { &self.run_script } else { &self.run_function };
        let tables = strings(&self.lua, keys).and_then(|keys| Ok((keys, strings(&self.lua, args)?)));
        self.enter(host, || tables.and_then(|(keys, args)| run.call((&script.0.run, keys, args, script.0.return_line))))
    }

    /// Compiles a library and has it register its functions. The error is Redis's, without its code.
    pub fn load_library(&self, text: &[u8], host: &mut dyn Host) -> Result<(), String> {
        let compiled = compiled(&self.lua, text, LIBRARY_NAME, &self.library_globals);
        let library = compiled.map_err(|error| format!("Error compiling function: {error}"))?;
        let (loaded, _) = self.enter(host, || self.load_library.call(library));
        self.loaded.call::<()>(()).map_err(|error| reason(&error))?;
        let failed = |failure: Failure| String::from_utf8_lossy(&failure.text).into_owned();
        loaded.map(drop).map_err(|failure| format!("Error registering functions: {}", failed(failure)))
    }

    /// Has `start` call into Lua, from where calls go to `host`. It returns whether that worked, and the result or the
    /// error.
    fn enter(
        &self,
        host: &mut dyn Host,
        start: impl FnOnce() -> mlua::Result<(bool, Value)>,
    ) -> (Result<Value, Failure>, Protocol) {
        let protocol = Cell::new(Protocol::Resp2);
        let mut calls = Calls { shared: &self.shared, protocol: &protocol, host };
        let outcome = calls.during(|| {
            let _limited = Limit::begin(&self.lua, self.shared.memory_max.get());
            start()
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
        let (used, max) = (self.memory(), self.shared.memory_max.get());
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
            // Lua takes numbers for texts.
            (None, Ok(number @ (Value::Number(_) | Value::Integer(_)))) => {
                number.to_string().unwrap_or_default().into()
            }
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
        self.shared.memory_max.set(bytes);
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

/// A table of texts; None for none, which costs less than a table of Rust's.
fn strings(lua: &Lua, texts: &[&[u8]]) -> mlua::Result<Option<Table>> {
    if texts.is_empty() {
        return Ok(None);
    }
    // Strings of Rust are made where the table takes them from, without a reference of their own.
    if let Some(texts) = texts.iter().map(|text| str::from_utf8(text).ok()).collect::<Option<SmallVec<[_; 8]>>>() {
        return lua.create_sequence_from(texts).map(Some);
    }
    let table = lua.create_table_with_capacity(texts.len(), 0)?;
    for (at, text) in texts.iter().enumerate() {
        table.raw_set(at + 1, lua.create_string(text)?)?;
    }
    Ok(Some(table))
}

/// A function of a text that is no bytecode.
fn compiled(lua: &Lua, text: &[u8], name: &str, globals: &Table) -> Result<Function, String> {
    if text.first() == Some(&0x1B) {
        return Err("bytecode is not allowed".into());
    }
    let _limited = Limit::begin(lua, memory_max(lua));
    let chunk = lua.load(text).set_name(name).set_mode(ChunkMode::Text).set_environment(globals.clone());
    chunk.into_function().map_err(|error| match error {
        mlua::Error::SyntaxError { message, .. } => message,
        error => reason(&error),
    })
}

/// The line of each `return` of a script, from 1, if that is one line. A function that calls another one in a `return`
/// is no longer on the stack, and its line must have been this one.
fn return_line(text: &[u8]) -> Option<usize> {
    if text.contains(&b'\r') {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let returns = |line: &[u8]| line.split(|byte| !is_part(byte)).any(|word| word == b"return");
    let mut lines = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| returns(line));
    let (at, _) = lines.next()?;
    lines.next().is_none().then_some(at + 1)
}

/// What the sandbox needs of Rust.
fn tools(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Table> {
    let tools = lua.create_table()?;
    for (name, function) in ["redis_call", "redis_pcall", "host"].into_iter().zip(calls::functions(lua)?) {
        tools.raw_set(name, function)?;
    }
    tools.raw_set("sha1", lua.create_function(|_, text: mlua::LuaString| Ok(hex(&text.as_bytes())))?)?;
    // Lua's own, which others take the place of.
    for name in ["pcall", "xpcall"] {
        tools.raw_set(name, lua.globals().raw_get::<Function>(name)?)?;
    }
    tools.raw_set("repeats_max", REPEATS_MAX)?;
    tools.raw_set("where", lua.create_function(|lua, ()| Ok(place(lua)))?)?;
    // Level 0 is this function itself, 1 is what asks, and 2 its caller: level 1 of an error there.
    let has_left =
        |lua: &Lua, level: usize| Ok(lua.inspect_stack(level + 1, |debug| debug.source().what == "tail") == Some(true));
    tools.raw_set("has_left", lua.create_function(has_left)?)?;
    libraries::maths::add_random(lua, &tools, shared)?;
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
                    Some(text) => Err(raise::value(calls::error(lua, &text.as_bytes(), false)?)),
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

#[cfg(test)]
#[path = "sandbox_tests.rs"]
mod sandbox_tests;
