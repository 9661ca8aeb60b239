//! `connection.h`: connections of any type, through the type's function table.
//!
//! What upstream has as static inlines are plain functions here, so that every language can call them. A NULL
//! connection, or a type that lacks the function, is `EINVAL`.

pub(in crate::ffi) mod border;
#[cfg(not(abi_v1))]
pub mod identity;
pub mod io;
#[cfg(any(abi_peer_username, abi_valkey_9_1))]
pub mod peer;
pub mod properties;
pub mod sockets;
#[cfg(abi_valkey_9_1)]
pub mod tls_reload;
#[cfg(abi_v1)]
pub mod tls_v1;
#[cfg(not(abi_v1))]
pub mod types;
#[cfg(abi_v1)]
pub mod v1;
