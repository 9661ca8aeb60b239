//! C-visible types and constants, exactly as upstream lays them out, and what the ABI profiles do not share.
//!
//! One profile is built in, by default `redis-7.2`; build.rs says which there are and sets the `cfg` flags that tell
//! them apart. They are named here, in `ffi` (which functions there are) and in `connection` (what the built-in types'
//! tables hold); `tests/layering.rs` lists the few exceptions. `facts/` holds what was measured of each upstream
//! version.
//!
//! What a profile changes without a compiler noticing:
//!
//! - `anetFdToString` and `ConnectionType::addr`: the last argument is 1 for the remote end and 0 for the own one; up
//!   to redis-7.0 it is 0 for the remote end (`profile::asks_for_remote`);
//! - [`AeTimeProc`](ae::AeTimeProc) returns `int` milliseconds, from valkey-8.1 on `long long`;
//! - `aftersleep` takes the loop alone, in Valkey also how many descriptors fired;
//! - `events` has `nevents` elements from redis-8.0 on and `setsize` elsewhere;
//! - `aeDeleteEventLoop` runs the finalizers of time events that are still registered from redis-8.0 on;
//! - `anetUnixServer` gives a non-blocking socket from valkey-8.1 on;
//! - accepted sockets are non-blocking and close-on-exec, except in redis-6.2; sockets that connect are close-on-exec
//!   in Valkey, the one of `anetUnixServer` from valkey-8.1 on, and no others (`libaeSetSafeSockets` makes all of them
//!   so);
//! - TCP sockets that are accepted, or connected at once, have `TCP_NODELAY` from valkey-8.1 on, whose server does not
//!   set it;
//! - a unix listener's `priv` is a `mode_t *`, from valkey-8.1 on a `serverUnixContextConfig *`;
//! - `connectionByType` and `get_type` mean names, from valkey-9.0 on numbers;
//! - a unix connection's `addr` is `/unixsocket` and fails without a socket; from valkey-9.0 on it is the path with
//!   `:0` behind, and never fails;
//! - a blocking connect whose time is over closes its descriptor, from valkey-9.1 on `connClose` does.

#![allow(non_camel_case_types, non_snake_case)]

pub mod ae;
pub mod anet;
pub(crate) mod connect;
pub mod connection;
mod connection_common;
#[cfg(abi_v1)]
mod connection_v1;
#[cfg(not(abi_v1))]
mod connection_v2;
pub mod embedding;
pub mod host;
mod layout;
pub(crate) mod profile;
pub mod proxy;
pub mod sockets;
pub mod tls;
pub mod tls_context;
pub mod tls_upstream;
#[cfg(not(abi_v1))]
pub(crate) mod type_identity;
