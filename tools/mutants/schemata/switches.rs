//! Which of the mistakes is switched on. `make mutants ARGS=--every` puts this file into its copy of the library or
//! package.
//!
//! `LIBAE_MUTANT` has the number of one. `LIBAE_REACHED` names a file, of which byte N becomes 1 when the program comes to
//! the place of mistake N, in this process or one that it forks.
#![allow(missing_docs)]

use std::env;
use std::ffi::{c_int, c_long};
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
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
    if let Some(number) = env::var("LIBAE_MUTANT").ok().and_then(|number| number.parse().ok()) {
        ON.store(number, Ordering::Relaxed);
    }
    if let Some(path) = env::var_os("LIBAE_REACHED")
        && let Ok(file) = OpenOptions::new().read(true).write(true).open(path)
    {
        map(&file);
    }
}

// No package is asked for this, since not all that get this file use one that has it.
unsafe extern "C" {
    fn mmap(at: *mut u8, size: usize, protection: c_int, flags: c_int, fd: c_int, offset: c_long) -> *mut u8;
}
const PROT_READ_WRITE: c_int = 1 | 2;
const MAP_SHARED: c_int = 1;
const MAP_FAILED: usize = usize::MAX;

fn map(file: &File) {
    let size = file.metadata().map_or(0, |found| found.len() as usize);
    // SAFETY: the system chooses where, so that no memory of ours is replaced.
    let map = unsafe { mmap(ptr::null_mut(), size, PROT_READ_WRITE, MAP_SHARED, file.as_raw_fd(), 0) };
    if map.addr() != MAP_FAILED {
        SIZE.store(size, Ordering::Relaxed);
        REACHED.store(map.cast(), Ordering::Relaxed);
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;
