//! The event loop's side: handlers called, what the descriptor is watched for, and data that no poll announces.

use super::handshake::{advance, begin, finish};
use super::{pending, this};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, AeTimeProc, AeTimeResult, aeEventLoop, aeTimeProc};
use crate::abi::connection::*;
use crate::abi::profile::DO_NOT_RUN_AGAIN;
use crate::connection::{events, loop_of, status, unwatch};
use crate::event_loop;
use crate::sys::Errno;
use core::ffi::{c_int, c_longlong, c_void};
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::cell::RefCell;

/// The event loop's callback.
pub(super) unsafe extern "C" fn ae_handler(_el: *mut aeEventLoop, _fd: c_int, data: *mut c_void, mask: c_int) {
    let conn = data.cast::<connection>();
    // SAFETY: the loop passes what it was given, and a closed connection is watched no longer.
    unsafe {
        if !matches!((*conn).state, CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
            let _ = deliver(conn, mask);
        } else if advance(conn).is_some() {
            finish(conn);
        }
    }
}

/// Calls the handlers, and then sees to it that what they have left will be announced. False when the connection is gone.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn deliver(conn: *mut connection, mask: c_int) -> bool {
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
        let home = (*conn).own_loop().map_or((*this).home, |el| el as usize);
        if (has_plain || session.is_some_and(|session| session.has_record())) && home != 0 {
            if !(*this).place.is_taken() {
                // A record may be the end. Programs ask for pending data before they write their replies, as Redis does, and a
                // time event comes before that, too: whoever is told of the end at once closes without replying.
                (*this).deferred = !has_plain;
                (*this).place.enter(home, this);
            }
        } else {
            (*this).place.leave();
        }
    }
}

/// Whether somebody calls `connTypeProcessPendingData`, in every iteration of a loop.
static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// [`note_pending`] in the loop's own thread; a time event stands in for a program that does not ask for pending data.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn announce(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let this = this(conn);
        if (*this).postponed {
            return;
        }
        note_pending(conn);
        if (*this).place.is_taken()
            && !IS_ASKED.load(Relaxed)
            && let Ok(el) = loop_of(conn)
        {
            // Without memory for the event nobody looks after it before the next one of the socket.
            let _ = look_after_later(el, (*conn).own_loop().map_or((*this).home, |el| el as usize));
        }
    }
}

thread_local! {
    /// The loops in which a time event will look after a home: the loop, the home, and the generation of loops when it was
    /// made. After that it may have gone with its loop.
    static LOOKING: RefCell<Vec<(*mut aeEventLoop, usize, u64)>> = const { RefCell::new(Vec::new()) };
}

/// Sees to it that a time event of this loop looks after a home.
///
/// # Safety
/// `el` is a live loop of this thread, to which the home belongs.
unsafe fn look_after_later(el: *mut aeEventLoop, home: usize) -> Result<(), Errno> {
    LOOKING.with_borrow_mut(|looking| {
        let generation = event_loop::generation();
        if !looking.contains(&(el, home, generation)) {
            let (proc, data) = (look_after as AeTimeProc as *mut aeTimeProc, ptr::without_provenance_mut(home));
            // SAFETY: the caller vouches for the loop.
            unsafe { event_loop::create_time_event(el, 0, proc, data, ptr::null_mut()) }?;
            looking.retain(|(_, _, other)| *other == generation);
            looking.push((el, home, generation));
        }
        Ok(())
    })
}

unsafe extern "C" fn look_after(el: *mut aeEventLoop, _id: c_longlong, data: *mut c_void) -> AeTimeResult {
    let home = data as usize;
    // Whoever has something left afterwards asks for another one.
    LOOKING.with_borrow_mut(|looking| looking.retain(|(other, ..)| *other != el));
    // SAFETY: a time event of the home's own thread, and of this loop.
    unsafe {
        if process(home).1 {
            // Without memory for the event nobody looks after it before the next one of the socket.
            let _ = look_after_later(el, home);
        }
    }
    DO_NOT_RUN_AGAIN
}

/// The home that `el` stands for, the thread's if it is NULL.
fn home_of(el: *mut aeEventLoop) -> usize {
    if el.is_null() { pending::thread() } else { el as usize }
}

/// Whether a connection of that loop, or of this thread, holds data that no poll will announce.
pub(in crate::connection) fn has_pending(el: *mut aeEventLoop) -> bool {
    pending::any(home_of(el))
}

/// Runs the read handlers of these connections; returns how many.
///
/// # Safety
/// `el` is NULL or a live loop of this thread.
pub(in crate::connection) unsafe fn process_pending(el: *mut aeEventLoop) -> c_int {
    if !IS_ASKED.load(Relaxed) {
        IS_ASKED.store(true, Relaxed);
    }
    // SAFETY: a home of this thread.
    unsafe { process(home_of(el)).0 }
}

/// Runs the read handlers whose turn it is; returns how many, and whether the turn of others comes with the next call.
///
/// # Safety
/// `home` belongs to this thread.
unsafe fn process(home: usize) -> (c_int, bool) {
    let (mut count, mut deferred) = (0, false);
    let mut postponed = Vec::new();
    let end = pending::end();
    while let Some(this) = pending::first(home, end) {
        // SAFETY: a connection that is closed leaves the list, and those of this home are closed in this thread.
        unsafe {
            (*this).place.leave();
            if (*this).postponed {
                postponed.push(this);
            } else if core::mem::take(&mut (*this).deferred) {
                (*this).place.enter(home, this);
                deferred = true;
            } else {
                count += 1;
                if deliver(this.cast(), AE_READABLE) {
                    // What is left waits for the next call, and replies are written before that.
                    (*this).deferred = false;
                }
            }
        }
    }
    for this in postponed {
        // SAFETY: nobody closes a connection that another thread uses.
        unsafe { (*this).place.enter(home, this) };
    }
    (count, deferred)
}

/// Brings what the loop watches for in line with the handlers.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn settle(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if (*this(conn)).postponed || matches!((*conn).state, CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
            return Ok(());
        }
        let mut mask = 0;
        if (*conn).read_handler.is_some() {
            mask |= AE_READABLE;
        }
        if (*conn).write_handler.is_some() {
            mask |= AE_WRITABLE;
        }
        watch_for(conn, mask)?;
        announce(conn);
        Ok(())
    }
}

/// Watches the descriptor for these events and no other.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn watch_for(conn: *mut connection, mask: c_int) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let el = match loop_of(conn) {
            // Between two loops, and without a descriptor, there is nothing to watch for.
            Err(_) if mask == 0 => return Ok(()),
            el => el?,
        };
        let now = event_loop::file_event(el, (*conn).fd).map_or(0, |(now, _)| now);
        if now & !mask != 0 {
            unwatch(conn, now & !mask);
        }
        if mask & !now != 0 {
            events::watch(conn, mask & !now)?;
        }
        Ok(())
    }
}

pub(super) unsafe extern "C" fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe {
        let before = core::mem::replace(&mut (*conn).read_handler, handler);
        settle(conn).inspect_err(|_| (*conn).read_handler = before)
    })
}

pub(super) unsafe extern "C" fn set_write_handler(
    conn: *mut connection,
    handler: ConnectionCallbackFunc,
    barrier: c_int,
) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe {
        let before = core::mem::replace(&mut (*conn).write_handler, handler);
        if barrier != 0 {
            (*conn).flags |= CONN_FLAG_WRITE_BARRIER;
        } else {
            (*conn).flags &= !CONN_FLAG_WRITE_BARRIER;
        }
        settle(conn).inspect_err(|_| (*conn).write_handler = before)
    })
}

/// With `on` the loop is left alone until [`update_state`].
///
/// # Safety
/// `conn` is a live connection of this type.
#[allow(dead_code)] // Only Valkey asks for it.
pub(in crate::connection) unsafe fn postpone(conn: *mut connection, on: bool) {
    // SAFETY: the caller vouches for the connection.
    unsafe { (*this(conn)).postponed = on };
}

/// Catches up with what another thread has done.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Valkey asks for it.
pub(in crate::connection) unsafe fn update_state(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection. Without memory for the event there is nobody to tell.
    let _ = unsafe { settle(conn) };
}

/// The connection leaves its loop.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(in crate::connection) unsafe fn unbind(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).place.leave();
        if let Some((el, id)) = (*this(conn)).timer.take() {
            let _ = event_loop::delete_time_event(el, id);
        }
        if let Some(slot) = &(*this(conn)).slot {
            slot.moved(ptr::null_mut());
        }
        unwatch(conn, AE_READABLE | AE_WRITABLE);
    }
}

/// The connection has a loop again.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(in crate::connection) unsafe fn rebound(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).home = pending::thread();
        if let Some(slot) = &(*this(conn)).slot {
            slot.moved(loop_of(conn)?);
        }
        // In the middle of a handshake that has begun; one that was to give way has got another loop before it was told.
        if (*conn).state == CONN_STATE_CONNECTING || (*this(conn)).slot.is_some() || (*conn).conn_handler.is_some() {
            begin(conn)?;
            return watch_for(conn, AE_READABLE | AE_WRITABLE);
        }
        settle(conn)
    }
}
