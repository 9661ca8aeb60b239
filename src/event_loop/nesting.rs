//! How calls come to be inside a loop, and how they leave it.
//!
//! A callback may be left otherwise than by returning: by `longjmp`, by an exception, by the end of its thread. Then
//! nothing of ours runs, and the calls that it was in are gone. What such a call would have put right at its end is put
//! right when the next one comes, or an outer one goes on.

use super::calls::Place;
use super::handle::Loop;
use super::{threads, waking};
use crate::host::memory::ZeroedArray;
use crate::sys::Errno;

/// Notes that a call is inside, whose place lives until [`leave`], and says how deep; `ENOMEM` when it cannot be noted.
#[inline(always)]
pub(super) fn enter(el: Loop, place: &Place) -> Result<u32, Errno> {
    // SAFETY: no callback runs here.
    if unsafe { el.calls() }.enter_first(place) { Ok(1) } else { enter_other(el, place) }
}

/// The same for a call that is nested, or in another thread than the last.
#[cold]
fn enter_other(el: Loop, place: &Place) -> Result<u32, Errno> {
    // If another thread runs it later, that is noted when it serves a connection.
    if el.state().polls.latest() == 0 {
        threads::note_user(el);
    }
    forget_gone(el, place);
    // SAFETY: no callback runs here.
    unsafe { el.calls() }.enter(place)?;
    waking::resume(el);
    Ok(el.depth())
}

/// Notes that the call has ended that [`enter`] said was `depth` deep.
#[inline(always)]
pub(super) fn leave(el: Loop, depth: u32) {
    // SAFETY: no callback runs here.
    if !unsafe { el.calls() }.leave_first(depth) {
        leave_other(el, depth);
    }
}

/// The same for a call that is nested, or that inner ones have been left in.
#[cold]
fn leave_other(el: Loop, depth: u32) {
    // There is one after a failure alone, which no test tells: the next call would forget it, too, unless it comes from
    // further in on the stack.
    forget_inner(el, depth);
    // Unless it was taken for gone, on a stack that is not what it seems.
    if el.depth() == depth {
        go_on_with_outer(el);
    }
}

/// Makes the call that the innermost was in the innermost.
#[cold]
fn go_on_with_outer(el: Loop) {
    // SAFETY: no callback runs here.
    if let Some(lent) = unsafe { el.calls() }.leave() {
        // The one that goes was the call's that has ended.
        drop(el.replace_fired(lent));
    }
}

/// Forgets the calls inside the one that is `depth` deep and goes on: they are gone.
#[inline(always)]
pub(super) fn forget_inner(el: Loop, depth: u32) {
    while el.depth() > depth {
        forget_innermost(el);
    }
}

/// Forgets the calls that are gone when one comes with this place.
fn forget_gone(el: Loop, place: &Place) {
    // SAFETY: no callback runs here.
    let left = unsafe { el.calls() }.still_there(place);
    forget_inner(el, left);
}

/// Forgets the calls that are gone, for one that is no call of the loop itself.
#[cold]
#[inline(never)]
pub(super) fn look_who_is_inside(el: Loop) {
    forget_gone(el, &Place::new());
}

#[cold]
fn forget_innermost(el: Loop) {
    // SAFETY: no callback runs here.
    let (calls, timers) = unsafe { (el.calls(), el.timers()) };
    if let Some(slot) = calls.take_timer() {
        // Its time is what it was: it runs again.
        timers.end_run(slot, None);
    }
    waking::resume(el);
    go_on_with_outer(el);
}

/// Gives the loop another buffer for a nested call, since the outer one is still reading the one it has.
#[cold]
pub(super) fn lend(el: Loop) -> Result<(), Errno> {
    // SAFETY: no callback runs here.
    let calls = unsafe { el.calls() };
    if calls.needs_buffer() {
        let own = ZeroedArray::new(el.state().event_count())?;
        calls.lend(el.replace_fired(own));
    }
    Ok(())
}
