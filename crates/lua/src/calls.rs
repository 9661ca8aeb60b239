//! What a running script calls.

use crate::arguments;
use crate::host::{Host, Interrupted, LogLevel, Registered, Replication};
use crate::libraries::raise;
use crate::memory::Limit;
use crate::replies;
use crate::script::Script;
use crate::shared::{Called, Shared};
use mlua::{Function, Lua, MultiValue, Value};
use resp::{ArgsBuffer, Protocol};
use scoped_tls_hkt::scoped_thread_local;
use std::cell::Cell;

const NO_SCRIPT: &str = "ERR no script runs";
const NO_MEMORY: &str = "ERR not enough memory";

/// What `redis.call` and the others tell the engine to do; sandbox.lua has the same numbers.
mod op {
    pub const LOG: u8 = 1;
    pub const MAY_RUN: u8 = 2;
    pub const REPLICATE: u8 = 3;
    pub const RESP: u8 = 4;
    pub const INTERRUPT: u8 = 5;
    pub const REGISTER: u8 = 6;
}

scoped_thread_local! {
    /// That of the script that runs in this thread, if one does, and if it is not being called.
    static mut RUNNING: for<'a> &'a mut (dyn Running + 'a)
}

/// What a running script calls.
pub struct Calls<'a> {
    pub shared: &'a Shared,
    pub protocol: &'a Cell<Protocol>,
    pub host: &'a mut dyn Host,
}

/// What can be called.
trait Running {
    /// `redis.call`, which raises errors, or `redis.pcall`.
    fn call(&mut self, lua: &Lua, args: &[Value], raises: bool) -> mlua::Result<Value>;

    /// True if it failed, and the result or the error.
    fn run(&mut self, lua: &Lua, op: u8, args: &[Value]) -> mlua::Result<(bool, Value)>;
}

/// What scripts call, as functions of the interpreter, which has them for good: `call` and `pcall` of `redis`, and what
/// the rest of the sandbox needs.
pub fn functions(lua: &Lua) -> mlua::Result<[Function; 3]> {
    let call = |raises| {
        lua.create_function(move |lua, mut args: MultiValue| {
            running(lua, |calls| calls.call(lua, args.make_contiguous(), raises))
                .unwrap_or_else(|| failed(lua, NO_SCRIPT, raises))
        })
    };
    let host = lua.create_function(|lua, (op, mut args): (u8, MultiValue)| {
        running(lua, |calls| calls.run(lua, op, args.make_contiguous())).unwrap_or_else(|| text(lua, NO_SCRIPT))
    })?;
    Ok([call(true)?, call(false)?, host])
}

impl Calls<'_> {
    /// Runs something that may call these.
    pub fn during<R>(&mut self, run: impl FnOnce() -> R) -> R {
        RUNNING.set(self, run)
    }
}

/// Uses those of the script that runs; None if there is none.
fn running<R>(lua: &Lua, using: impl FnOnce(&mut dyn Running) -> R) -> Option<R> {
    RUNNING.is_set().then(|| {
        let _unlimited = Limit::none(lua);
        RUNNING.with(|calls| using(calls))
    })
}

impl Running for Calls<'_> {
    fn run(&mut self, lua: &Lua, op: u8, args: &[Value]) -> mlua::Result<(bool, Value)> {
        // They are copied.
        if arguments::len(args) > self.shared.memory_max.get() {
            return text(lua, NO_MEMORY);
        }
        match op {
            op::LOG => self.log(lua, args),
            op::MAY_RUN => self.may_run(lua, args),
            op::REPLICATE => Ok((self.replicate(lua, args).is_none(), Value::Nil)),
            op::RESP => Ok((self.choose_protocol(lua, args).is_none(), Value::Nil)),
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
        let shared = self.shared;
        shared.with_called(|Called { args: copied, reply }| {
            let max = shared.memory_max.get();
            if let Err(refused) = arguments::add(args, max, copied) {
                return failed(lua, refused.reason(), raises);
            }
            let worked = self.host.call(copied.as_args(), self.protocol.get(), reply);
            if !worked && raises {
                let text = reply.strip_prefix(b"-").and_then(|text| text.strip_suffix(b"\r\n")).unwrap_or(reply);
                return Err(raise::value(error(lua, text, true)?));
            }
            // It is made without a limit, so that it may have become too much.
            let made = if reply.len() > max { None } else { Some(replies::value(lua, reply)?.0) };
            match made.filter(|_| lua.used_memory() <= max) {
                Some(value) => Ok(value),
                None => failed(lua, NO_MEMORY, raises),
            }
        })
    }
}

impl Calls<'_> {
    fn log(&mut self, lua: &Lua, args: &[Value]) -> mlua::Result<(bool, Value)> {
        let Some(level) = args.first().and_then(|level| number(lua, level)) else {
            return text(lua, "ERR First argument must be a number (log level).");
        };
        let Some(level) = LogLevel::from_number(level) else { return text(lua, "ERR Invalid debug level.") };
        let words: Vec<Vec<u8>> = args[1..].iter().filter_map(arguments::text).collect();
        self.host.log(level, &words.join(&b' '));
        Ok((false, Value::Nil))
    }

    fn may_run(&mut self, lua: &Lua, args: &[Value]) -> mlua::Result<(bool, Value)> {
        let mut copied = ArgsBuffer::default();
        if let Err(refused) = arguments::add(args, usize::MAX, &mut copied) {
            return text(lua, refused.reason());
        }
        match self.host.may_run(copied.as_args()) {
            Some(may) => Ok((false, Value::Boolean(may))),
            None => text(lua, "ERR Invalid command passed to redis.acl_check_cmd()"),
        }
    }

    fn replicate(&mut self, lua: &Lua, args: &[Value]) -> Option<()> {
        // To Lua's C functions, what is no number is 0.
        self.host.replicate(Replication::from_number(number(lua, args.first()?).unwrap_or(0.0))?);
        Some(())
    }

    fn choose_protocol(&mut self, lua: &Lua, args: &[Value]) -> Option<()> {
        // What comes behind the point does not count.
        self.protocol.set(match number(lua, args.first()?)?.trunc() {
            2.0 => Protocol::Resp2,
            3.0 => Protocol::Resp3,
            _ => return None,
        });
        Some(())
    }

    fn register(&mut self, lua: &Lua, args: &[Value]) -> mlua::Result<(bool, Value)> {
        let [Value::String(name), Value::Function(call), description, flags @ ..] = args else {
            return text(lua, "ERR wrong arguments");
        };
        let Some(flags) = arguments::texts(flags) else {
            return text(lua, "ERR unknown flag given");
        };
        let description = match description {
            Value::String(description) => Some(description.as_bytes().to_vec()),
            _ => None,
        };
        let name = name.as_bytes().to_vec();
        match self.host.register(Registered { name, script: Script::new(call.clone(), None), description, flags }) {
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
pub fn error(lua: &Lua, text: &[u8], counted: bool) -> mlua::Result<Value> {
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

/// A number, or a string that is one to Lua.
fn number(lua: &Lua, value: &Value) -> Option<f64> {
    lua.coerce_number(value.clone()).ok().flatten()
}
