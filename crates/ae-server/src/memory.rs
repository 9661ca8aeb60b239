//! The allocator: what it has given out, and giving back what is free.
//!
//! jemalloc, as in Redis. The C library's returns freed memory to the system either at once, and large values then pay
//! for fresh pages each time, or hardly ever, once small allocations of different ages share its heap.

use tikv_jemalloc_ctl::thread::{self, ThreadLocal};
use tikv_jemalloc_ctl::{Access, AsName, arenas, epoch, stats};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Its name for INFO.
pub const NAME: &str = "jemalloc";

/// Bytes that are in use, 0 if the allocator does not say.
pub fn used() -> u64 {
    let allocated = epoch::advance().and_then(|_| stats::allocated::read());
    allocated.unwrap_or(0) as u64
}

/// Tells how much memory is in use, cheaply: from what was in use and what this thread has allocated and freed since.
/// What other threads do is seen when there is a new meter.
pub struct Meter {
    used: u64,
    since: u64,
    /// What this thread has allocated and freed in its life; None if the allocator does not say.
    counters: Option<(ThreadLocal<u64>, ThreadLocal<u64>)>,
}

impl Meter {
    pub fn new() -> Meter {
        let counters = thread::allocatedp::read().ok().zip(thread::deallocatedp::read().ok());
        let mut meter = Meter { used: used(), since: 0, counters };
        meter.since = meter.own();
        meter
    }

    /// What this thread has allocated and not freed, in the arithmetic of a counter that began somewhere.
    fn own(&self) -> u64 {
        self.counters.as_ref().map_or(0, |(allocated, freed)| allocated.get().wrapping_sub(freed.get()))
    }

    /// Bytes that are in use.
    pub fn used(&self) -> u64 {
        let change = self.own().wrapping_sub(self.since) as i64;
        self.used.saturating_add_signed(change)
    }
}

/// Gives the memory of freed values back to the system now. Otherwise a thread of the allocator's does so in the course
/// of ten seconds, in case it is needed again.
pub fn give_back() {
    for arena in 0..arenas::narenas::read().unwrap_or(0) {
        let name = format!("arena.{arena}.dirty_decay_ms\0");
        let decay = name.as_str().name();
        // Most arenas have never been used, and say so by an error.
        if let Ok(before) = Access::<isize>::update(decay, 0) {
            let _ = decay.write(before);
        }
    }
}
