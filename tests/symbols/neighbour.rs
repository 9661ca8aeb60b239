//! Another Rust static library, with its own standard library: what a C program may link beside libae.a.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_int;

thread_local!(static CALLS: Cell<c_int> = const { Cell::new(0) });

/// Threads, thread locals with destructors, hashing, formatting and, unless panics abort, unwinding.
/// Returns 0 + 1 + ... + (threads - 1), or -1.
#[unsafe(no_mangle)]
pub extern "C" fn neighbour_sum(threads: c_int) -> c_int {
    CALLS.set(CALLS.get() + 1);
    let workers: Vec<_> = (0..threads).map(|number| std::thread::spawn(move || format!("{number}"))).collect();
    let mut texts = HashMap::new();
    for (number, worker) in workers.into_iter().enumerate() {
        let Ok(text) = worker.join() else { return -1 };
        texts.insert(number, text);
    }
    if cfg!(panic = "unwind") {
        std::panic::set_hook(Box::new(|_| {}));
        let caught = std::panic::catch_unwind(|| panic!("caught {}", CALLS.get()));
        if caught.is_ok() {
            return -1;
        }
    }
    texts.values().map(|text| text.parse::<c_int>().unwrap_or(-1000)).sum()
}
