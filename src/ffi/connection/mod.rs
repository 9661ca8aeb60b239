//! `connection.h`: connections of any type, through the type's function table.
//!
//! What upstream has as static inlines are plain functions here, so that every language can call them. A NULL
//! connection, or a type that lacks the function, is `EINVAL`.

#[cfg(not(abi_v1))]
pub mod identity;
pub mod io;
#[cfg(any(abi_peer_username, abi_valkey_9_1))]
pub mod peer;
pub mod properties;
#[cfg(abi_valkey_9_1)]
pub mod tls_reload;
#[cfg(abi_v1)]
pub mod tls_v1;
#[cfg(not(abi_v1))]
pub mod types;
#[cfg(abi_v1)]
pub mod v1;

use super::args::{call, non_null};
use crate::abi::connection::*;
use crate::anet;
use core::ffi::c_int;
use nix::errno::Errno;

/// Calls the function that `pick` finds in the connection's type.
///
/// # Safety
/// `conn` is NULL or a live connection.
unsafe fn dispatch<F, T>(
    conn: *mut connection,
    failure: T,
    pick: impl FnOnce(&ConnectionType) -> Option<F>,
    run: impl FnOnce(F) -> T,
) -> T {
    if conn.is_null() {
        Errno::EINVAL.set();
        return failure;
    }
    // SAFETY: not NULL, and the caller vouches for the rest.
    unsafe { typed((*conn).r#type, failure, pick, run) }
}

/// Calls the function that `pick` finds in a type.
///
/// # Safety
/// `ct` is NULL or a connection type.
unsafe fn typed<F, T>(
    ct: *mut ConnectionType,
    failure: T,
    pick: impl FnOnce(&ConnectionType) -> Option<F>,
    run: impl FnOnce(F) -> T,
) -> T {
    // SAFETY: the caller vouches for the type; the reference ends before the function runs.
    match unsafe { ct.as_ref() }.and_then(pick) {
        Some(function) => run(function),
        None => {
            Errno::EINVAL.set();
            failure
        }
    }
}

/// Reads or writes a field.
///
/// # Safety
/// `conn` is NULL or a live connection.
unsafe fn field<T>(conn: *mut connection, failure: T, access: impl FnOnce(*mut connection) -> T) -> T {
    if conn.is_null() {
        Errno::EINVAL.set();
        return failure;
    }
    access(conn)
}

/// Sets an option of the connection's descriptor.
///
/// # Safety
/// `conn` is NULL or a live connection.
unsafe fn with_fd(conn: *mut connection, set: impl FnOnce(c_int) -> Result<(), anet::Error>) -> c_int {
    call(C_ERR, || {
        let conn = non_null(conn)?;
        // SAFETY: not NULL, and the caller vouches for the rest.
        let fd = unsafe { (*conn).fd };
        set(fd).map(|()| C_OK).map_err(|error| error.errno())
    })
}
