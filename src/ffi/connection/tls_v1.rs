//! TLS up to redis-7.0. libae.a has these functions as weak symbols, so that a fork's own tls.o takes their place. In a
//! library that has been built without TLS they do what upstream's do then.

#[cfg(feature = "tls")]
use super::border::handle;
#[cfg(feature = "tls")]
use crate::abi::connection::C_ERR;
use crate::abi::connection::{C_OK, connection};
use crate::abi::tls_upstream::redisTLSContextConfig;
use crate::connection::Conn;
#[cfg(feature = "tls")]
use crate::connection::{
    tls::{self, TlsConn},
    types::{self, TLS},
};
use crate::ffi::args::call;
#[cfg(feature = "tls")]
use crate::ffi::args::quietly;
use core::ffi::{c_char, c_int};
use core::ptr;
#[cfg(feature = "tls")]
use core::ptr::NonNull;
use nix::errno::Errno;

/// Prepares TLS: here there is nothing to prepare.
#[unsafe(no_mangle)]
pub extern "C" fn tlsInit() {}

/// Forgets the configuration. Connections that there are keep theirs.
#[unsafe(no_mangle)]
pub extern "C" fn tlsCleanup() {
    #[cfg(feature = "tls")]
    quietly(tls::forget);
}

/// Configures TLS; when that fails, the configuration before stays.
///
/// Returns `C_OK`; `C_ERR` with errno `EINVAL`, and the reason in the host's log.
///
/// # Safety
/// `ctx_config` is NULL or a configuration whose strings are valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tlsConfigure(ctx_config: *mut redisTLSContextConfig) -> c_int {
    #[cfg(feature = "tls")]
    return call(C_ERR, || {
        let config = NonNull::new(ctx_config).ok_or(Errno::EINVAL)?;
        // SAFETY: not NULL, so a configuration whose strings are valid.
        unsafe { tls::configure_upstream(config) }.map(|()| C_OK)
    });
    #[cfg(not(feature = "tls"))]
    {
        let _ = ctx_config;
        C_OK
    }
}

/// Whether TLS has been configured: 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn isTlsConfigured() -> c_int {
    #[cfg(feature = "tls")]
    return tls::is_configured().into();
    #[cfg(not(feature = "tls"))]
    0
}

/// For the functions that create a connection.
fn created(body: impl FnOnce() -> Result<Conn, Errno>) -> *mut connection {
    call(ptr::null_mut(), || body().map(Conn::as_ptr))
}

/// A new TLS connection, to be connected. The caller owns it and frees it with `connClose`.
///
/// Returns it; NULL with errno `ENOMEM`, or `EOPNOTSUPP` in a library that has been built without TLS.
#[unsafe(no_mangle)]
pub extern "C" fn connCreateTLS() -> *mut connection {
    #[cfg(feature = "tls")]
    return created(|| tls::create(&TLS, None).map(|conn| *conn));
    #[cfg(not(feature = "tls"))]
    created(|| Err(Errno::EOPNOTSUPP))
}

/// A new TLS connection over the accepted descriptor `fd`, which it owns from now on, in `CONN_STATE_ACCEPTING`, or in
/// `CONN_STATE_ERROR` when TLS is not configured. `require_auth` says whether the client is asked for its certificate,
/// one of the `LIBAE_TLS_AUTH_CLIENTS_` values.
///
/// Returns it; NULL as `connCreateTLS`, and then `fd` stays the caller's.
#[unsafe(no_mangle)]
pub extern "C" fn connCreateAcceptedTLS(fd: c_int, require_auth: c_int) -> *mut connection {
    #[cfg(feature = "tls")]
    return created(|| tls::create_accepted(&TLS, None, fd, Some(require_auth)).map(|conn| *conn));
    #[cfg(not(feature = "tls"))]
    {
        let _ = (fd, require_auth);
        created(|| Err(Errno::EOPNOTSUPP))
    }
}

/// The certificate of a TLS peer as PEM, an owned string (see `libaeHost.new_string`); NULL when it has shown none, and
/// for NULL and other types.
///
/// # Safety
/// `conn` is NULL or a live connection of this thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn connTLSGetPeerCert(conn: *mut connection) -> *mut c_char {
    #[cfg(feature = "tls")]
    return quietly(|| {
        // SAFETY: NULL or live.
        let is_tls = unsafe { handle(conn) }.is_some_and(|conn| ptr::eq(conn.r#type(), &TLS));
        // SAFETY: live, and of the type.
        if is_tls { tls::peer_certificate(unsafe { TlsConn::new(conn) }) } else { ptr::null_mut() }
    });
    #[cfg(not(feature = "tls"))]
    {
        let _ = conn;
        ptr::null_mut()
    }
}

/// Whether TLS connections of this thread hold data that the kernel no longer reports: 1 or 0.
#[unsafe(no_mangle)]
pub extern "C" fn tlsHasPendingData() -> c_int {
    #[cfg(feature = "tls")]
    return types::has_pending_tls().into();
    #[cfg(not(feature = "tls"))]
    0
}

/// Runs the read handlers of these connections; returns how many.
#[unsafe(no_mangle)]
pub extern "C" fn tlsProcessPendingData() -> c_int {
    #[cfg(feature = "tls")]
    return quietly(types::process_pending_tls);
    #[cfg(not(feature = "tls"))]
    0
}
