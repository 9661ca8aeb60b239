//! What Rust functions in an interpreter and the engine share.

use crate::random::Random;
use std::cell::Cell;

/// What is known of an interpreter while its scripts run.
#[derive(Default)]
pub struct Shared {
    pub random: Random,
    /// Why the running script has to end.
    pub ended: Cell<Option<&'static str>>,
}
