//! C-visible types and constants, exactly as upstream lays them out, and what the ABI profiles do not share.
//!
//! One profile is built in, by default `redis-7.2`; build.rs says which there are and sets the `cfg` flags that tell
//! them apart. They are named here, in `ffi` (which functions there are) and in `connection/types/` (what the
//! built-in types' tables hold), nowhere else. `facts/` holds what was measured of each upstream version.
//!
//! What a profile changes without a compiler noticing:
//!
//! - `anetFdToString` and `ConnectionType::addr`: the last argument is 1 for the remote end and 0 for the own one; up
//!   to redis-7.0 it is 0 for the remote end (`profile::asks_for_remote`);
//! - [`AeTimeProc`](ae::AeTimeProc) returns `int` milliseconds, in valkey-8.1 `long long`;
//! - `aftersleep` takes the loop alone, in Valkey also how many descriptors fired;
//! - `events` has `nevents` elements in redis-8.0 and `setsize` elsewhere;
//! - `aeDeleteEventLoop` runs the finalizers of time events that are still registered, from redis-8.0 on;
//! - `anetUnixServer` gives a non-blocking socket in valkey-8.1;
//! - accepted sockets are non-blocking and close-on-exec, except in redis-6.2; sockets that connect are close-on-exec
//!   in Valkey, the one of `anetUnixServer` in valkey-8.1, and no others (`libaeSetSafeSockets` makes all of them so);
//! - TCP sockets that are accepted, or connected at once, have `TCP_NODELAY` set in valkey-8.1, whose server does not;
//! - a unix listener's `priv` is a `mode_t *`, in valkey-8.1 a `serverUnixContextConfig *`.

#![allow(non_camel_case_types, non_snake_case)]

pub mod ae;
pub mod anet;
pub mod connection;
#[cfg(abi_v1)]
mod connection_v1;
#[cfg(not(abi_v1))]
mod connection_v2;
pub mod host;
mod layout;
pub(crate) mod profile;
pub mod tls;
pub mod tls_upstream;
