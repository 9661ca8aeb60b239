//! Connections over TLS: a socket's functions with a session in front of each.
//!
//! While the handshake is under way it alone decides what the descriptor is watched for. Afterwards the handlers do:
//! no handler, no interest. I/O threads may read and write, one at a time for each connection: `read` and `write` touch
//! no loop.

mod buffer;
mod context;
mod files;
mod limits;
mod pending;
mod session;
pub(crate) mod settings;
mod store;
mod verify;

pub(crate) use context::{configure, forget, is_configured};

use super::socket::{self, MAX_TRANSFER, STREAM, bytes, transferred};
use super::{call_handler, drop_fd, events, is_held, loop_of, new_connection, status, sync, unwatch};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE, AeTimeProc, AeTimeResult, aeEventLoop, aeTimeProc};
use crate::abi::connection::*;
use crate::abi::profile::DO_NOT_RUN_AGAIN;
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::anet;
use crate::event_loop;
use crate::event_loop::memory::{boxed, unbox};
use crate::host;
use crate::sys::errno::{call, quietly};
use crate::sys::{Errno, memory};
use core::ffi::{CStr, c_char, c_int, c_longlong, c_void};
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::time::Duration;
use limits::Slot;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use session::{Failure, Handshake, Session, WRITE_LIMIT};
use settings::TlsConfig;
use std::cell::RefCell;
use std::ffi::CString;
use std::time::Instant;

/// How many buffers of one `writev` are looked at.
const PARTS: usize = 64;

/// A connection of the TLS type.
#[repr(C)]
pub(crate) struct TlsConnection {
    base: connection,
    /// None until a connect begins, and when there were no settings to make it from.
    session: Option<Box<Session>>,
    /// The last error that is not of the system's.
    error: Option<CString>,
    /// While the handshake of an accepted connection is under way.
    slot: Option<Slot>,
    /// When the handshake must have ended: the loop and the id of a time event.
    timer: Option<(*mut aeEventLoop, c_longlong)>,
    /// The socket of a connect is connected, and the handshake has begun.
    reached: bool,
    /// Another thread is using it: nothing changes in its loop until the state is updated.
    postponed: bool,
    place: pending::Place,
    /// Under which home it waits, unless connections know their loop.
    home: usize,
}

/// The functions of the type that are the same in every profile.
pub(super) const TLS_STREAM: ConnectionType = ConnectionType {
    ae_handler: Some(ae_handler),
    close: Some(close),
    accept: Some(accept),
    connect: Some(connect),
    blocking_connect: Some(blocking_connect),
    write: Some(write),
    read: Some(read),
    set_write_handler: Some(set_write_handler),
    set_read_handler: Some(set_read_handler),
    get_last_error: Some(get_last_error),
    sync_write: Some(sync_write),
    sync_read: Some(sync_read),
    sync_readline: Some(sync_readline),
    ..STREAM
};

fn this(conn: *mut connection) -> *mut TlsConnection {
    conn.cast()
}

/// Takes the host's settings, if it has some and there are none yet.
fn configure_from_host() {
    if !is_configured()
        && let Some(config) = NonNull::new(host::tls_context_config().cast::<redisTLSContextConfig>())
    {
        // SAFETY: the host vouches for its hook.
        let _ = unsafe { configure_upstream(config.as_ref()) };
    }
}

/// Puts upstream's structure in force; why it cannot be is logged.
///
/// # Safety
/// The strings in it are NULL or valid.
pub(crate) unsafe fn configure_upstream(config: &redisTLSContextConfig) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the strings.
    let config = unsafe { TlsConfig::from_upstream(config) };
    config.and_then(|config| configure(&config)).map_err(|error| {
        event_loop::log(crate::abi::host::LIBAE_LOG_WARNING, format_args!("{error}"));
        Errno::EINVAL
    })
}

fn new(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    state: ConnectionState,
    session: Result<Option<Box<Session>>, Failure>,
) -> Result<NonNull<connection>, Errno> {
    let conn = boxed(TlsConnection {
        base: new_connection(ct, el, fd, state),
        session: None,
        error: None,
        slot: None,
        timer: None,
        reached: false,
        postponed: false,
        place: pending::Place::default(),
        home: pending::thread(),
    })?;
    // SAFETY: fresh and nobody else's.
    unsafe {
        match session {
            Ok(session) => (*conn.as_ptr()).session = session,
            Err(failure) => _ = fail(conn.as_ptr().cast(), &failure),
        }
    }
    Ok(conn.cast())
}

/// A new connection to be connected.
pub(crate) fn create(ct: &'static ConnectionType, el: *mut aeEventLoop) -> Result<NonNull<connection>, Errno> {
    configure_from_host();
    new(ct, el, -1, CONN_STATE_NONE, Ok(None))
}

/// A new connection over an accepted descriptor; `auth` says whether the client is asked for its certificate, None
/// leaves that to the settings. Without settings the connection is there, in `CONN_STATE_ERROR`.
pub(crate) fn create_accepted(
    ct: &'static ConnectionType,
    el: *mut aeEventLoop,
    fd: c_int,
    auth: Option<c_int>,
) -> Result<NonNull<connection>, Errno> {
    configure_from_host();
    new(ct, el, fd, CONN_STATE_ACCEPTING, server_session(auth).map(Some))
}

fn server_session(auth: Option<c_int>) -> Result<Box<Session>, Failure> {
    let context = context::current().ok_or(Failure::Other("TLS is not configured"))?;
    let config = context.server(auth).map_err(Failure::Other)?;
    Ok(Box::new(Session::server(UnbufferedServerConnection::new(config)?)))
}

fn client_session(address: &CStr) -> Result<Box<Session>, Failure> {
    let context = context::current().ok_or(Failure::Other("TLS is not configured"))?;
    let (config, name) = context.client(&address.to_string_lossy()).map_err(Failure::Other)?;
    Ok(Box::new(Session::client(UnbufferedClientConnection::new(config, name)?)))
}

/// How many connections a listener may accept at once: `most`, unless so many handshakes are under way that the listener
/// has to rest first.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(crate) fn accepts(most: usize) -> Option<usize> {
    Some(most.min(limits::room())).filter(|most| *most > 0)
}

/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
unsafe fn fail(conn: *mut connection, failure: &Failure) -> Errno {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let errno = if let Failure::System(errno) = failure { *errno } else { Errno::EPROTO };
        let text = matches!(failure, Failure::Tls(_) | Failure::Other(_)).then(|| failure.to_string());
        (*this(conn)).error = text.and_then(|text| CString::new(text).ok());
        (*conn).last_errno = errno as c_int;
        (*conn).state = CONN_STATE_ERROR;
        errno
    }
}

unsafe extern "C" fn get_last_error(conn: *mut connection) -> *const c_char {
    // SAFETY: called through a live connection's table.
    unsafe {
        match &(*this(conn)).error {
            Some(text) => text.as_ptr(),
            None => STREAM.get_last_error.map_or(ptr::null(), |get| get(conn)),
        }
    }
}

// --- the handshake ----------------------------------------------------------------------------------------------

/// Begins a handshake: from now on it has its time.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn begin(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection, which takes the event back before it is gone.
    unsafe {
        if let Some(milliseconds) = limits::milliseconds() {
            let el = loop_of(conn)?;
            let proc = time_is_over as AeTimeProc as *mut aeTimeProc;
            let id = event_loop::create_time_event(el, milliseconds.into(), proc, conn.cast(), ptr::null_mut())?;
            (*this(conn)).timer = Some((el, id));
        }
        Ok(())
    }
}

/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn end(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).slot = None;
        if let Some((el, id)) = (*this(conn)).timer.take()
            && event_loop::is_own(el)
        {
            // It may have been the one that called.
            let _ = event_loop::delete_time_event(el, id);
        }
    }
}

unsafe extern "C" fn time_is_over(_el: *mut aeEventLoop, _id: c_longlong, data: *mut c_void) -> AeTimeResult {
    let conn = data.cast::<connection>();
    // SAFETY: a connection that is gone has taken its time event with it.
    unsafe {
        (*this(conn)).timer = None;
        fail(conn, &Failure::Other("the peer did not end the handshake in time"));
        finish(conn);
    }
    DO_NOT_RUN_AGAIN
}

/// Goes on with a handshake. None while it lasts; then the state says how it went.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn advance(conn: *mut connection) -> Option<()> {
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
unsafe fn finish(conn: *mut connection) -> bool {
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

unsafe extern "C" fn accept(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table. The second count in `refs` is the caller's, who closes the
    // connection when the handler has.
    unsafe {
        if (*conn).state != CONN_STATE_ACCEPTING {
            return status(|| Err(Errno::EINVAL));
        }
        if (*this(conn)).slot.is_none() && (*this(conn)).timer.is_none() {
            let begun = match Slot::take() {
                Some(slot) => {
                    (*this(conn)).slot = Some(slot);
                    begin(conn).map_err(Failure::System)
                }
                None => Err(Failure::Other("too many handshakes are under way")),
            };
            if let Err(failure) = begun {
                return failed_at_once(conn, &failure);
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

/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn failed_at_once(conn: *mut connection, failure: &Failure) -> c_int {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        end(conn);
        let errno = fail(conn, failure);
        status(|| Err(errno))
    }
}

unsafe extern "C" fn connect(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    source: *const c_char,
    handler: ConnectionCallbackFunc,
) -> c_int {
    // SAFETY: called through a live connection's table with strings or NULL; the handler runs in the loop.
    unsafe {
        if let Err(failure) = prepare(conn, host) {
            return failed_at_once(conn, &failure);
        }
        let result = socket::connect(conn, host, port, source, handler);
        if result == C_OK
            && let Err(errno) = begin(conn)
        {
            drop_fd(conn);
            (*conn).conn_handler = None;
            return failed_at_once(conn, &errno.into());
        }
        result
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
            (*this(conn)).session = Some(client_session(address)?);
        }
        Ok(())
    }
}

unsafe extern "C" fn blocking_connect(
    conn: *mut connection,
    host: *const c_char,
    port: c_int,
    timeout: c_longlong,
) -> c_int {
    // SAFETY: called through a live connection's table with a string or NULL.
    call(C_ERR, || unsafe {
        if let Err(failure) = prepare(conn, host) {
            return Err(fail(conn, &failure));
        }
        let start = Instant::now();
        if socket::blocking_connect(conn, host, port, timeout) != C_OK {
            return Err(Errno::last());
        }
        (*this(conn)).reached = true;
        let result = loop {
            let mask = match step(conn) {
                Ok(Handshake::Done) => break Ok(()),
                Ok(Handshake::Read) => AE_READABLE,
                Ok(Handshake::Write) => AE_WRITABLE,
                Err(failure) => break Err(failure),
            };
            let left = u64::try_from(timeout).map(|limit| Duration::from_millis(limit).saturating_sub(start.elapsed()));
            let left = match left {
                Ok(Duration::ZERO) => break Err(Errno::ETIMEDOUT.into()),
                Ok(left) => left.as_micros().div_ceil(1000).try_into().unwrap_or(c_longlong::MAX),
                Err(_) => -1,
            };
            if let Err(errno) = event_loop::wait((*conn).fd, mask, left)
                && errno != Errno::EINTR
            {
                break Err(errno.into());
            }
        };
        match result {
            Ok(()) => Ok(C_OK),
            Err(failure) => {
                drop_fd(conn);
                Err(fail(conn, &failure))
            }
        }
    })
}

// --- events -----------------------------------------------------------------------------------------------------

/// The event loop's callback.
unsafe extern "C" fn ae_handler(_el: *mut aeEventLoop, _fd: c_int, data: *mut c_void, mask: c_int) {
    let conn = data.cast::<connection>();
    // SAFETY: the loop passes what it was given, and a closed connection is watched no longer.
    unsafe {
        if !matches!((*conn).state, CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING) {
            deliver(conn, mask);
        } else if advance(conn).is_some() {
            finish(conn);
        }
    }
}

/// Calls the handlers, and then sees to it that what they have left will be announced.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn deliver(conn: *mut connection, mask: c_int) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        if events::call_handlers(conn, mask) {
            announce(conn);
        }
    }
}

/// Enters or takes out the connection according to what it holds.
///
/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
unsafe fn note_pending(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        let this = this(conn);
        // Without a handler nobody would take it, and the loop would not sleep.
        let is_pending = (*conn).state == CONN_STATE_CONNECTED
            && (*conn).read_handler.is_some()
            && (*this).session.as_ref().is_some_and(|session| session.has_pending());
        let home = (*conn).own_loop().map_or((*this).home, |el| el as usize);
        if is_pending && home != 0 {
            (*this).place.enter(home, this);
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
    // SAFETY: a time event of the home's own thread.
    unsafe { process(home) };
    DO_NOT_RUN_AGAIN
}

/// The home that `el` stands for, the thread's if it is NULL.
fn home_of(el: *mut aeEventLoop) -> usize {
    if el.is_null() { pending::thread() } else { el as usize }
}

/// Whether a connection of that loop, or of this thread, holds data that no poll will announce.
pub(super) fn has_pending(el: *mut aeEventLoop) -> bool {
    pending::any(home_of(el))
}

/// Runs the read handlers of these connections; returns how many.
///
/// # Safety
/// `el` is NULL or a live loop of this thread.
pub(super) unsafe fn process_pending(el: *mut aeEventLoop) -> c_int {
    if !IS_ASKED.load(Relaxed) {
        IS_ASKED.store(true, Relaxed);
    }
    // SAFETY: a home of this thread.
    unsafe { process(home_of(el)) }
}

/// # Safety
/// `home` belongs to this thread.
unsafe fn process(home: usize) -> c_int {
    let mut count = 0;
    let mut postponed = Vec::new();
    let end = pending::end();
    while let Some(this) = pending::first(home, end) {
        // SAFETY: a connection that is closed leaves the list, and those of this home are closed in this thread.
        unsafe {
            (*this).place.leave();
            if (*this).postponed {
                postponed.push(this);
            } else {
                count += 1;
                deliver(this.cast(), AE_READABLE);
            }
        }
    }
    for this in postponed {
        // SAFETY: nobody closes a connection that another thread uses.
        unsafe { (*this).place.enter(home, this) };
    }
    count
}

/// Brings what the loop watches for in line with the handlers.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn settle(conn: *mut connection) -> Result<(), Errno> {
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
unsafe fn watch_for(conn: *mut connection, mask: c_int) -> Result<(), Errno> {
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

unsafe extern "C" fn set_read_handler(conn: *mut connection, handler: ConnectionCallbackFunc) -> c_int {
    // SAFETY: called through a live connection's table.
    status(|| unsafe {
        let before = core::mem::replace(&mut (*conn).read_handler, handler);
        settle(conn).inspect_err(|_| (*conn).read_handler = before)
    })
}

unsafe extern "C" fn set_write_handler(
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
pub(super) unsafe fn postpone(conn: *mut connection, on: bool) {
    // SAFETY: the caller vouches for the connection.
    unsafe { (*this(conn)).postponed = on };
}

/// Catches up with what another thread has done.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Valkey asks for it.
pub(super) unsafe fn update_state(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection. Without memory for the event there is nobody to tell.
    let _ = unsafe { settle(conn) };
}

/// The connection leaves its loop.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(super) unsafe fn unbind(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).place.leave();
        if let Some((el, id)) = (*this(conn)).timer.take() {
            let _ = event_loop::delete_time_event(el, id);
        }
        unwatch(conn, AE_READABLE | AE_WRITABLE);
    }
}

/// The connection has a loop again.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Only Redis 8 asks for it.
pub(super) unsafe fn rebound(conn: *mut connection) -> Result<(), Errno> {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        (*this(conn)).home = pending::thread();
        if (*this(conn)).slot.is_some() {
            begin(conn)?;
            return watch_for(conn, AE_READABLE | AE_WRITABLE);
        }
        settle(conn)
    }
}

// --- data -------------------------------------------------------------------------------------------------------

/// What a state other than connected answers to a read or write.
fn refusal(state: ConnectionState, last_errno: c_int) -> Errno {
    match state {
        CONN_STATE_CONNECTING | CONN_STATE_ACCEPTING => Errno::EAGAIN,
        CONN_STATE_CLOSED => Errno::EPIPE,
        CONN_STATE_ERROR if last_errno != 0 => Errno::from_raw(last_errno),
        _ => Errno::ENOTCONN,
    }
}

/// Lets the session of a connected connection read or write.
///
/// # Safety
/// `conn` is a live connection of this type that no other thread uses.
unsafe fn transfer(
    conn: *mut connection,
    body: impl FnOnce(&mut Session, c_int) -> Result<usize, Failure>,
) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for the connection; no handler runs here.
    unsafe {
        let fd = (*conn).fd;
        let Some(session) = (*this(conn)).session.as_mut().filter(|_| (*conn).state == CONN_STATE_CONNECTED) else {
            return Err(refusal((*conn).state, (*conn).last_errno));
        };
        match body(session, fd) {
            Err(Failure::System(errno)) => {
                if errno != Errno::EAGAIN && errno != Errno::EINTR {
                    (*this(conn)).error = None;
                }
                Err(errno)
            }
            Err(failure) => Err(fail(conn, &failure)),
            Ok(count) => Ok(count),
        }
    }
}

/// # Safety
/// `conn` is a live connection of this type that no other thread uses; `buf` has room for `len` bytes.
unsafe fn read_some(conn: *mut connection, buf: *mut u8, len: usize) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for both.
    unsafe {
        if (*conn).state == CONN_STATE_CLOSED || len == 0 {
            return Ok(0);
        }
        let room = core::slice::from_raw_parts_mut(buf, len);
        let result = transfer(conn, |session, fd| session.read(fd, room));
        if result == Ok(0) {
            (*conn).state = CONN_STATE_CLOSED;
        }
        if !(*this(conn)).postponed {
            note_pending(conn);
        }
        result
    }
}

unsafe extern "C" fn read(conn: *mut connection, buf: *mut c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much room.
    unsafe { transferred(conn, read_some(conn, buf.cast(), len.min(MAX_TRANSFER))) }
}

unsafe extern "C" fn write(conn: *mut connection, data: *const c_void, len: usize) -> c_int {
    // SAFETY: called through a live connection's table with that much data.
    unsafe {
        let data = if len == 0 { &[] } else { core::slice::from_raw_parts(data.cast::<u8>(), len) };
        transferred(conn, transfer(conn, |session, fd| session.write(fd, &[data])))
    }
}

/// Small buffers go into records together.
pub(super) unsafe extern "C" fn writev(conn: *mut connection, iov: *const libc::iovec, count: c_int) -> c_int {
    // SAFETY: called through a live connection's table with that many buffers.
    unsafe {
        let Ok(count) = usize::try_from(count) else {
            return transferred(conn, Err(Errno::EINVAL));
        };
        let buffers = if count == 0 { &[] } else { core::slice::from_raw_parts(iov, count) };
        let mut parts = [&[][..]; PARTS];
        let (mut used, mut total) = (0, 0);
        for buffer in buffers.iter().filter(|buffer| buffer.iov_len > 0) {
            if used == PARTS || total >= WRITE_LIMIT {
                break;
            }
            parts[used] = core::slice::from_raw_parts(buffer.iov_base.cast::<u8>(), buffer.iov_len);
            total += buffer.iov_len;
            used += 1;
        }
        transferred(conn, transfer(conn, |session, fd| session.write(fd, &parts[..used])))
    }
}

unsafe extern "C" fn sync_write(conn: *mut connection, ptr: *mut c_char, size: isize, timeout: c_longlong) -> isize {
    // SAFETY: called through a live connection's table with that much data.
    unsafe {
        socket::synced(conn, |fd| {
            sync::write(fd, bytes(ptr, size)?, timeout, |rest| transfer(conn, |session, fd| session.write(fd, &[rest])))
        })
    }
}

unsafe extern "C" fn sync_read(conn: *mut connection, ptr: *mut c_char, size: isize, timeout: c_longlong) -> isize {
    // SAFETY: called through a live connection's table with that much room.
    unsafe {
        socket::synced(conn, |fd| {
            sync::read(fd, bytes(ptr, size)?, timeout, |rest| read_some(conn, rest.as_mut_ptr(), rest.len()))
        })
    }
}

unsafe extern "C" fn sync_readline(conn: *mut connection, ptr: *mut c_char, size: isize, timeout: c_longlong) -> isize {
    // SAFETY: called through a live connection's table with that much room.
    unsafe {
        socket::synced(conn, |fd| {
            sync::read_line(fd, bytes(ptr, size)?, timeout, |rest| read_some(conn, rest.as_mut_ptr(), rest.len()))
        })
    }
}

// --- the end ----------------------------------------------------------------------------------------------------

unsafe extern "C" fn close(conn: *mut connection) {
    // SAFETY: called through a live connection's table; it came from `new`.
    quietly(|| unsafe {
        end(conn);
        (*this(conn)).place.leave();
        say_goodbye(conn);
        drop_fd(conn);
        if !is_held(conn) {
            unbox(NonNull::new_unchecked(this(conn)));
        }
    });
}

/// # Safety
/// `conn` is a live connection of this type and thread.
unsafe fn say_goodbye(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection; no handler runs here.
    unsafe {
        let fd = (*conn).fd;
        if fd != -1
            && let Some(session) = &mut (*this(conn)).session
        {
            session.close(fd);
        }
    }
}

/// Tells the peer that nothing more comes, and shuts the socket down.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
#[allow(dead_code)] // Nobody asks for it up to redis-7.0.
pub(super) unsafe fn shutdown(conn: *mut connection) {
    // SAFETY: the caller vouches for the connection.
    unsafe {
        say_goodbye(conn);
        // A socket that is not connected any more has nothing to shut down.
        let _ = crate::sys::socket::shutdown((*conn).fd);
    }
}

/// The peer's certificate as PEM, a string for the host's caller; NULL when there is none.
///
/// # Safety
/// `conn` is a live connection of this type and thread.
pub(crate) unsafe fn peer_certificate(conn: *mut connection) -> *mut c_char {
    // SAFETY: the caller vouches for the connection.
    let session = unsafe { (*this(conn)).session.as_ref() };
    let pem = session.and_then(|session| session.peer_certificate()).and_then(files::to_pem);
    match (pem, host::new_string()) {
        (None, _) => ptr::null_mut(),
        // SAFETY: the host vouches for its hook.
        (Some(pem), Some(new_string)) => unsafe { new_string(pem.as_ptr().cast(), pem.len()) },
        (Some(pem), None) => memory::string(pem.as_bytes()),
    }
}
