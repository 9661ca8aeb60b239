//! What Rust functions in an interpreter and the engine share.

use crate::random::Random;
use std::cell::Cell;

/// What is known of an interpreter while its scripts run.
pub struct Shared {
    pub random: Random,
    /// How much memory it may have, in bytes; `usize::MAX` is no limit.
    pub memory_max: Cell<usize>,
    /// Why the running script has to end.
    pub ended: Cell<Option<&'static str>>,
}

impl Shared {
    pub fn new() -> Shared {
        Shared { random: Random::default(), memory_max: usize::MAX.into(), ended: Cell::default() }
    }
}
