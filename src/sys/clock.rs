//! The monotonic clock.

use nix::time::{ClockId, clock_gettime};

/// Microseconds of the monotonic clock.
pub(crate) fn now_us() -> u64 {
    // The clock exists on every platform the crate builds for; without it there is no event loop at all.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("CLOCK_MONOTONIC");
    now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000
}

/// The same clock, behind by a tick or more, for a fraction of the cost.
pub(crate) fn coarse_now_us() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE) {
        return now.tv_sec() as u64 * 1_000_000 + now.tv_nsec() as u64 / 1_000;
    }
    now_us()
}

/// Whether there is a counter of the processor that advances evenly: the kernel has made its own clock of it then.
pub(crate) fn has_counter() -> bool {
    const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    cfg!(all(target_os = "linux", target_arch = "x86_64"))
        && std::fs::read(SOURCE).is_ok_and(|source| source.trim_ascii() == b"tsc")
}

/// What that counter is at; nothing in particular where there is none.
pub(crate) fn counter() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this architecture has the instruction, which reads a register and nothing else.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    0
}

/// Initialises the host's own monotonic clock, if it has one as Redis does: its programs rely on
/// `aeCreateEventLoop` to do that. The reference is weak, so that other programs need not have it.
pub(crate) fn init_host_clock() {
    #[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
    {
        unsafe extern "C" {
            static libae_monotonic_init: Option<unsafe extern "C" fn() -> *const core::ffi::c_char>;
        }
        // SAFETY: the linker fills it in, with NULL or with Redis's function, which takes nothing and can be
        // called again. Volatile, since to the compiler a function's address is never NULL.
        if let Some(init) = unsafe { (&raw const libae_monotonic_init).read_volatile() } {
            // SAFETY: as above.
            unsafe { init() };
        }
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64", not(miri)))]
core::arch::global_asm!(
    ".weak monotonicInit",
    ".pushsection .data.rel.ro.libae_monotonic_init,\"aw\"",
    ".globl libae_monotonic_init",
    ".hidden libae_monotonic_init",
    ".p2align 3",
    "libae_monotonic_init:",
    ".8byte monotonicInit",
    ".popsection",
);
