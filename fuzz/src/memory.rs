//! Memory that is counted, and that an input may have only so much of.

use std::alloc::{GlobalAlloc, Layout};
use std::io::Write;
use std::sync::atomic::{AtomicIsize, Ordering};
use tikv_jemallocator::Jemalloc;

static USED: AtomicIsize = AtomicIsize::new(0);
static LIMIT: AtomicIsize = AtomicIsize::new(isize::MAX);

/// The allocator of every fuzzer.
pub struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// So many bytes more are in use; fewer if negative.
fn count(change: isize) {
    let used = USED.fetch_add(change, Ordering::Relaxed) + change;
    let limit = LIMIT.load(Ordering::Relaxed);
    if change > 0 && used > limit {
        // The message may need memory, too.
        LIMIT.store(isize::MAX, Ordering::Relaxed);
        let _ = writeln!(std::io::stderr(), "an allocation of {change} bytes is {} above the limit", used - limit);
        std::process::abort();
    }
}

// SAFETY: jemalloc does it all; this only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's layout is passed on.
        unsafe { Jemalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's layout is passed on.
        unsafe { Jemalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the memory came from jemalloc, with this layout.
        unsafe { Jemalloc.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the memory came from jemalloc, with this layout, and the size is the caller's.
        unsafe { Jemalloc.realloc(memory, layout, size) }
    }
}

/// Runs this with so many bytes more than are in use now. The program ends if it wants more, in any thread.
pub fn limited<T>(bytes: usize, run: impl FnOnce() -> T) -> T {
    LIMIT.store(USED.load(Ordering::Relaxed).saturating_add_unsigned(bytes), Ordering::Relaxed);
    let result = run();
    LIMIT.store(isize::MAX, Ordering::Relaxed);
    result
}
