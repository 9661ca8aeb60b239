//! Data that no poll announces. Connections that hold some are listed under their loop. Their read handlers are called
//! when the program asks for it; if it does not ask, a time event of the loop calls them.

use super::conn::this;
use super::pending;
use crate::abi::ae::{AE_READABLE, AeTimeResult, aeEventLoop};
use crate::abi::connection::*;
use crate::abi::profile;
use crate::connection::events;
use crate::connection::home::{loop_number, loop_of};
use crate::event_loop::{self, LibraryTimer, LoopHandle};
use crate::sys::Errno;
use core::cell::Cell;
use core::ffi::{c_int, c_longlong, c_void};
use core::ptr;

/// Calls the handlers, and then announces what they have left. False when the connection is gone.
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

/// Puts the connection on the list if it holds data to announce, else takes it off.
///
/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
pub(super) unsafe fn note_pending(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let this = this(conn);
        // Without a read handler the data would stay, and the loop would spin.
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
                    // A record may be the end of the stream. Programs like Redis ask for pending data before they write
                    // their replies, and a time event comes before that, too. A handler that saw the end now would
                    // close before the reply is written.
                    (*this).deferred = !has_plain;
                }
                (*this).place.enter(el, conn);
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
            // If there is no memory for the time event, the data waits for the socket's next event.
            let _ = look_after_later(el);
        }
    }
}

thread_local! {
    /// How often this thread has asked for pending data without naming a loop.
    static ASKS: Cell<u64> = const { Cell::new(0) };
}

/// How often a loop's program has asked for pending data.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn asks(el: *mut aeEventLoop) -> u64 {
    // SAFETY: the caller vouches for the loop.
    unsafe { event_loop::asked(el) }.asks.wrapping_add(ASKS.get())
}

/// Starts the time event that serves the waiting connections of this loop, unless it runs already.
///
/// # Safety
/// `el` is a live loop of this thread.
unsafe fn look_after_later(el: *mut aeEventLoop) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the loop.
    unsafe {
        if !event_loop::asked(el).is_looked_after {
            // The event ends by itself, or with the loop.
            LibraryTimer::start(el, 0, look_after, ptr::null_mut())?;
            event_loop::asked(el).is_looked_after = true;
        }
        Ok(())
    }
}

/// Serves the waiting connections of a loop. If the program has asked for pending data since the last look, it gets
/// until the next look to do so again.
unsafe extern "C" fn look_after(el: *mut aeEventLoop, _id: c_longlong, _data: *mut c_void) -> AeTimeResult {
    // SAFETY: called by the loop, in its thread.
    unsafe {
        event_loop::note_user(el);
        let (number, asks) = (LoopHandle::of(el).number(), asks(el));
        let asked = event_loop::asked(el);
        if asked.seen != asks {
            asked.seen = asks;
            if is_to_be_served(number) {
                return profile::run_again(0);
            }
            asked.is_looked_after = false;
        } else {
            // A connection with data left afterwards starts another time event.
            asked.is_looked_after = false;
            if serve(number).1 {
                // If there is no memory for the time event, the data waits for the socket's next event.
                let _ = look_after_later(el);
            }
        }
    }
    profile::DO_NOT_RUN_AGAIN
}

/// Whether a connection waits that no other thread is using.
///
/// # Safety
/// The loop of that number is this thread's.
unsafe fn is_to_be_served(el: u64) -> bool {
    let (mut from, end) = (0, pending::end());
    while let Some((place, conn)) = pending::first(el, from, end) {
        // SAFETY: a connection that is closed leaves the list, and those of this loop are closed in this thread.
        if unsafe { !(*this(conn)).postponed } {
            return true;
        }
        from = place + 1;
    }
    false
}

/// This thread's loops that have waiting connections.
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

/// Whether a connection of that loop holds data that no poll will announce; for NULL, of any loop of this thread.
///
/// # Safety
/// `el` is NULL or a live loop.
pub(in crate::connection) unsafe fn has_pending(el: *mut aeEventLoop) -> bool {
    if pending::first_loop(0).is_none() {
        return false;
    }
    if el.is_null() {
        return loops_of_this_thread().next().is_some();
    }
    // SAFETY: the caller vouches for the loop.
    let number = unsafe { LoopHandle::of(el) }.number();
    pending::first_loop(number) == Some(number)
}

/// Runs the read handlers of these connections; returns how many.
///
/// # Safety
/// `el` is NULL or a live loop of this thread.
pub(in crate::connection) unsafe fn process_pending(el: *mut aeEventLoop) -> c_int {
    // SAFETY: the caller vouches for the loop, or they are this thread's.
    unsafe {
        if el.is_null() {
            ASKS.set(ASKS.get().wrapping_add(1));
            return loops_of_this_thread().map(|el| serve(el).0).sum();
        }
        event_loop::asked(el).asks += 1;
        serve(LoopHandle::of(el).number()).0
    }
}

/// Runs the read handlers of a loop's waiting connections; returns how many, and whether others were deferred to the
/// next call. Connections that another thread is using keep waiting.
///
/// # Safety
/// The loop of that number is this thread's.
unsafe fn serve(el: u64) -> (c_int, bool) {
    let (mut count, mut deferred) = (0, false);
    let (mut from, end) = (0, pending::end());
    while let Some((place, conn)) = pending::first(el, from, end) {
        from = place + 1;
        // SAFETY: a connection that is closed leaves the list, and those of this loop are closed in this thread.
        unsafe {
            let this = this(conn);
            if (*this).postponed {
                continue;
            }
            if core::mem::take(&mut (*this).deferred) {
                deferred = true;
                continue;
            }
            (*this).place.leave();
            count += 1;
            if deliver(conn, AE_READABLE) {
                // What is left waits for the next call; replies are written before that.
                (*this).deferred = false;
            }
        }
    }
    (count, deferred)
}
