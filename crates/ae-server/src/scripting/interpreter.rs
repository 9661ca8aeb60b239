//! The interpreter that scripts are given.

use crate::config::settings::REDIS_VERSION;
use lua::Engine;

/// The version of Redis whose scripts run here, as a number.
const REDIS_VERSION_NUM: f64 = 0x0007_000F as f64;

/// An interpreter that knows the server's version.
pub fn new_engine() -> Result<Engine, String> {
    Engine::new(&[("REDIS_VERSION", REDIS_VERSION)], &[("REDIS_VERSION_NUM", REDIS_VERSION_NUM)])
}
