//! Short times, measured with the processor's counter.

use crate::sys::clock;

/// The processor's counter, for the time between two readings. Reading it takes a fraction of what the system's clock
/// takes.
#[derive(Clone, Copy, Debug)]
pub struct Counter(());

impl Counter {
    /// None if there is no counter that advances evenly, or if the kernel does not trust it with its own clock.
    pub fn new() -> Option<Counter> {
        clock::has_counter().then_some(Counter(()))
    }

    /// What it is at. Its unit is the processor's own: the system's clock tells how long it is.
    pub fn read(self) -> u64 {
        clock::counter()
    }
}
