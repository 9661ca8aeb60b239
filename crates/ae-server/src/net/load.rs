//! Loading what the server begins with.

use super::state::Net;
use crate::persist::aof::replay::Replay;
use std::time::{Duration, Instant};

/// How long loading goes on before others get their turn.
const SLICE: Duration = Duration::from_millis(10);

impl Net {
    /// Loads the append-only file, if there is to be one, and goes on with it. The error is for the operator.
    pub fn load_log(&mut self) -> Result<(), String> {
        if !self.server.config.append_only.on {
            return Ok(());
        }
        self.server.find_log()?;
        if let Some(mut replay) = Replay::begin(&mut self.server)? {
            while !replay.step(&mut self.server, Instant::now() + SLICE)? {}
        }
        self.server.begin_log()
    }
}
