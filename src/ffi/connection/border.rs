//! Where a C caller's pointer becomes a handle, and what the exports have in common after that.

use crate::abi::connection::*;
use crate::anet;
use crate::connection::Conn;
#[cfg(feature = "tls")]
use crate::connection::{AnyConn, tls::TlsConn};
use crate::ffi::args::call;
#[cfg(not(feature = "tls"))]
use crate::ffi::without_tls::TlsConn;
use core::ffi::c_int;
use nix::errno::Errno;

/// The handle of an export's connection, which is made here alone; None for NULL.
///
/// # Safety
/// `conn` is NULL, or as for [`Conn::new`].
pub(super) unsafe fn handle(conn: *mut connection) -> Option<Conn> {
    // SAFETY: not NULL, so live.
    (!conn.is_null()).then(|| unsafe { Conn::new(conn) })
}

/// The handle of a connection over TLS; `EINVAL` for NULL, `EOPNOTSUPP` for another kind.
///
/// # Safety
/// As for [`handle`].
pub(in crate::ffi) unsafe fn tls_conn(conn: *mut connection) -> Result<TlsConn, Errno> {
    // SAFETY: by this function's own contract.
    let conn = unsafe { handle(conn) }.ok_or(Errno::EINVAL)?;
    over_tls(conn).ok_or(Errno::EOPNOTSUPP)
}

#[cfg(feature = "tls")]
fn over_tls(conn: Conn) -> Option<TlsConn> {
    if let Some(AnyConn::Tls(conn)) = AnyConn::of(conn) { Some(conn) } else { None }
}

#[cfg(not(feature = "tls"))]
fn over_tls(_conn: Conn) -> Option<TlsConn> {
    None
}

/// Calls the function that `pick` finds in the connection's type.
pub(super) fn dispatch<F, T>(
    conn: Option<Conn>,
    failure: T,
    pick: impl FnOnce(&ConnectionType) -> Option<F>,
    run: impl FnOnce(F, *mut connection) -> T,
) -> T {
    match conn.and_then(|conn| conn.of_type(pick).map(|function| (function, conn.as_ptr()))) {
        Some((function, conn)) => run(function, conn),
        None => invalid(failure),
    }
}

/// Reads or writes a member.
pub(super) fn member<T>(conn: Option<Conn>, failure: T, access: impl FnOnce(Conn) -> T) -> T {
    match conn {
        Some(conn) => access(conn),
        None => invalid(failure),
    }
}

/// Sets an option of the connection's descriptor.
pub(super) fn with_fd(conn: Option<Conn>, set: impl FnOnce(c_int) -> Result<(), anet::Error>) -> c_int {
    call(C_ERR, || {
        let fd = conn.ok_or(Errno::EINVAL)?.fd();
        set(fd).map(|()| C_OK).map_err(|error| error.errno())
    })
}

pub(super) fn invalid<T>(failure: T) -> T {
    Errno::EINVAL.set();
    failure
}
