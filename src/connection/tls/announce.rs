//! Data that no poll announces: connections that hold some are listed under their loop, and their read handlers are
//! called when the program asks for that, or by a time event of the loop when it does not.

use super::{pending, this};
use crate::abi::ae::{AE_READABLE, AeTimeResult, aeEventLoop};
use crate::abi::connection::*;
use crate::abi::profile;
use crate::connection::events;
use crate::connection::home::{loop_number, loop_of, named};
use crate::event_loop::{self, LibraryTimer, Loop, LoopHandle};
use crate::sys::Errno;
use core::cell::Cell;
use core::ffi::{c_int, c_longlong, c_void};
use core::ptr;

/// Calls the handlers, and then sees to it that what they have left will be announced. False when the connection is gone.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn deliver(conn: *mut connection, mask: c_int) -> bool {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let lives = events::call_handlers(conn, mask);
        if lives {
            announce(conn);
        }
        lives
    }
}

/// Enters or takes out the connection according to what it holds.
///
/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
pub(super) unsafe fn note_pending(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let this = this(conn);
        // Without a handler nobody would take it, and the loop would not sleep.
        let session = match &(*this).session {
            Some(session) if (*conn).state == CONN_STATE_CONNECTED && (*conn).read_handler.is_some() => Some(session),
            _ => None,
        };
        let has_plain = session.is_some_and(|session| session.has_plain());
        let is_pending = has_plain || session.is_some_and(|session| session.has_record());
        match if is_pending { loop_number(conn) } else { 0 } {
            0 => (*this).place.leave(),
            el => {
                if !(*this).place.is_taken() {
                    // A record may be the end. Programs ask for pending data before they write their replies, as Redis does,
                    // and a time event comes before that, too: whoever is told of the end at once closes without replying.
                    (*this).deferred = !has_plain;
                }
                (*this).place.enter(el, this);
            }
        }
    }
}

/// [`note_pending`] in the loop's own thread; a time event stands in for a program that does not ask for pending data.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn announce(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let this = this(conn);
        if (*this).postponed {
            return;
        }
        note_pending(conn);
        if (*this).place.is_taken()
            && let Ok(el) = loop_of(conn)
        {
            // Without memory for the event nobody looks after it before the next one of the socket.
            let _ = look_after_later(el);
        }
    }
}

thread_local! {
    /// How often this thread has asked for pending data without naming a loop.
    static ASKS: Cell<u64> = const { Cell::new(0) };
}

/// How often a loop's program has asked for pending data.
fn asks(el: Loop) -> u64 {
    el.asked().asks.get().wrapping_add(ASKS.get())
}

/// Sees to it that a time event of this loop looks after the connections that wait.
fn look_after_later(el: Loop) -> Result<(), Errno> {
    if !el.asked().is_looked_after.get() {
        // SAFETY: it takes no data. It ends by itself, or with the loop.
        unsafe { LibraryTimer::start(el, 0, look_after, ptr::null_mut()) }?;
        el.asked().is_looked_after.set(true);
    }
    Ok(())
}

/// Serves the connections of a loop, unless its program has asked for them since the last look: then it has until the
/// next one.
unsafe extern "C" fn look_after(el: *mut aeEventLoop, _id: c_longlong, _data: *mut c_void) -> AeTimeResult {
    // SAFETY: called by the loop, in its thread.
    let Some(el) = (unsafe { named(el) }) else { return profile::DO_NOT_RUN_AGAIN };
    event_loop::note_user(el);
    let (number, asks) = (LoopHandle::of(el).number(), asks(el));
    // SAFETY: the loop is this thread's.
    unsafe {
        if el.asked().seen.replace(asks) != asks {
            if is_to_be_served(number) {
                return profile::run_again(0);
            }
            el.asked().is_looked_after.set(false);
        } else {
            // Whoever has something left afterwards asks for another time event.
            el.asked().is_looked_after.set(false);
            if serve(number).1 {
                // Without memory for the event nobody looks after it before the next one of the socket.
                let _ = look_after_later(el);
            }
        }
    }
    profile::DO_NOT_RUN_AGAIN
}

/// Whether a connection waits that no other thread uses.
///
/// # Safety
/// The loop of that number is this thread's.
unsafe fn is_to_be_served(el: u64) -> bool {
    let (mut from, end) = (0, pending::end());
    while let Some((place, this)) = pending::first(el, from, end) {
        // SAFETY: a connection that is closed leaves the list, and those of this loop are closed in this thread.
        if unsafe { !(*this).postponed } {
            return true;
        }
        from = place + 1;
    }
    false
}

/// The loops of this thread for whose connections data is pending.
fn loops_of_this_thread() -> impl Iterator<Item = u64> {
    let mut from = 0;
    core::iter::from_fn(move || {
        while let Some(el) = pending::first_loop(from) {
            from = el + 1;
            if event_loop::is_used_here(el) {
                return Some(el);
            }
        }
        None
    })
}

/// Whether a connection of that loop, or for NULL of this thread's, holds data that no poll will announce.
///
/// # Safety
/// `el` is NULL or a live loop.
pub(in crate::connection) unsafe fn has_pending(el: *mut aeEventLoop) -> bool {
    if pending::first_loop(0).is_none() {
        return false;
    }
    // SAFETY: NULL or a live loop.
    let Some(el) = (unsafe { named(el) }) else { return loops_of_this_thread().next().is_some() };
    let number = LoopHandle::of(el).number();
    pending::first_loop(number) == Some(number)
}

/// Runs the read handlers of these connections; returns how many.
///
/// # Safety
/// `el` is NULL or a live loop of this thread.
pub(in crate::connection) unsafe fn process_pending(el: *mut aeEventLoop) -> c_int {
    // SAFETY: NULL or a live loop; all of them are this thread's.
    unsafe {
        let Some(el) = named(el) else {
            ASKS.set(ASKS.get().wrapping_add(1));
            return loops_of_this_thread().map(|el| serve(el).0).sum();
        };
        let asked = el.asked();
        asked.asks.set(asked.asks.get() + 1);
        serve(LoopHandle::of(el).number()).0
    }
}

/// Runs the read handlers of a loop's connections whose turn it is; returns how many, and whether the turn of others comes
/// with the next call. Those that another thread uses wait on.
///
/// # Safety
/// The loop of that number is this thread's.
unsafe fn serve(el: u64) -> (c_int, bool) {
    let (mut count, mut deferred) = (0, false);
    let (mut from, end) = (0, pending::end());
    while let Some((place, this)) = pending::first(el, from, end) {
        from = place + 1;
        // SAFETY: a connection that is closed leaves the list, and those of this loop are closed in this thread.
        unsafe {
            if (*this).postponed {
                continue;
            }
            if core::mem::take(&mut (*this).deferred) {
                deferred = true;
                continue;
            }
            (*this).place.leave();
            count += 1;
            if deliver(this.cast(), AE_READABLE) {
                // What is left waits for the next call, and replies are written before that.
                (*this).deferred = false;
            }
        }
    }
    (count, deferred)
}
