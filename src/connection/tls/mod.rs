//! Connections over TLS: a socket's functions with a session in front of each.
//!
//! While the handshake is under way it alone decides what the descriptor is watched for. Afterwards the handlers do:
//! no handler, no interest. I/O threads may read and write, one at a time for each connection: `read` and `write` touch
//! no loop.

mod about;
mod announce;
mod buffer;
mod choose;
mod config;
mod conn;
mod data;
mod engine;
mod events;
mod failure;
mod handshake;
mod hello;
mod interest;
mod listeners;
mod peer;
mod pending;
mod permits;
mod raw_session;
mod session;
mod stream;

pub(crate) use about::{Established, established, names};
pub(super) use announce::{has_pending, process_pending};
pub(crate) use choose::choose;
pub(crate) use config::certificate;
pub(crate) use config::context::{configure, is_configured};
pub(crate) use config::contexts::OwnContext;
#[allow(unused_imports)] // Only valkey-9.1 and later reload.
pub(crate) use config::reload;
pub(crate) use config::settings;
pub(crate) use config::upstream::{configure_upstream, forget};
pub(crate) use conn::TlsConn;
pub(super) use data::{read, write, writev};
#[allow(unused_imports)] // Each of them is asked for by some profiles.
pub(super) use events::{postpone, rebound, unbind, update_state};
pub(super) use events::{set_read_handler, set_write_handler};
pub(super) use handshake::{accept, connect, connect_by_name};
#[allow(unused_imports)] // Up to redis-7.0 the host accepts.
pub(crate) use listeners::{choose_for_listener, of_listener};
#[allow(unused_imports)] // Likewise.
pub(crate) use peer::{peer_certificate, peer_name, peer_user};
pub(crate) use raw_session::RawSession;
#[allow(unused_imports)] // Likewise.
pub(crate) use stream::{TLS_STREAM, accepts, create, create_accepted, create_accepted_with, shutdown};
#[allow(unused_imports)] // Likewise.
pub(super) use stream::{close, writev_tls};
