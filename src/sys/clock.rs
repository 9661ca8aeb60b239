//! The monotonic clock.

use nix::time::{ClockId, clock_gettime};

/// Microseconds of the monotonic clock.
pub(crate) fn now_us() -> u64 {
    // The clock exists on every platform the crate builds for; without it there is no event loop at all.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC");
    now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000
}
