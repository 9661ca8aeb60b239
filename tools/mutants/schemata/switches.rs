//! Which of the mistakes is switched on. `make mutants ARGS=--every` puts this file into its copy of the library.
//!
//! `LIBAE_MUTANT` has the number of one. `LIBAE_REACHED` names a file, of which byte N becomes 1 when the program comes to
//! the place of mistake N, in this process or one that it forks.
#![allow(missing_docs)]

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};

static ON: AtomicU32 = AtomicU32::new(0);
static REACHED: AtomicPtr<AtomicU8> = AtomicPtr::new(ptr::null_mut());
static SIZE: AtomicUsize = AtomicUsize::new(0);

#[inline(never)]
pub fn on(number: u32) -> bool {
    let reached = REACHED.load(Ordering::Relaxed);
    if !reached.is_null() && (number as usize) < SIZE.load(Ordering::Relaxed) {
        // SAFETY: the map has SIZE bytes and stays for the life of the process; all look at it as atomics.
        unsafe { (*reached.add(number as usize)).store(1, Ordering::Relaxed) };
    }
    ON.load(Ordering::Relaxed) == number
}

/// Runs before main, and before anything that a test replaces.
extern "C" fn start() {
    // SAFETY: no other thread runs yet, and both names end in a zero.
    let (mutant, path) = unsafe { (libc::getenv(c"LIBAE_MUTANT".as_ptr()), libc::getenv(c"LIBAE_REACHED".as_ptr())) };
    if !mutant.is_null() {
        // SAFETY: what the environment has ends in a zero.
        ON.store(unsafe { libc::atoi(mutant) } as u32, Ordering::Relaxed);
    }
    if !path.is_null() {
        // SAFETY: likewise.
        let fd = unsafe { libc::open(path, libc::O_RDWR | libc::O_CLOEXEC) };
        if fd >= 0 {
            map(fd);
            // SAFETY: it was opened here.
            unsafe { libc::close(fd) };
        }
    }
}

fn map(fd: libc::c_int) {
    // SAFETY: these calls have no memory of ours.
    unsafe {
        let size = libc::lseek(fd, 0, libc::SEEK_END).max(0) as usize;
        let map = libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0);
        if map != libc::MAP_FAILED {
            SIZE.store(size, Ordering::Relaxed);
            REACHED.store(map.cast(), Ordering::Relaxed);
        }
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
