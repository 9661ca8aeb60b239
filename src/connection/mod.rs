//! Connections: types with a table of functions each, over the event loop and the socket helpers.

mod connecting;
mod errors;
mod handlers;
mod home;
mod lifecycle;
pub(crate) mod listener;
#[cfg(not(abi_v1))]
pub(crate) mod registry;
pub(crate) mod socket;
mod socket_events;
mod sync;
#[cfg(feature = "tls")]
pub(crate) mod tls;
pub(crate) mod types;
mod watch;

pub(crate) use home::make_safe_apis;
pub(crate) use lifecycle::{create, created};

#[cfg(feature = "tls")]
use {
    errors::status,
    handlers::{call_handler, is_held},
    lifecycle::{boxed, new_connection},
    socket_events as events,
    watch::{drop_fd, unwatch},
};
