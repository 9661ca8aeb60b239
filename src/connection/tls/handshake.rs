//! Handshakes: begun, gone on with whenever the socket is ready, and ended, within their time.

use super::config::limits;
use super::conn::{fail, this};
use super::failure::Failure;
use super::interest::{settle, watch_for};
use super::permits::{self, Permit};
use super::session::{Handshake, Session};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, AeTimeResult, aeEventLoop};
use crate::abi::connect::Connector;
use crate::abi::connection::*;
use crate::abi::profile::DO_NOT_RUN_AGAIN;
use crate::anet;
use crate::connection::home::loop_of;
use crate::connection::socket::{start_tcp_connect, wait_tcp_connect};
use crate::connection::sync::Deadline;
use crate::connection::{call_handler, drop_fd, status, unwatch};
use crate::event_loop::{LibraryTimer, LoopHandle};
use crate::sys::Errno;
use core::ffi::{CStr, c_char, c_int, c_longlong, c_void};

/// Begins a handshake: from now on it has its time.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn begin(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    limits::milliseconds().map_or(Ok(()), |milliseconds| unsafe { give_time(conn, milliseconds.into()) })
}

/// # Safety
/// `conn` is a live connection of this type and thread, without a time event.
unsafe fn give_time(conn: *mut connection, milliseconds: c_longlong) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection, which takes the event back before it is gone.
    unsafe {
        let el = loop_of(conn)?;
        (*this(conn)).timer = Some(LibraryTimer::start(el, milliseconds, time_is_over, conn.cast())?);
        Ok(())
    }
}

/// A place for a handshake that begins. When there is none, the oldest of the same loop gives way: a client that is slow
/// rather than one that has just come. The loop tells it so in a moment: nobody expects other connections' handlers here.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn take_permit(conn: *mut connection) -> Result<Permit, Failure> {
    // SAFETY: the caller vouches for the connection; the oldest, of the same loop, lives while it has its permit.
    unsafe {
        let el = LoopHandle::of(loop_of(conn)?).number();
        if let Some(permit) = Permit::take(conn, el) {
            return Ok(permit);
        }
        if let Some(oldest) = permits::oldest(el) {
            end(oldest);
            give_time(oldest, 0)?;
        }
        Permit::take(conn, el).ok_or(Failure::Other(TOO_MANY))
    }
}

const TOO_MANY: &str = "too many handshakes are under way";

/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn end(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).permit = None;
        if let Some(timer) = (*this(conn)).timer.take() {
            timer.cancel();
        }
    }
}

unsafe extern "C" fn time_is_over(_el: *mut aeEventLoop, _id: c_longlong, data: *mut c_void) -> AeTimeResult {
    let conn = data.cast::<connection>();
    // SAFETY: a connection that is gone has taken its time event with it.
    unsafe {
        (*this(conn)).timer = None;
        let gave_way = (*conn).state == CONN_STATE_ACCEPTING && (*this(conn)).permit.is_none();
        fail(conn, &Failure::Other(if gave_way { TOO_MANY } else { "the peer did not end the handshake in time" }));
        finish(conn);
    }
    DO_NOT_RUN_AGAIN
}

/// Goes on with a handshake. None while it lasts; then the state says how it went.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn advance(conn: *mut connection) -> Option<()> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let result = step(conn).and_then(|waits| {
            let mask = match waits {
                Handshake::Read => AE_READABLE,
                Handshake::Write => AE_WRITABLE,
                Handshake::Done => return Ok(true),
            };
            watch_for(conn, mask)?;
            Ok(false)
        });
        match result {
            Ok(false) => return None,
            Ok(true) => (*conn).state = CONN_STATE_CONNECTED,
            Err(failure) => _ = fail(conn, &failure),
        }
        Some(())
    }
}

/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn step(conn: *mut connection) -> Result<Handshake, Failure> {
    // SAFETY: the caller vouches for the connection; no handler runs here.
    unsafe {
        if (*conn).state == CONN_STATE_CONNECTING && !(*this(conn)).reached {
            match anet::take_error((*conn).fd) {
                0 => (*this(conn)).reached = true,
                error => return Err(Errno::from_raw(error).into()),
            }
        }
        let fd = (*conn).fd;
        let session = (*this(conn)).session.as_mut().ok_or(Failure::Other("TLS is not configured"))?;
        session.handshake(fd)
    }
}

/// The handshake is over, well or not. False when the connection is gone.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(super) unsafe fn finish(conn: *mut connection) -> bool {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        end(conn);
        if (*conn).state == CONN_STATE_ERROR {
            unwatch(conn, AE_READABLE | AE_WRITABLE);
        }
        // Taken first: it may start another connect.
        let handler = (*conn).conn_handler.take();
        if !call_handler(conn, handler) {
            return false;
        }
        if (*conn).state == CONN_STATE_CONNECTED {
            // Without memory for the event there is nobody to tell.
            let _ = settle(conn);
        }
        true
    }
}

pub(super) unsafe extern "C" fn accept(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table. The second count in `refs` is the caller's, who closes the
    // connection when the handler has.
    unsafe {
        if (*conn).state != CONN_STATE_ACCEPTING {
            return status(|| Err(Errno::EINVAL));
        }
        if (*this(conn)).permit.is_none() && (*this(conn)).timer.is_none() {
            let begun = take_permit(conn).and_then(|permit| {
                (*this(conn)).permit = Some(permit);
                begin(conn).map_err(Failure::System)
            });
            if let Err(failure) = begun {
                return status(|| Err(fail_at_once(conn, &failure)));
            }
        }
        (*conn).conn_handler = handler;
        let before = (*conn).last_errno;
        if advance(conn).is_none() {
            return C_OK;
        }
        if (*conn).state == CONN_STATE_ERROR {
            // The caller hears of it from the result alone.
            (*conn).conn_handler = None;
            end(conn);
            unwatch(conn, AE_READABLE | AE_WRITABLE);
            return status(|| Err(Errno::from_raw((*conn).last_errno)));
        }
        (*conn).last_errno = before;
        (*conn).refs += 1;
        let open = finish(conn);
        (*conn).refs -= 1;
        if open { C_OK } else { C_ERR }
    }
}

/// Ends a handshake before it has begun.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn fail_at_once(conn: *mut connection, failure: &Failure) -> Errno {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        end(conn);
        fail(conn, failure)
    }
}

/// How connections over TLS connect.
pub(super) struct Tls;

impl Connector for Tls {
    unsafe fn connect(
        conn: *mut connection,
        host: *const c_char,
        port: c_int,
        source: *const c_char,
        multipath: bool,
        handler: ConnectionCallbackFunc,
    ) -> c_int {
        // SAFETY: called through a live connection's table with strings or NULL; the handler runs in the loop.
        status(|| unsafe {
            prepare(conn, host).map_err(|failure| fail_at_once(conn, &failure))?;
            start_tcp_connect(conn, host, port, source, multipath, handler)?;
            begin(conn).map_err(|errno| {
                drop_fd(conn);
                (*conn).conn_handler = None;
                fail_at_once(conn, &errno.into())
            })
        })
    }
}

/// Gives a connection that can connect a new session.
///
/// # Safety
/// `conn` is a live connection of this type and thread, `host` NULL or a string.
unsafe fn prepare(conn: *mut connection, host: *const c_char) -> Result<(), Failure> {
    // SAFETY: the caller vouches for both.
    unsafe {
        if !matches!((*conn).state, CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING | CONN_STATE_CONNECTED) {
            let address = if host.is_null() { c"" } else { CStr::from_ptr(host) };
            (*this(conn)).place.leave();
            (*this(conn)).error = None;
            (*this(conn)).reached = false;
            (*this(conn)).session = Some(Session::client(address)?);
        }
        Ok(())
    }
}

pub(super) unsafe extern "C" fn blocking_connect(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    status(|| unsafe {
        prepare(conn, host).map_err(|failure| fail(conn, &failure))?;
        let deadline = Deadline::unless_below_0(timeout);
        wait_tcp_connect(conn, host, port, timeout)?;
        (*this(conn)).reached = true;
        let result = loop {
            let mask = match step(conn) {
                Ok(Handshake::Done) => break Ok(()),
                Ok(Handshake::Read) => AE_READABLE,
                Ok(Handshake::Write) => AE_WRITABLE,
                Err(failure) => break Err(failure),
            };
            if let Err(errno) = deadline.wait((*conn).fd, mask) {
                break Err(errno.into());
            }
        };
        result.map_err(|failure| {
            drop_fd(conn);
            fail(conn, &failure)
        })
    })
}
