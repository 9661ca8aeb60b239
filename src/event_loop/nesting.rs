//! How calls come to be inside a loop, and how they leave it.
//!
//! A callback may be left otherwise than by returning: by `longjmp`, by an exception, by the end of its thread. Then
//! nothing of ours runs, and the calls that it was in are gone. What such a call would have put right at its end is put
//! right when the next one comes, or an outer one goes on.

use super::calls::{Call, FiredBuffer, Place};
use super::state::state;
use crate::abi::ae::aeEventLoop;
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;
use crate::sys::thread::Thread;
use core::mem::replace;
use core::sync::atomic::Ordering::Relaxed;

/// Notes that a call is inside, and says how deep; `ENOMEM` when it cannot be noted.
///
/// # Safety
/// `el` is a live loop of this thread; `place` lives until [`leave`].
#[inline(always)]
pub(super) unsafe fn enter(el: *mut aeEventLoop, place: &Place) -> Result<u32, Errno> {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let calls = &mut state(el).calls;
        if calls.depth == 0 && calls.innermost.thread == Thread::known() {
            calls.innermost.place = place.address();
            calls.depth = 1;
            return Ok(1);
        }
        enter_other(el, place.address())
    }
}

/// The same for a call that is nested, or in another thread than the last.
///
/// # Safety
/// As for [`enter`].
#[cold]
unsafe fn enter_other(el: *mut aeEventLoop, here: usize) -> Result<u32, Errno> {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        forget_gone(el, here);
        let calls = &mut state(el).calls;
        let call = Call::new(here, Thread::this());
        if calls.depth == 0 {
            calls.innermost = call;
        } else {
            calls.outer.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            calls.outer.push(replace(&mut calls.innermost, call));
        }
        calls.depth += 1;
        Ok(calls.depth)
    }
}

/// Notes that a call has ended which [`enter`] said was that deep.
///
/// # Safety
/// `el` is a live loop of this thread.
#[inline(always)]
pub(super) unsafe fn leave(el: *mut aeEventLoop, depth: u32) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let calls = &mut state(el).calls;
        if calls.depth == 1 && depth == 1 {
            calls.depth = 0;
        } else {
            leave_others(el, depth);
        }
    }
}

/// The same for a call that is nested, or that inner ones have been left in.
///
/// # Safety
/// As for [`leave`].
#[cold]
unsafe fn leave_others(el: *mut aeEventLoop, depth: u32) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        forget_inner(el, depth);
        // Unless it was taken for gone, on a stack that is not what it seems.
        if state(el).calls.depth == depth {
            state(el).calls.depth -= 1;
            go_on_with_outer(el);
        }
    }
}

/// Makes the call that the innermost was in the innermost.
///
/// # Safety
/// `el` is a live loop of this thread; nobody reads the buffer it has.
#[cold]
unsafe fn go_on_with_outer(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let calls = &mut state(el).calls;
        if let Some(outer) = calls.outer.pop() {
            calls.innermost = outer;
        }
        if let Some(lent) = calls.innermost.lent.take() {
            drop(set_buffer(el, lent));
        }
    }
}

/// Forgets the calls inside the one that is so deep, which goes on: they are gone.
///
/// # Safety
/// `el` is a live loop of this thread.
#[inline(always)]
pub(super) unsafe fn forget_inner(el: *mut aeEventLoop, depth: u32) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        while state(el).calls.depth > depth {
            forget_innermost(el);
        }
    }
}

/// Forgets the calls that are gone when one comes with this place.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn forget_gone(el: *mut aeEventLoop, here: usize) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        let thread = Thread::this();
        let calls = &state(el).calls;
        // An outer call that is gone takes the inner ones with it.
        let gone = |call: &Call| call.is_gone(here, thread);
        let left = match calls.outer.iter().position(gone) {
            Some(index) => index as u32,
            None if calls.depth > 0 && gone(&calls.innermost) => calls.depth - 1,
            None => return,
        };
        forget_inner(el, left);
    }
}

/// Forgets the calls that are gone, for one that is no call of the loop itself.
///
/// # Safety
/// `el` is a live loop of this thread.
#[cold]
#[inline(never)]
pub(super) unsafe fn look_who_is_inside(el: *mut aeEventLoop) {
    let place = Place::new();
    // SAFETY: the caller vouches for the loop.
    unsafe { forget_gone(el, place.address()) };
}

/// # Safety
/// As for [`forget_inner`]; there is a call inside, and it is gone.
#[cold]
unsafe fn forget_innermost(el: *mut aeEventLoop) {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        if let Some(slot) = state(el).calls.innermost.timer.take() {
            // Its time is what it was: it runs again.
            state(el).timers.end_run(slot, None);
        }
        state(el).calls.depth -= 1;
        state(el).polling.store(false, Relaxed);
        go_on_with_outer(el);
    }
}

/// Makes this the loop's buffer; returns the one it had.
///
/// # Safety
/// `el` is a live loop of this thread, and nobody reads the buffer it has, or the result outlives that.
pub(super) unsafe fn set_buffer(el: *mut aeEventLoop, fired: FiredBuffer) -> FiredBuffer {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        (*el).fired = fired.as_mut_ptr();
        replace(&mut state(el).fired, fired)
    }
}

/// Gives the loop another buffer for a nested call, since the outer one is still reading the one it has.
///
/// # Safety
/// `el` is a live loop of this thread, inside a nested call.
#[cold]
pub(super) unsafe fn lend(el: *mut aeEventLoop) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop. The outer call keeps its buffer until it goes on.
    unsafe {
        if state(el).calls.outer.last().is_some_and(|outer| outer.lent.is_none()) {
            let own = ZeroedArray::new(state(el).events.len())?;
            let lent = set_buffer(el, own);
            state(el).calls.outer.last_mut().expect("an outer call").lent = Some(lent);
        }
        Ok(())
    }
}
