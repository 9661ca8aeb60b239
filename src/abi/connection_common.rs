//! What `connection.h` has in every profile, without the structures.

use core::ffi::{c_int, c_short};

/// Success.
pub const C_OK: c_int = 0;
/// Failure.
pub const C_ERR: c_int = -1;

/// The state of a connection, one of the `CONN_STATE_` values.
///
/// A plain integer in Rust: C code may store any value.
pub type ConnectionState = c_int;
/// Created, not connected yet.
pub const CONN_STATE_NONE: ConnectionState = 0;
/// A connect is under way.
pub const CONN_STATE_CONNECTING: ConnectionState = 1;
/// Accepted by the listener, `connAccept` not called yet.
pub const CONN_STATE_ACCEPTING: ConnectionState = 2;
/// Ready for reading and writing.
pub const CONN_STATE_CONNECTED: ConnectionState = 3;
/// The peer closed it.
pub const CONN_STATE_CLOSED: ConnectionState = 4;
/// Failed; `last_errno` says why.
pub const CONN_STATE_ERROR: ConnectionState = 5;

/// `connection.flags`: closed inside a handler, freed once the handler returns.
pub const CONN_FLAG_CLOSE_SCHEDULED: c_short = 1;
/// `connection.flags`: the write handler runs before the read handler.
pub const CONN_FLAG_WRITE_BARRIER: c_short = 2;
/// `connection.flags`: another thread may end the accept. For the host; the library never sets it.
#[cfg(abi_valkey)]
pub const CONN_FLAG_ALLOW_ACCEPT_OFFLOAD: c_short = 4;

/// Enough bytes for what `connGetInfo` writes.
pub const CONN_INFO_LEN: usize = 32;
