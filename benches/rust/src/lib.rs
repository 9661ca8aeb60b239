//! The benchmark's side of benches/loop/engine.h: what an engine calls.

use std::ffi::c_int;

/// Descriptors are below this number.
pub const MAX_FD: usize = 20000;

mod harness {
    use std::ffi::c_int;

    unsafe extern "C" {
        pub static mut bench_readable: unsafe extern "C" fn(c_int);
        pub fn bench_due(index: c_int);
        pub fn bench_woken();
    }
}

/// A watched descriptor is readable.
pub fn readable(fd: c_int) {
    // SAFETY: set before the first event, by this thread.
    unsafe { harness::bench_readable(fd) }
}

/// A timer has run out.
pub fn due(index: c_int) {
    // SAFETY: takes any index of a timer that was added.
    unsafe { harness::bench_due(index) }
}

/// The loop was woken up.
pub fn woken() {
    // SAFETY: counts.
    unsafe { harness::bench_woken() }
}
