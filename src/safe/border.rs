//! Panics at the border to the core: they do not unwind through the loop, but come out where it runs.

use crate::event_loop::{Loop, stop_now};
use core::any::Any;
use core::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// The loop of the innermost call in this thread.
    static RUNNING: Cell<Option<Loop>> = const { Cell::new(None) };
    /// What a callback has panicked with since.
    static PANIC: RefCell<Option<Box<dyn Any + Send>>> = const { RefCell::new(None) };
}

/// Runs a loop, and goes on with the panic that has ended it, if one has.
pub(super) fn running<R>(el: Loop, run: impl FnOnce(Loop) -> R) -> R {
    let outer = RUNNING.replace(Some(el));
    let result = run(el);
    RUNNING.set(outer);
    if let Some(panic) = PANIC.take() {
        resume_unwind(panic);
    }
    result
}

/// Calls what is the program's. When that panics the loop is stopped at once, and `otherwise` is the result. Where no
/// loop runs the process aborts: there is nowhere for a panic to come out.
pub(super) fn guarded<R>(otherwise: R, call: impl FnOnce() -> R) -> R {
    // What the panic leaves half done is the program's own, as it is for whoever catches it.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result,
        Err(panic) => {
            let Some(el) = RUNNING.get() else { resume_unwind(panic) };
            // The first is what led to the others.
            PANIC.with_borrow_mut(|kept| _ = kept.get_or_insert(panic));
            // The loop has stopped even if its waker cannot be made.
            let _ = stop_now(el);
            otherwise
        }
    }
}
