//! Connections: types with a table of functions each, over the event loop and the socket helpers.

mod any;
mod arguments;
mod asked;
mod by_name;
mod conn_by_name;
mod connecting;
mod errors;
mod handle;
mod handlers;
mod home;
pub(crate) mod lifecycle;
pub(crate) mod listener;
#[cfg(not(abi_v1))]
pub(crate) mod registry;
pub(crate) mod socket;
mod socket_data;
mod socket_events;
mod sync;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod types;
mod watch;

pub(crate) use any::{AnyConn, Kind};
pub(crate) use by_name::connect_by_name;
pub(crate) use conn_by_name::Host;
#[allow(unused_imports)] // Only Redis 8 has connections leave a loop.
pub(crate) use conn_by_name::leave;
pub(crate) use connecting::wait_tcp;
pub(crate) use handle::Conn;
#[allow(unused_imports)] // Up to redis-7.0 the host accepts.
pub(crate) use home::accept_data;
pub(crate) use home::make_safe_apis;
