//! Data that no poll announces. Connections that hold some are listed under their loop. Their read handlers are called
//! when the program asks for it; if it does not ask, a time event of the loop calls them.

use super::conn::TlsConn;
use super::pending;
use crate::abi::ae::{AE_READABLE, AeTimeResult, aeEventLoop};
use crate::abi::connection::*;
use crate::abi::profile;
use crate::connection::handlers::call_handlers;
use crate::connection::home::{loop_number, loop_of, named};
use crate::event_loop::{self, LibraryTimer, Loop, LoopId};
use crate::sys::Errno;
use core::cell::Cell;
use core::ffi::{c_int, c_longlong, c_void};
use core::ptr;

/// Calls the handlers, and then announces what they have left. False when the connection is gone.
///
/// # Safety
/// The loop, if there is one, is this thread's.
#[must_use]
pub(super) unsafe fn deliver(conn: TlsConn, mask: c_int, el: Option<LoopId>) -> bool {
    // SAFETY: as promised.
    let lives = unsafe { call_handlers(*conn, mask, el) };
    if lives {
        announce(conn);
    }
    lives
}

/// Puts the connection on the list if it holds data to announce, else takes it off.
pub(super) fn note_pending(conn: TlsConn) {
    // Without a read handler the data would stay, and the loop would spin.
    let takes = conn.state() == CONN_STATE_CONNECTED && conn.read_handler().is_some();
    // SAFETY: no handler runs here.
    let session = unsafe { conn.session() }.filter(|_| takes);
    let (has_plain, has_record) = session.map_or((false, false), |session| (session.has_plain(), session.has_record()));
    match if has_plain || has_record { loop_number(*conn) } else { 0 } {
        0 => conn.unlist(),
        el => {
            if !conn.is_listed() {
                // A record may be the end of the stream. Programs like Redis ask for pending data before they write
                // their replies, and a time event comes before that, too. A handler that saw the end now would
                // close before the reply is written.
                conn.set_deferred(!has_plain);
            }
            conn.list(el);
        }
    }
}

/// [`note_pending`] in the loop's own thread; a time event stands in for a program that does not ask for pending data.
pub(super) fn announce(conn: TlsConn) {
    if conn.postponed() {
        return;
    }
    note_pending(conn);
    if conn.is_listed()
        && let Ok(el) = loop_of(*conn)
    {
        // If there is no memory for the time event, the data waits for the socket's next event.
        let _ = look_after_later(el);
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

/// Starts the time event that serves the waiting connections of this loop, unless it runs already.
fn look_after_later(el: Loop) -> Result<(), Errno> {
    if !el.asked().is_looked_after.get() {
        // SAFETY: it takes no data. It ends by itself, or with the loop.
        unsafe { LibraryTimer::start(el, 0, look_after, ptr::null_mut()) }?;
        el.asked().is_looked_after.set(true);
    }
    Ok(())
}

/// Serves the waiting connections of a loop. If the program has asked for pending data since the last look, it gets
/// until the next look to do so again.
unsafe extern "C" fn look_after(el: *mut aeEventLoop, _id: c_longlong, _data: *mut c_void) -> AeTimeResult {
    // SAFETY: called by the loop, in its thread.
    let Some(el) = (unsafe { named(el) }) else { return profile::DO_NOT_RUN_AGAIN };
    event_loop::note_user(el);
    let (number, asks) = (LoopId::of(el).number(), asks(el));
    if el.asked().seen.replace(asks) != asks {
        // SAFETY: the loop is this thread's.
        if unsafe { is_to_be_served(number) } {
            return profile::run_again(0);
        }
        el.asked().is_looked_after.set(false);
    } else {
        // A connection with data left afterwards starts another time event.
        el.asked().is_looked_after.set(false);
        // SAFETY: the loop is this thread's.
        if unsafe { serve(number) }.1 {
            // If there is no memory for the time event, the data waits for the socket's next event.
            let _ = look_after_later(el);
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
        if !unsafe { TlsConn::new(conn) }.postponed() {
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

/// Whether a connection of that loop holds data that no poll will announce; for None, of any loop of this thread.
pub(in crate::connection) fn has_pending(el: Option<Loop>) -> bool {
    if pending::first_loop(0).is_none() {
        return false;
    }
    let Some(el) = el else { return loops_of_this_thread().next().is_some() };
    let number = LoopId::of(el).number();
    pending::first_loop(number) == Some(number)
}

/// Runs the read handlers of these connections; returns how many.
pub(in crate::connection) fn process_pending(el: Option<Loop>) -> c_int {
    // SAFETY: this thread's.
    let serve = |el| unsafe { serve(el) }.0;
    match el {
        Some(el) => {
            let asks = &el.asked().asks;
            asks.set(asks.get() + 1);
            serve(LoopId::of(el).number())
        }
        None => {
            ASKS.set(ASKS.get().wrapping_add(1));
            loops_of_this_thread().map(serve).sum()
        }
    }
}

/// Runs the read handlers of a loop's waiting connections; returns how many, and whether others were deferred to the
/// next call: because their data says so, or because a handler has deleted the loop, or had it break off. Connections
/// that another thread is using keep waiting.
///
/// # Safety
/// The loop of that number is this thread's.
unsafe fn serve(el: u64) -> (c_int, bool) {
    let (mut count, mut deferred) = (0, false);
    let (mut from, end) = (0, pending::end());
    while let Some((place, conn)) = pending::first(el, from, end) {
        from = place + 1;
        // SAFETY: a connection that is closed leaves the list, and those of this loop are closed in this thread.
        let conn = unsafe { TlsConn::new(conn) };
        if conn.postponed() {
            continue;
        }
        if conn.deferred() {
            conn.set_deferred(false);
            deferred = true;
            continue;
        }
        conn.unlist();
        count += 1;
        // SAFETY: the loop is this thread's.
        if unsafe { deliver(conn, AE_READABLE, None) } {
            // What is left waits for the next call; replies are written before that.
            conn.set_deferred(false);
        }
        if event_loop::with_loop(el, event_loop::breaks_off) != Some(false) {
            return (count, true);
        }
    }
    (count, deferred)
}
