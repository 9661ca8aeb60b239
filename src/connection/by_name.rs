//! Sockets connected to a host by its name, without a moment in which the loop waits: the name is resolved elsewhere,
//! and its addresses are tried in their order, one after the other.

use crate::abi::ae::{AE_WRITABLE, AeFileProc, aeEventLoop, aeFileProc};
use crate::anet::{Error, KeptOptions, start_connect, take_error};
use crate::event_loop::{self as core_loop, Asker, Loop, Outcome, Request};
use crate::sys::resolve::{Found, Query};
use crate::sys::{Errno, fd};
use core::ffi::{c_int, c_void};
use core::ptr::{self, NonNull};
use std::ffi::CString;

/// Called in the end with the connected socket, which is the callee's, or why there is none.
pub(crate) type Connected = unsafe fn(Loop, Asker, Result<c_int, Error>);
/// Called in place of that when the request is cancelled.
pub(crate) type Forget = unsafe fn(Loop, Asker);

struct Attempt {
    id: i64,
    options: KeptOptions,
    /// The addresses still to be tried, the next one last.
    left: Vec<Found>,
    /// The socket that is connecting, -1 without one.
    fd: c_int,
    /// Why the last address could not be connected to.
    error: Error,
    connected: Connected,
    forget: Forget,
    asker: Asker,
}

impl Attempt {
    /// Stops connecting.
    fn give_up(&mut self, el: Loop) {
        if self.fd >= 0 {
            core_loop::delete_file_event(el, self.fd, AE_WRITABLE);
            let _ = fd::close(self.fd);
            self.fd = -1;
        }
    }

    /// # Safety
    /// No reference to a part of the loop is alive.
    unsafe fn end(self, el: Loop, result: Result<c_int, Error>) {
        // SAFETY: whoever asked lets it be called, once.
        unsafe { (self.connected)(el, self.asker, result) };
    }
}

/// What the loop keeps while an attempt, which came from a box, goes on: whoever is called with it gets the attempt.
fn request(attempt: *mut Attempt) -> Request {
    Request { done: resolved, forget: forgotten, asker: Asker { proc: ptr::null_mut(), data: attempt.cast() } }
}

/// Connects to a port of a host as the options say, and calls `connected` in the end. Returns a number for the loop's
/// `cancel`, which calls `forget`. While it connects a socket is watched for writable.
///
/// # Safety
/// Both functions may be called with the asker.
pub(crate) unsafe fn connect_by_name(
    el: Loop,
    name: CString,
    port: u16,
    options: KeptOptions,
    connected: Connected,
    forget: Forget,
    asker: Asker,
) -> Result<i64, Errno> {
    let error = Error::new("connect", Errno::EADDRNOTAVAIL);
    let attempt = Attempt { id: 0, options, left: Vec::new(), fd: -1, error, connected, forget, asker };
    let attempt = Box::into_raw(Box::new(attempt));
    let query = Query { family: libc::AF_UNSPEC, ..Query::default() };
    // SAFETY: the functions get the attempt, once.
    match unsafe { core_loop::resolve(el, name, Some(port), query, request(attempt)) } {
        Ok(id) => {
            // SAFETY: nobody has been called yet.
            unsafe { (*attempt).id = id };
            Ok(id)
        }
        Err(errno) => {
            // SAFETY: not taken over.
            drop(unsafe { Box::from_raw(attempt) });
            Err(errno)
        }
    }
}

/// The addresses are there; or the loop is being freed, whatever the attempt was at.
unsafe fn resolved(el: Loop, asker: Asker, outcome: Outcome) {
    // SAFETY: it is called with an attempt that `request` was told, once.
    let mut attempt = unsafe { Box::from_raw(asker.data.cast::<Attempt>()) };
    let was_connecting = attempt.fd >= 0;
    attempt.give_up(el);
    let error = match outcome {
        Ok(found) => {
            attempt.left = found;
            attempt.left.reverse();
            // SAFETY: no reference is alive.
            return unsafe { try_next(el, attempt) };
        }
        Err(error) if was_connecting => Error::new("connect", error.errno),
        Err(error) => error.into(),
    };
    // SAFETY: no reference is alive.
    unsafe { attempt.end(el, Err(error)) };
}

unsafe fn forgotten(el: Loop, asker: Asker) {
    // SAFETY: it is called with an attempt that `request` was told, once.
    let mut attempt = unsafe { Box::from_raw(asker.data.cast::<Attempt>()) };
    attempt.give_up(el);
    // SAFETY: whoever asked lets it be called, once.
    unsafe { (attempt.forget)(el, attempt.asker) };
}

/// Starts to connect to the next address that lets itself be connected to, or ends.
///
/// # Safety
/// As for [`Attempt::end`].
unsafe fn try_next(el: Loop, mut attempt: Box<Attempt>) {
    while let Some(found) = attempt.left.pop() {
        match start_connect(&found, &attempt.options) {
            Ok(fd) => attempt.fd = fd,
            Err(error) => {
                attempt.error = error;
                continue;
            }
        }
        let raw = Box::into_raw(attempt);
        // SAFETY: whoever is called with the attempt gets it, once.
        let watched = unsafe { watch(el, raw) };
        let Err(errno) = watched else { return };
        // SAFETY: not taken over.
        attempt = unsafe { Box::from_raw(raw) };
        attempt.error = Error::new("watching the socket", errno);
        attempt.give_up(el);
    }
    let error = attempt.error;
    // SAFETY: no reference is alive.
    unsafe { attempt.end(el, Err(error)) };
}

/// # Safety
/// The attempt came from a box, and is nobody else's when this succeeds.
unsafe fn watch(el: Loop, attempt: *mut Attempt) -> Result<(), Errno> {
    let proc = finished as AeFileProc as *mut aeFileProc;
    // SAFETY: the attempt is there; whoever is called with it gets it, once.
    unsafe {
        let (id, fd) = ((*attempt).id, (*attempt).fd);
        core_loop::keep(el, id, request(attempt))?;
        core_loop::create_file_event(el, fd, AE_WRITABLE, proc, attempt.cast())
            .inspect_err(|_| _ = core_loop::give_back(el, id))
    }
}

/// The socket says how its connect has ended.
unsafe extern "C" fn finished(raw: *mut aeEventLoop, fd: c_int, data: *mut c_void, _mask: c_int) {
    // SAFETY: called by a loop, with an attempt that `watch` has handed over, once: the event is deleted at once.
    let (el, mut attempt) = unsafe { (Loop::new(NonNull::new_unchecked(raw)), Box::from_raw(data.cast::<Attempt>())) };
    core_loop::delete_file_event(el, fd, AE_WRITABLE);
    core_loop::give_back(el, attempt.id);
    match take_error(fd) {
        0 => {
            attempt.fd = -1;
            // SAFETY: no reference is alive.
            unsafe { attempt.end(el, Ok(fd)) };
        }
        error => {
            attempt.error = Error::new("connect", Errno::from_raw(error));
            attempt.give_up(el);
            // SAFETY: as above.
            unsafe { try_next(el, attempt) };
        }
    }
}
