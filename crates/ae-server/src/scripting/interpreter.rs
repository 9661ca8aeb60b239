//! The interpreter that scripts are given.

use crate::config::settings::REDIS_VERSION;
use lua::Engine;
use std::rc::Rc;

/// The version of Redis whose scripts run here, as a number.
const REDIS_VERSION_NUM: f64 = 0x0007_000F as f64;

/// An interpreter that is made when it is needed first.
#[derive(Clone, Default)]
pub struct Interpreter(Option<Rc<Engine>>);

impl Interpreter {
    pub fn engine(&mut self) -> Result<Rc<Engine>, String> {
        if let Some(engine) = &self.0 {
            return Ok(engine.clone());
        }
        let engine = Engine::new(&[("REDIS_VERSION", REDIS_VERSION)], &[("REDIS_VERSION_NUM", REDIS_VERSION_NUM)])?;
        Ok(self.0.insert(Rc::new(engine)).clone())
    }

    /// Memory of it and all its values.
    pub fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |engine| engine.memory())
    }
}
