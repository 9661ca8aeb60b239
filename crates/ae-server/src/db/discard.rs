//! Databases and values that have gone, and what that costs.

use crate::memory;
use store::{Keyspace, Value};

/// Frees databases and gives their memory back, in a thread of its own if asked to and if it is worth one.
pub fn discard(databases: Vec<Keyspace>, background: bool) {
    const WORTH_A_THREAD: u64 = 1000;
    let count = databases.iter().map(|keyspace| keyspace.len() as u64).sum();
    if count == 0 {
        return;
    }
    let discard = |databases: Vec<Keyspace>| {
        drop(databases);
        memory::give_back();
    };
    if background && count > WORTH_A_THREAD {
        in_a_thread(count, move || discard(databases));
    } else {
        discard(databases);
    }
}

/// Frees a value in a thread of its own.
pub fn discard_value(value: Value) {
    in_a_thread(1, move || drop(value));
}

/// Has a thread free `count` objects.
fn in_a_thread(count: u64, free: impl FnOnce() + Send + 'static) {
    memory::background::begin(count);
    let free = move || {
        free();
        memory::background::end(count);
    };
    // If there can be no thread, the closure is dropped here with what it holds.
    if std::thread::Builder::new().name("free".into()).spawn(free).is_err() {
        memory::background::end(count);
    }
}
