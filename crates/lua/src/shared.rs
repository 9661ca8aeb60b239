//! What Rust functions in an interpreter and the engine share.

use crate::random::Random;
use resp::ArgsBuffer;
use std::cell::Cell;

/// What is known of an interpreter while its scripts run.
pub struct Shared {
    pub random: Random,
    /// How much memory it may have, in bytes; `usize::MAX` is no limit.
    pub memory_max: Cell<usize>,
    /// Why the running script has to end.
    pub ended: Cell<Option<&'static str>>,
    /// Memory for a command that a script calls.
    called: Cell<Called>,
}

/// A command that a script calls, and its reply.
#[derive(Default)]
pub struct Called {
    pub args: ArgsBuffer,
    pub reply: Vec<u8>,
}

/// More memory than this is not kept for the next command.
const KEPT_MAX: usize = 16 * 1024;

impl Shared {
    /// An interpreter whose scripts may use so much memory, in bytes.
    #[cfg(test)]
    pub fn with_memory(max: usize) -> mlua::Lua {
        let (lua, shared) = (mlua::Lua::new(), Shared::new());
        shared.memory_max.set(max);
        lua.set_app_data(std::rc::Rc::new(shared));
        lua
    }

    pub fn new() -> Shared {
        Shared {
            random: Random::default(),
            memory_max: usize::MAX.into(),
            ended: Cell::default(),
            called: Cell::default(),
        }
    }

    /// Lets `run` use the memory for a command.
    pub fn with_called<R>(&self, run: impl FnOnce(&mut Called) -> R) -> R {
        let mut called = self.called.take();
        let result = run(&mut called);
        if called.args.memory() + called.reply.capacity() <= KEPT_MAX {
            called.args.clear();
            called.reply.clear();
            self.called.set(called);
        }
        result
    }
}
