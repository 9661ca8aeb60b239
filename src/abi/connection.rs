//! What `connection.h` has in the profile: `connection_common.rs` has what is in every profile, `connection_v1.rs` what
//! is up to redis-7.0, `connection_v2.rs` what is from redis-7.2 on.

pub use super::connection_common::*;
#[cfg(abi_v1)]
pub use super::connection_v1::*;
#[cfg(not(abi_v1))]
pub use super::connection_v2::*;
#[cfg(abi_valkey_9)]
pub use super::type_identity::{
    CONN_TYPE_INVALID, CONN_TYPE_MAX, CONN_TYPE_RDMA, CONN_TYPE_SOCKET, CONN_TYPE_TLS, CONN_TYPE_UNIX,
};

// SAFETY: a table holds function pointers alone and is never written after it was built.
unsafe impl Sync for ConnectionType {}
