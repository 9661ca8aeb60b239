//! `libae.h`: the version, the host's hook table and our own extensions.

use super::args::{call, event_loop, explained, string};
use crate::abi::ae::{AE_ERR, AE_OK, aeEventLoop};
use crate::abi::host::libaeHost;
use crate::abi::tls::libaeTlsConfig;
#[cfg(feature = "tls")]
use crate::connection::tls;
use crate::event_loop::{self as core_loop, Loop};
use crate::sys::text::TextRoom;
use crate::{anet, host};
use core::ffi::{c_char, c_int};
use nix::errno::Errno;

/// The library's version, like `LIBAE_VERSION`, as a static string.
#[unsafe(no_mangle)]
pub extern "C" fn libaeVersion() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The ABI profile the library was built with, like "redis-7.2", as a static string.
#[unsafe(no_mangle)]
pub extern "C" fn libaeAbiProfile() -> *const c_char {
    concat!(env!("LIBAE_ABI_PROFILE"), "\0").as_ptr().cast()
}

/// Registers the program's hooks; the table is copied. NULL goes back to the defaults. Call it before the
/// library is used from a second thread.
///
/// Returns `AE_OK`; `AE_ERR`, with nothing changed, and errno `EINVAL` (`size` is 0 or not a multiple of a
/// pointer's, or the allocator has some of malloc, realloc and free but not all) or `EBUSY` (another
/// allocator, after the library has allocated).
///
/// # Safety
/// `hooks` is NULL or points to `hooks->size` bytes; its functions keep their contracts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeSetHost(hooks: *const libaeHost) -> c_int {
    // SAFETY: NULL, or as large as it says.
    call(AE_ERR, || unsafe { host::set(hooks) }.map(|()| AE_OK))
}

/// With `on` not 0, all sockets that the library makes from now on are close-on-exec, and accepted ones non-blocking
/// as well. With 0 they are what upstream of the profile makes them: accepted ones are both, in redis-6.2 neither;
/// those that connect are close-on-exec in Valkey's profiles, the one of `anetUnixServer` in valkey-8.1, and no
/// others, so that a program can hand its listening sockets to its successor. Whatever is set here, the sockets of
/// `connListen`, and connections that the library's own accept handlers take, are non-blocking and close-on-exec.
///
/// Returns what was set before: 1 or 0, at first 0.
#[unsafe(no_mangle)]
pub extern "C" fn libaeSetSafeSockets(on: c_int) -> c_int {
    anet::set_safe_sockets(on != 0).into()
}

/// Configures the "tls" connection type, for new connections: those that there are keep their settings. Calling it
/// again replaces the whole configuration. When it fails nothing changes, and why is written into `err` (NULL:
/// nowhere), cut to `err_len` bytes with the NUL.
///
/// Returns `AE_OK`; `AE_ERR` with errno `EINVAL` (a setting cannot be used, or `config` is NULL) or `EOPNOTSUPP` (a
/// library without TLS).
///
/// # Safety
/// `config` is NULL or points to `config->size` bytes, in which the strings are NULL or valid; `err` has room for
/// `err_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn libaeTlsConfigure(config: *const libaeTlsConfig, err: *mut c_char, err_len: usize) -> c_int {
    call(AE_ERR, || {
        // SAFETY: NULL, or as large as it says.
        let result = unsafe { tls_configure(config) };
        // SAFETY: NULL or room for that many bytes, by this function's own contract.
        explained(result.map(|()| AE_OK), unsafe { TextRoom::new(err, err_len) })
    })
}

/// # Safety
/// As for [`libaeTlsConfigure`].
#[cfg(feature = "tls")]
unsafe fn tls_configure(config: *const libaeTlsConfig) -> Result<(), (Errno, String)> {
    if config.is_null() {
        return Err((Errno::EINVAL, "no configuration".into()));
    }
    // SAFETY: not NULL, thus as large as it says.
    let config = unsafe { tls::settings::TlsConfig::from_libae(config) };
    config.and_then(|config| tls::configure(&config)).map_err(|why| (Errno::EINVAL, why))
}

/// # Safety
/// Nothing to keep.
#[cfg(not(feature = "tls"))]
unsafe fn tls_configure(_config: *const libaeTlsConfig) -> Result<(), (Errno, String)> {
    Err((Errno::EOPNOTSUPP, super::without_tls::WITHOUT_TLS.into()))
}

/// Like `aeCreateEventLoop`, with the named backend ("epoll", "kqueue", "poll" or "select", as built in). A
/// NULL name stands for the default.
///
/// Returns the loop; NULL with errno `EINVAL` when no backend has that name, else as `aeCreateEventLoop`.
///
/// # Safety
/// `backend` is NULL or a string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeCreateEventLoopWithBackend(setsize: c_int, backend: *const c_char) -> *mut aeEventLoop {
    call(core::ptr::null_mut(), || {
        if backend.is_null() {
            return core_loop::create(setsize, None).map(Loop::as_ptr);
        }
        // SAFETY: not NULL, thus a string.
        core_loop::create(setsize, Some(unsafe { string(backend) }?)).map(Loop::as_ptr)
    })
}

/// The name of a loop's own backend, as a static string; NULL with errno `EINVAL` for a NULL loop.
///
/// # Safety
/// `eventLoop` is NULL or a live loop of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aeGetLoopApiName(eventLoop: *mut aeEventLoop) -> *const c_char {
    call(core::ptr::null(), || {
        // SAFETY: NULL or a live loop.
        unsafe { event_loop(eventLoop) }.map(|el| el.backend_name().as_ptr())
    })
}
