//! The interpreter that scripts are given.

use crate::config::settings::REDIS_VERSION;
use lua::Engine;
use std::rc::Rc;

/// The version of Redis whose scripts run here, as a number.
const REDIS_VERSION_NUM: f64 = 0x0007_000F as f64;

/// An interpreter that is made when it is needed first.
#[derive(Clone)]
pub struct Interpreter {
    engine: Option<Rc<Engine>>,
    memory_max: usize,
}

impl Default for Interpreter {
    fn default() -> Self {
        Interpreter { engine: None, memory_max: usize::MAX }
    }
}

impl Interpreter {
    pub fn engine(&mut self) -> Result<Rc<Engine>, String> {
        if let Some(engine) = &self.engine {
            return Ok(engine.clone());
        }
        let engine = Engine::new(&[("REDIS_VERSION", REDIS_VERSION)], &[("REDIS_VERSION_NUM", REDIS_VERSION_NUM)])?;
        engine.limit_memory(self.memory_max);
        Ok(self.engine.insert(Rc::new(engine)).clone())
    }

    /// Limits its memory, in bytes.
    pub fn limit_memory(&mut self, bytes: usize) {
        self.memory_max = bytes;
        self.engine.iter().for_each(|engine| engine.limit_memory(bytes));
    }

    /// A new one takes its place when it is needed next.
    pub fn reset(&mut self) {
        self.engine = None;
    }

    /// Memory of it and all its values.
    pub fn memory(&self) -> usize {
        self.engine.as_ref().map_or(0, |engine| engine.memory())
    }
}
