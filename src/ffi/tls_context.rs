//! `libae.h`: configurations of TLS beside the process's own, and which connections have them.

use super::args::{call, explained, non_null, quietly, string};
use super::connection::border::tls_conn;
#[cfg(not(feature = "tls"))]
use super::without_tls::{OwnContext, own_context, tls};
use crate::abi::ae::{AE_ERR, AE_OK};
use crate::abi::connection::connection;
use crate::abi::tls::libaeTlsConfig;
use crate::abi::tls_context::libaeTlsContext;
#[cfg(feature = "tls")]
use crate::connection::tls::{self, OwnContext};
use crate::sys::text::TextRoom;
use core::ffi::{c_char, c_int};
use core::ptr;
use nix::errno::Errno;
use std::sync::Arc;

/// The configuration behind the pointer, kept for as long as the result; `EINVAL` for NULL.
///
/// # Safety
/// `context` is NULL or came from [`libaeTlsContextNew`], and is not freed meanwhile.
pub(super) unsafe fn context_of(context: *mut libaeTlsContext) -> Result<Arc<OwnContext>, Errno> {
    let context = non_null(context)?.cast_const().cast::<OwnContext>();
    // SAFETY: it came from `Arc::into_raw`, and whoever has it holds one of its counts.
    unsafe {
        Arc::increment_strong_count(context);
        Ok(Arc::from_raw(context))
    }
}

/// A configuration of TLS beside the process's own (`libaeTlsConfigure`), which stays as it is. `libaeTlsSetContext`
/// gives it to a connection, `libaeTlsSetListenerContext` to all that a listening socket accepts, and
/// `libaeTlsSessionNewWith` makes a session with it. Its `auth_clients` decides for their clients, whatever
/// `conn_create_accepted` and the hook `tls_auth_clients` say.
///
/// A configuration may be used in any number of threads at once, as may all functions that take one, except that nobody
/// uses it after `libaeTlsContextFree`.
///
/// Returns the configuration, to be freed with `libaeTlsContextFree`; NULL with errno `EINVAL` (a setting cannot be
/// used, or `config` is NULL) or `EOPNOTSUPP` (a library without TLS), and the reason in `err` (NULL: nowhere), cut to
/// `err_len` bytes with the NUL. `max_handshakes` is of the whole process, and refused here.
///
/// # Safety
/// `config` is NULL or points to `config->size` bytes, in which the strings are NULL or valid; `err` has room for
/// `err_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsContextNew(
    config: *const libaeTlsConfig,
    err: *mut c_char,
    err_len: usize,
) -> *mut libaeTlsContext {
    call(ptr::null_mut(), || {
        // SAFETY: NULL, or as large as it says.
        let context = unsafe { own_context(config) };
        // SAFETY: NULL or room for that many bytes, by this function's own contract.
        let context = explained(context, unsafe { TextRoom::new(err, err_len) })?;
        Ok(Arc::into_raw(Arc::new(context)).cast_mut().cast())
    })
}

/// # Safety
/// As for [`libaeTlsContextNew`].
#[cfg(feature = "tls")]
unsafe fn own_context(config: *const libaeTlsConfig) -> Result<OwnContext, (Errno, String)> {
    if config.is_null() {
        return Err((Errno::EINVAL, "no configuration".into()));
    }
    // SAFETY: not NULL, thus as large as it says.
    let config = unsafe { tls::settings::TlsConfig::from_libae(config) };
    config.and_then(OwnContext::new).map_err(|why| (Errno::EINVAL, why))
}

/// Reads the files of a configuration anew, for connections that begin from now on; those that there are keep what they
/// were made with. Nobody else waits meanwhile, so another thread than a loop's may do it. When something cannot be
/// used, all stays as it was. Sessions of before cannot be resumed afterwards.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL, or a file that cannot be used), and the reason in `err` (NULL:
/// nowhere), cut to `err_len` bytes with the NUL.
///
/// # Safety
/// `context` is NULL or a configuration; `err` has room for `err_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsContextReload(
    context: *mut libaeTlsContext,
    err: *mut c_char,
    err_len: usize,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a configuration.
        let context = unsafe { context_of(context) }.map_err(|errno| (errno, "no configuration".into()));
        let done = context.and_then(|context| context.reload().map_err(|why| (Errno::EINVAL, why)));
        // SAFETY: NULL or room for that many bytes, by this function's own contract.
        explained(done.map(|()| AE_OK), unsafe { TextRoom::new(err, err_len) })
    })
}

/// Frees a configuration. Connections and listening sockets that have it keep it.
///
/// # Safety
/// `context` is NULL or came from `libaeTlsContextNew`, and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsContextFree(context: *mut libaeTlsContext) {
    if !context.is_null() {
        // SAFETY: it came from `Arc::into_raw`, and this is the count that the program had.
        quietly(|| drop(unsafe { Arc::from_raw(context.cast_const().cast::<OwnContext>()) }));
    }
}

/// Has clients that ask for a server of this name (SNI) served with another configuration: by the connections that have
/// `context` and accept from now on. `name` is a name of a host, or has `*.` in front: then the first part of what is
/// asked for may be anything; a whole name comes first. Capitals do not matter. Who asks for another name, or for none,
/// is served with `context` itself. A name that is there already gets the new configuration; with NULL for `other` it
/// is removed. `other` stays in use until then, freed or not, and is reloaded by itself; names that were added to it do
/// not count here.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (NULL for `context` or `name`, no name of a host, or `other` has no
/// certificate).
///
/// # Safety
/// `context` is NULL or a configuration, as is `other`; `name` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsContextAddName(
    context: *mut libaeTlsContext,
    name: *const c_char,
    other: *mut libaeTlsContext,
) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or a configuration, NULL or a string.
        let (context, name) = unsafe { (context_of(context)?, string(name)?) };
        // SAFETY: not NULL, so a configuration.
        let other = (!other.is_null()).then(|| unsafe { context_of(other) }).transpose()?;
        let name = name.to_str().map_err(|_| Errno::EINVAL)?;
        context.set_name(name, other.as_deref()).map(|()| AE_OK).map_err(|_| Errno::EINVAL)
    })
}

/// Gives a connection its configuration: one that is to be connected before `connConnect`, one that has been accepted
/// before `connAccept`, for instance in the hook `accepted`. It keeps it for each `connConnect` to come. An accepted
/// one may have been created without any configuration in the process: then it was in `CONN_STATE_ERROR`, and is in
/// `CONN_STATE_ACCEPTING` afterwards.
///
/// Returns `AE_OK`; `AE_ERR`, with nothing changed, and errno `EALREADY` (the handshake has begun), `EOPNOTSUPP` (not a
/// connection over TLS, or a library without) or `EINVAL` (NULL, or a configuration without a certificate to accept
/// with).
///
/// # Safety
/// `conn` is NULL or a live connection of this thread; `context` is NULL or a configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSetContext(conn: *mut connection, context: *mut libaeTlsContext) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL or live; NULL or a configuration.
        let (conn, context) = unsafe { (tls_conn(conn)?, context_of(context)?) };
        tls::choose(conn, context).map(|()| AE_OK)
    })
}

/// Gives all connections that the library's accept handler for TLS takes from a listening socket from now on a
/// configuration; NULL: the process's again. A `connListener` has the descriptors of its sockets in `fd`. A closed
/// socket's configuration is forgotten when its number is used again, or with NULL before.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EBADF` (no descriptor), or `EOPNOTSUPP`: a library without TLS, or a profile
/// up to redis-7.0, where programs accept themselves and use `libaeTlsSetContext`.
///
/// # Safety
/// `context` is NULL or a configuration.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsSetListenerContext(fd: c_int, context: *mut libaeTlsContext) -> c_int {
    call(AE_ERR, || {
        if cfg!(any(abi_v1, not(feature = "tls"))) {
            return Err(Errno::EOPNOTSUPP);
        }
        // SAFETY: not NULL, so a configuration.
        let context = (!context.is_null()).then(|| unsafe { context_of(context) }).transpose()?;
        tls::choose_for_listener(fd, context).map(|()| AE_OK)
    })
}
