//! The allocator: what it has given out, and giving back what is free.
//!
//! jemalloc, as in Redis. The C library's returns freed memory to the system either at once, and large values then pay
//! for fresh pages each time, or hardly ever, once small allocations of different ages share its heap.

use tikv_jemalloc_ctl::thread::{self, ThreadLocal};
use tikv_jemalloc_ctl::{Access, AsName, arenas, epoch, stats, stats_print, version};
#[cfg(not(fuzzing))]
use tikv_jemallocator::Jemalloc;

// Fuzzers count what goes through theirs.
#[cfg(not(fuzzing))]
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// Its name and version for INFO.
pub fn name() -> String {
    let whole = version::read().unwrap_or_default();
    format!("jemalloc-{}", whole.split('-').next().unwrap_or_default())
}

/// What the allocator has, in bytes.
#[derive(Clone, Copy, Default)]
pub struct Allocator {
    /// Given out.
    pub allocated: u64,
    /// In pages of which something is given out.
    pub active: u64,
    /// In memory.
    pub resident: u64,
}

/// What the allocator has; zeros if it does not say.
pub fn allocator() -> Allocator {
    let allocated = used();
    let of = |value: Result<usize, _>| value.unwrap_or(0) as u64;
    Allocator { allocated, active: of(stats::active::read()), resident: of(stats::resident::read()) }
}

/// The allocator's own report.
pub fn report() -> Vec<u8> {
    let mut report = Vec::new();
    // A vector takes everything.
    let _ = stats_print::stats_print(&mut report, stats_print::Options::default());
    report
}

/// What the allocator has given out and has not got back except into threads' caches, in which hundreds of kilobytes
/// come and go: bytes that are really in use. 0 if the allocator does not say.
pub fn used() -> u64 {
    let allocated = epoch::advance().and_then(|_| stats::allocated::read());
    // By this number all arenas together.
    let cached = Access::<usize>::read(b"stats.arenas.4096.tcache_bytes\0"[..].name());
    allocated.unwrap_or(0).saturating_sub(cached.unwrap_or(0)) as u64
}

/// How many bytes the allocator gives out when it is asked for so many: small sizes are four between a power of two and
/// the next, large ones whole pages.
pub fn given_out(asked: usize) -> usize {
    const SMALL: usize = 8;
    const LARGE: usize = 16 * 1024;
    const QUANTUM: usize = 16;
    const PAGE: usize = 4096;
    match asked {
        0..=SMALL => SMALL,
        LARGE.. => asked.next_multiple_of(PAGE),
        _ => asked.next_multiple_of(((1 << (asked - 1).ilog2()) / 4).max(QUANTUM)),
    }
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

pub mod background {
    //! Objects that a thread of its own frees.

    use std::sync::atomic::{AtomicU64, Ordering};

    static PENDING: AtomicU64 = AtomicU64::new(0);
    static FREED: AtomicU64 = AtomicU64::new(0);

    /// So many are to be freed.
    pub fn begin(count: u64) {
        PENDING.fetch_add(count, Ordering::Relaxed);
    }

    /// So many have been freed.
    pub fn end(count: u64) {
        PENDING.fetch_sub(count, Ordering::Relaxed);
        FREED.fetch_add(count, Ordering::Relaxed);
    }

    pub fn pending() -> u64 {
        PENDING.load(Ordering::Relaxed)
    }

    pub fn freed() -> u64 {
        FREED.load(Ordering::Relaxed)
    }

    /// CONFIG RESETSTAT.
    pub fn reset() {
        FREED.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_that_the_allocator_gives_out() {
        for asked in
            (1..2000).chain([14_337, 16_384, 16_385, 20_481, 33_000, 1_000_000, 1 << 20, (1 << 20) + 1, 40_000_000])
        {
            let (mut vec, before) = (Vec::<u8>::new(), Meter::new());
            vec.reserve_exact(asked);
            assert_eq!(before.used() - before.used, given_out(asked) as u64, "{asked} bytes");
        }
    }

    #[test]
    fn what_a_thread_keeps_for_later_is_not_in_use() {
        // Other tests allocate as well, but hardly as much in the moment that this takes; so the best of some counts.
        let kept = || {
            let before = used();
            let blocks: Vec<Vec<u8>> = (0..20).map(|_| Vec::with_capacity(32 * 1024)).collect();
            let during = used();
            drop(blocks);
            (during.saturating_sub(before), used().saturating_sub(before))
        };
        assert!((0..100).any(|_| matches!(kept(), (600_000..700_000, 0..10_000))));
    }
}
