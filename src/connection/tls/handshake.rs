//! Handshakes: started, continued whenever the socket is ready, and ended, at the latest when their time is over.

use super::config::limits;
use super::conn::TlsConn;
use super::failure::Failure;
use super::interest::{settle, watch_for};
use super::permits::{self, Permit};
use super::session::{Handshake, Session};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, AeTimeResult, aeEventLoop};
use crate::abi::connection::*;
use crate::abi::profile::DO_NOT_RUN_AGAIN;
use crate::anet;
use crate::connection::conn_by_name::{self, Host};
use crate::connection::connecting::wait_tcp;
use crate::connection::handle::Conn;
use crate::connection::handlers::{call_handler, held};
use crate::connection::home::loop_of;
use crate::connection::sync::Deadline;
use crate::connection::watch::{drop_fd, unwatch};
use crate::event_loop::{self, Asker, LibraryTimer, Loop, LoopId, Outcome, Request};
use crate::sys::Errno;
use core::ffi::{CStr, c_int, c_longlong, c_void};

/// Begins a handshake: starts its timer, if handshakes are limited in time.
pub(super) fn begin(conn: TlsConn) -> Result<(), Errno> {
    let own = conn.context().and_then(|context| context.handshake_timeout());
    let milliseconds = own.map_or_else(limits::milliseconds, |own| Some(own).filter(|own| *own >= 0));
    milliseconds.map_or(Ok(()), |milliseconds| give_time(conn, milliseconds.into()))
}

/// Gives a connection without a time event one.
fn give_time(conn: TlsConn, milliseconds: c_longlong) -> Result<(), Errno> {
    let el = loop_of(*conn)?;
    // SAFETY: the connection, its client data, takes the event back before it is gone.
    let timer = unsafe { LibraryTimer::start(el, milliseconds, time_is_over, conn.client_data())? };
    conn.replace_timer(Some(timer));
    Ok(())
}

/// Sees to it that the handshake's time does not end.
pub(super) fn stop_timer(conn: TlsConn) {
    if let Some(timer) = conn.replace_timer(None) {
        // SAFETY: a connection is used by the thread of its loop.
        unsafe { timer.cancel() };
    }
}

/// A permit for a handshake that begins. If there is none left, the oldest handshake of the same loop gives way: better
/// a slow client than a new one. A time event tells it, because its handler must not run in here.
fn take_permit(conn: TlsConn) -> Result<Permit, Failure> {
    let el = LoopId::of(loop_of(*conn)?).number();
    if let Some(permit) = Permit::take(conn.as_ptr(), el) {
        return Ok(permit);
    }
    if let Some(oldest) = permits::oldest(el) {
        // SAFETY: it lives while it has its permit, and is of this loop, so this thread's.
        let oldest = unsafe { TlsConn::new(oldest) };
        end(oldest);
        give_time(oldest, 0)?;
    }
    Permit::take(conn.as_ptr(), el).ok_or(Failure::Other(TOO_MANY))
}

const TOO_MANY: &str = "too many handshakes are under way";

pub(super) fn end(conn: TlsConn) {
    conn.set_permit(None);
    unfollow_loop(conn);
    stop_timer(conn);
}

unsafe extern "C" fn time_is_over(_el: *mut aeEventLoop, _id: c_longlong, data: *mut c_void) -> AeTimeResult {
    // SAFETY: the time event's client data is the connection; one that is gone has taken its time event with it.
    let conn = unsafe { TlsConn::new(data.cast()) };
    let gave_way = conn.state() == CONN_STATE_ACCEPTING && !conn.has_permit();
    conn.fail(&Failure::Other(if gave_way { TOO_MANY } else { "the peer did not end the handshake in time" }));
    let _ = finish(conn);
    DO_NOT_RUN_AGAIN
}

/// Continues a handshake. None while it lasts; afterwards the connection's state tells the result.
pub(super) fn advance(conn: TlsConn) -> Option<()> {
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
        Ok(true) => conn.set_state(CONN_STATE_CONNECTED),
        Err(failure) => _ = conn.fail(&failure),
    }
    Some(())
}

fn step(conn: TlsConn) -> Result<Handshake, Failure> {
    if conn.state() == CONN_STATE_CONNECTING && !conn.reached() {
        match anet::take_error(conn.fd()) {
            0 => conn.set_reached(true),
            error => return Err(Errno::from_raw(error).into()),
        }
    }
    // SAFETY: no handler runs here.
    let session = unsafe { conn.session() }.ok_or(Failure::Other("TLS is not configured"))?;
    session.handshake(conn.fd())
}

/// Reports the end of the handshake, successful or not. False when the connection is gone.
#[must_use]
pub(super) fn finish(conn: TlsConn) -> bool {
    end(conn);
    if conn.state() == CONN_STATE_ERROR {
        unwatch(*conn, AE_READABLE | AE_WRITABLE);
    }
    // Taken before it is called: it may start another connect.
    let handler = conn.conn_handler();
    conn.set_conn_handler(None);
    if !call_handler(*conn, handler) {
        return false;
    }
    if conn.state() == CONN_STATE_CONNECTED {
        // An error (no memory for the event) has nobody to be reported to.
        let _ = settle(conn);
    }
    true
}

/// Begins the handshake of an accepted connection. If it ends at once, the handler runs in here. Ok(false) when that
/// has closed the connection: then the caller frees it.
pub(in crate::connection) fn accept(conn: TlsConn, handler: ConnectionCallbackFunc) -> Result<bool, Errno> {
    if conn.state() != CONN_STATE_ACCEPTING {
        return Err(Errno::EINVAL);
    }
    if !conn.has_permit() && !conn.has_timer() {
        let begun = take_permit(conn).and_then(|permit| {
            conn.set_permit(Some(permit));
            begin(conn).map_err(Failure::System)
        });
        begun.map_err(|failure| fail_at_once(conn, &failure))?;
    }
    conn.set_conn_handler(handler);
    if advance(conn).is_none() {
        return Ok(true);
    }
    if conn.state() == CONN_STATE_ERROR {
        // The result tells the caller; the handler is not called.
        conn.set_conn_handler(None);
        end(conn);
        unwatch(*conn, AE_READABLE | AE_WRITABLE);
        return Err(Errno::from_raw(conn.last_errno()));
    }
    Ok(held(*conn, |_| finish(conn)))
}

/// Ends a handshake before it has begun.
fn fail_at_once(conn: TlsConn, failure: &Failure) -> Errno {
    end(conn);
    conn.fail(failure)
}

/// Starts to connect to `host` as `start` does it over TCP, and then the handshake.
pub(in crate::connection) fn connect(
    conn: TlsConn,
    host: Option<&CStr>,
    start: impl FnOnce(Conn) -> Result<(), anet::Error>,
) -> Result<(), anet::Error> {
    let of_tls = |errno| anet::Error::new("TLS", errno);
    prepare(conn, host).map_err(|failure| of_tls(fail_at_once(conn, &failure)))?;
    start(*conn)?;
    begin(conn).map_err(|errno| {
        drop_fd(*conn);
        conn.set_conn_handler(None);
        of_tls(fail_at_once(conn, &errno.into()))
    })
}

/// Starts to connect to a host by its name, and then the handshake, whose time begins with it.
pub(in crate::connection) fn connect_by_name(
    conn: TlsConn,
    host: &Host<'_>,
    handler: ConnectionCallbackFunc,
) -> Result<(), anet::Error> {
    let of_tls = |errno| anet::Error::new("TLS", errno);
    prepare(conn, Some(host.name)).map_err(|failure| of_tls(fail_at_once(conn, &failure)))?;
    conn_by_name::start(*conn, host, handler, connected_by_name)
}

/// The socket is connected, or there is none.
unsafe fn connected_by_name(el: Loop, asker: Asker, result: Result<c_int, anet::Error>) {
    // SAFETY: it is called with a connection of this type, which is there: closed, it would have cancelled this.
    let conn = unsafe { TlsConn::new(asker.data.cast()) };
    // What the handlers want waits until the handshake is over.
    let taken = conn_by_name::take_over(*conn, el, result, |_| AE_WRITABLE);
    let begun = taken.and_then(|()| begin(conn)).and_then(|()| follow_loop(conn, el));
    if let Err(errno) = begun {
        drop_fd(*conn);
        conn.fail(&errno.into());
        let _ = finish(conn);
    }
}

/// Has a connection that was connected by name told when this loop ends, until [`unfollow_loop`].
fn follow_loop(conn: TlsConn, el: Loop) -> Result<(), Errno> {
    let asker = Asker { proc: core::ptr::null_mut(), data: conn.client_data() };
    // SAFETY: it may be called with the connection, which forgets it before it is gone.
    let id = unsafe { event_loop::keep_alone(el, Request { done: loop_ends, forget: nobody_cancels, asker }) }?;
    conn.replace_request(Some((LoopId::of(el), id)));
    Ok(())
}

/// The end of a loop no longer concerns the connection. Says whether it did.
fn unfollow_loop(conn: TlsConn) -> bool {
    let Some((mut el, id)) = conn.replace_request(None) else { return false };
    // SAFETY: a connection is used by the thread of its loop.
    if let Some(el) = unsafe { el.get() } {
        event_loop::give_back(el, id);
    }
    true
}

/// The connection leaves its loop for another one, whose end then concerns it.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(super) fn leave_loop(conn: TlsConn) {
    if unfollow_loop(conn) {
        conn.replace_request(Some((LoopId::NONE, 0)));
    }
}

/// It has come to that loop.
#[allow(dead_code)] // As above.
pub(super) fn come_to_loop(conn: TlsConn, el: Loop) -> Result<(), Errno> {
    if unfollow_loop(conn) { follow_loop(conn, el) } else { Ok(()) }
}

unsafe fn loop_ends(_el: Loop, asker: Asker, _outcome: Outcome) {
    // SAFETY: it is called with a connection of this type, which is there: it would have forgotten this.
    let conn = unsafe { TlsConn::new(asker.data.cast()) };
    conn.replace_request(None);
    conn.fail(&Errno::ECANCELED.into());
    let _ = finish(conn);
}

/// Nobody knows its number.
unsafe fn nobody_cancels(_el: Loop, _asker: Asker) {}

/// Gives a connection a new session, if it is in a state to connect.
fn prepare(conn: TlsConn, host: Option<&CStr>) -> Result<(), Failure> {
    if !matches!(conn.state(), CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING | CONN_STATE_CONNECTED) {
        conn.unlist();
        conn.clear_error();
        conn.set_reached(false);
        conn.set_session(Some(Session::client(host.unwrap_or_default(), conn.context().as_deref())?));
    }
    Ok(())
}

/// Connects and ends the handshake, waiting for at most `timeout` milliseconds (below 0: forever).
pub(super) fn wait_connect(conn: TlsConn, host: Option<&CStr>, port: c_int, timeout: c_longlong) -> Result<(), Errno> {
    prepare(conn, host).map_err(|failure| conn.fail(&failure))?;
    let deadline = Deadline::unless_below_0(timeout);
    wait_tcp(*conn, host, port, timeout)?;
    wait_handshake(conn, &deadline).map_err(|failure| {
        drop_fd(*conn);
        conn.fail(&failure)
    })
}

/// Ends a handshake, waiting for the peer until the deadline.
fn wait_handshake(conn: TlsConn, deadline: &Deadline) -> Result<(), Failure> {
    loop {
        let mask = match step(conn)? {
            Handshake::Done => return Ok(()),
            Handshake::Read => AE_READABLE,
            Handshake::Write => AE_WRITABLE,
        };
        deadline.wait(conn.fd(), mask)?;
    }
}
