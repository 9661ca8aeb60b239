//! `libae.h`: clients' sessions of TLS for programs that connect and watch the socket themselves.

use super::args::{call, explained, optional_string, quietly};
use super::tls_context::context_of;
use crate::abi::ae::AE_ERR;
use crate::abi::tls::libaeTlsSession;
use crate::abi::tls_context::libaeTlsContext;
#[cfg(feature = "tls")]
use crate::connection::tls::{OwnContext, RawSession};
#[cfg(not(feature = "tls"))]
use crate::ffi::without_tls::OwnContext;
use crate::host::memory::{boxed, unbox};
use crate::sys::text::TextRoom;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr::{self, NonNull};
use core::slice;
use nix::errno::Errno;
#[cfg(not(feature = "tls"))]
use without_tls::RawSession;

/// The longest that a slice can be.
const MAX_TRANSFER: usize = isize::MAX as usize;

/// The session behind the pointer, `EINVAL` for NULL.
///
/// # Safety
/// `session` is NULL or came from [`libaeTlsSessionNew`], and nobody else uses it for as long as the result is used.
unsafe fn session_of<'a>(session: *mut libaeTlsSession) -> Result<&'a mut RawSession, Errno> {
    // SAFETY: NULL or a session that is used here alone, by this function's own contract.
    unsafe { session.cast::<RawSession>().as_mut() }.ok_or(Errno::EINVAL)
}

/// How many bytes of a buffer are used: as many as a slice can have. `EINVAL` for a buffer that is missing.
fn length<T>(buf: *const T, len: usize) -> Result<usize, Errno> {
    if buf.is_null() && len > 0 { Err(Errno::EINVAL) } else { Ok(len.min(MAX_TRANSFER)) }
}

/// A new client's session over `fd`, with the configuration in force (`libaeTlsConfigure`, or upstream's structure).
/// Nothing is sent yet; `fd` may still be connecting. `server_name` is the name or address of the server, sent to it if
/// it is a name and, if the configuration asks for that, looked for in its certificate; NULL stands for none. The
/// configuration's own `server_name` comes first.
///
/// For programs that connect and watch the socket themselves, as hiredis does: no loop and no connection of the
/// library's is involved. A session is used by one thread at a time. The descriptor stays the program's, and is neither
/// watched nor closed here; it may be blocking, and then the calls block. A program that uses one ignores `SIGPIPE`, as
/// with `write`.
///
/// Returns the session, to be freed with `libaeTlsSessionFree`; NULL with errno `EINVAL` (`fd` is negative, or there is
/// no configuration with a CA), `EOPNOTSUPP` (a library without TLS) or `ENOMEM`, and the reason in `err` (NULL:
/// nowhere), cut to `err_len` bytes with the NUL.
///
/// # Safety
/// `server_name` is NULL or a string; `err` has room for `err_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionNew(
    fd: c_int,
    server_name: *const c_char,
    err: *mut c_char,
    err_len: usize,
) -> *mut libaeTlsSession {
    // SAFETY: NULL or a string, NULL or room for that many bytes, by this function's own contract.
    call(ptr::null_mut(), || unsafe { new_session(None, fd, server_name, err, err_len) })
}

/// `libaeTlsSessionNew` with a configuration beside the process's own. Sessions with the same one resume each other's.
///
/// Returns as `libaeTlsSessionNew`, and NULL with errno `EINVAL` also for a NULL `context`.
///
/// # Safety
/// `context` is NULL or a configuration; `server_name` is NULL or a string; `err` has room for `err_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionNewWith(
    context: *mut libaeTlsContext,
    fd: c_int,
    server_name: *const c_char,
    err: *mut c_char,
    err_len: usize,
) -> *mut libaeTlsSession {
    call(ptr::null_mut(), || {
        // SAFETY: NULL or a configuration.
        let context = unsafe { context_of(context) };
        let context = context.map_err(|errno| (errno, "no configuration".into()));
        // SAFETY: NULL or room for that many bytes, by this function's own contract.
        let context = explained(context, unsafe { TextRoom::new(err, err_len) })?;
        // SAFETY: NULL or a string, NULL or room for that many bytes, by this function's own contract.
        unsafe { new_session(Some(&context), fd, server_name, err, err_len) }
    })
}

/// # Safety
/// As for [`libaeTlsSessionNew`].
unsafe fn new_session(
    context: Option<&OwnContext>,
    fd: c_int,
    server_name: *const c_char,
    err: *mut c_char,
    err_len: usize,
) -> Result<*mut libaeTlsSession, Errno> {
    // SAFETY: NULL or a string, NULL or room for that many bytes, by this function's own contract.
    let (name, err) = unsafe { (optional_string(server_name), TextRoom::new(err, err_len)) };
    let session = match fd {
        0.. => RawSession::new(fd, name.unwrap_or(c""), context),
        _ => Err((Errno::EINVAL, "no descriptor".into())),
    };
    Ok(boxed(explained(session, err)?)?.as_ptr().cast())
}

/// Begins the handshake or goes on with it.
///
/// Returns 0 when it is over: now data can be read and written; `AE_READABLE` or `AE_WRITABLE` when it goes on once the
/// descriptor is that; -1 with errno `EPROTO` (TLS failed), `EINTR` (call it again), `EINVAL` (NULL) or what the socket
/// answers. After a failure every call fails in the same way.
///
/// # Safety
/// `session` is NULL or a live session that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionHandshake(session: *mut libaeTlsSession) -> c_int {
    // SAFETY: NULL or a live session, by this function's own contract.
    let session = unsafe { session_of(session) };
    call(AE_ERR, || session?.handshake())
}

/// Reads up to `len` bytes. What has been received may be more than fits; then no poll of the descriptor tells of the
/// rest: read until `EAGAIN`, or as long as `libaeTlsSessionHasPending` says so.
///
/// Returns how many; 0 at the end (and for a `len` of 0); -1 with errno `EAGAIN` (nothing there), `EINTR`, `ENOTCONN`
/// (the handshake is not over), `EPIPE` (after `libaeTlsSessionShutdown`), `EPROTO`, `EINVAL` (NULL) or what the socket
/// answers.
///
/// # Safety
/// `session` is NULL or a live session that no other thread uses; `buf` is NULL or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionRead(
    session: *mut libaeTlsSession,
    buf: *mut c_void,
    len: usize,
) -> libc::ssize_t {
    // SAFETY: NULL or a live session, by this function's own contract.
    let session = unsafe { session_of(session) };
    call(-1, || {
        let session = session?;
        let buf: &mut [u8] = match length(buf, len)? {
            0 => &mut [],
            // SAFETY: not NULL, and room for as much, by this function's own contract.
            len => unsafe { slice::from_raw_parts_mut(buf.cast(), len) },
        };
        session.read(buf).map(|count| count as libc::ssize_t)
    })
}

/// Writes up to `len` bytes.
///
/// Returns how many were taken; -1 with errno `EAGAIN` (the socket is full: call it again with the same data, or more
/// of it, when the descriptor is writable, since a part is already in records), `EINTR` (as `EAGAIN`), `ENOTCONN` (the
/// handshake is not over), `EPIPE` (after `libaeTlsSessionShutdown`, or the peer is gone), `EPROTO`, `EINVAL` (NULL) or
/// what the socket answers.
///
/// # Safety
/// `session` is NULL or a live session that no other thread uses; `data` is NULL or holds `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionWrite(
    session: *mut libaeTlsSession,
    data: *const c_void,
    len: usize,
) -> libc::ssize_t {
    // SAFETY: NULL or a live session, by this function's own contract.
    let session = unsafe { session_of(session) };
    call(-1, || {
        let session = session?;
        let data: &[u8] = match length(data, len)? {
            0 => &[],
            // SAFETY: not NULL, and as much data, by this function's own contract.
            len => unsafe { slice::from_raw_parts(data.cast(), len) },
        };
        session.write(data).map(|count| count as libc::ssize_t)
    })
}

/// Returns 1 when `libaeTlsSessionRead` has something to give that was received before, else 0.
///
/// # Safety
/// `session` is NULL or a live session that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionHasPending(session: *mut libaeTlsSession) -> c_int {
    // SAFETY: NULL or a live session, by this function's own contract.
    let session = unsafe { session_of(session) };
    session.is_ok_and(|session| session.has_pending()).into()
}

/// Tells the peer that nothing more comes (close_notify), if the socket takes that at once; call it before the
/// descriptor is closed. What has not been read is lost. Without it, or before the handshake is over, the peer only
/// sees the connection end.
///
/// # Safety
/// `session` is NULL or a live session that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionShutdown(session: *mut libaeTlsSession) {
    // SAFETY: NULL or a live session, by this function's own contract.
    let session = unsafe { session_of(session) };
    quietly(|| _ = session.map(RawSession::shut_down));
}

/// Why the session has failed, as text that is valid until it is freed; NULL when it has not.
///
/// # Safety
/// `session` is NULL or a live session that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionError(session: *mut libaeTlsSession) -> *const c_char {
    // SAFETY: NULL or a live session, by this function's own contract.
    let session = unsafe { session_of(session) };
    session.ok().and_then(|session| session.error()).map_or(ptr::null(), CStr::as_ptr)
}

/// Frees a session. Nothing is sent; the descriptor, which may be closed already, stays as it is.
///
/// # Safety
/// `session` is NULL or a live session, which is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSessionFree(session: *mut libaeTlsSession) {
    if let Some(session) = NonNull::new(session.cast::<RawSession>()) {
        // SAFETY: it came from `boxed`, and is no longer used.
        quietly(|| unsafe { unbox(session) });
    }
}

/// In a library without TLS there are no sessions.
#[cfg(not(feature = "tls"))]
mod without_tls {
    use crate::ffi::without_tls::OwnContext;
    use core::ffi::{CStr, c_int};
    use nix::errno::Errno;

    pub(super) enum RawSession {}

    impl RawSession {
        pub(super) fn new(
            _fd: c_int,
            _server_name: &CStr,
            _context: Option<&OwnContext>,
        ) -> Result<Self, (Errno, String)> {
            Err((Errno::EOPNOTSUPP, crate::ffi::without_tls::WITHOUT_TLS.into()))
        }

        pub(super) fn handshake(&mut self) -> Result<c_int, Errno> {
            match *self {}
        }

        pub(super) fn read(&mut self, _out: &mut [u8]) -> Result<usize, Errno> {
            match *self {}
        }

        pub(super) fn write(&mut self, _data: &[u8]) -> Result<usize, Errno> {
            match *self {}
        }

        pub(super) fn has_pending(&self) -> bool {
            match *self {}
        }

        pub(super) fn shut_down(&mut self) {
            match *self {}
        }

        pub(super) fn error(&self) -> Option<&CStr> {
            match *self {}
        }
    }
}
