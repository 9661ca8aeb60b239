//! Socket helpers: options, names, connecting, listening, addresses, pipes.
//!
//! They take descriptors as plain integers and return errors that say which call failed and why; the caller
//! owns the descriptors that they return.

mod address;
mod connect;
mod error;
mod guard;
mod inherited;
mod listen;
mod options;
mod owned_fd;
mod pipe;
mod proxy;
mod socket_options;
mod successor;
mod transport;
mod unix_address;

pub(crate) use crate::sys::peer::credentials as peer_credentials;
pub(crate) use crate::sys::socket::SocketAddress;
pub(crate) use address::{End, HostPort, end_address, resolve, unix_path, write_end, write_ip};
pub(crate) use connect::{
    Connect, connect, start_connect, tcp_connect, tcp_connect_with, unix_connect, unix_connect_with,
    unix_connect_within, without_options,
};
pub(crate) use error::Error;
pub(crate) use guard::set_safe_sockets;
pub(crate) use inherited::{inherited, is_listening};
pub(crate) use listen::{
    Family, accept, accept_safely, is_of_one_connection, listen, tcp_listen_over, tcp_listen_with, unix_listen,
    unix_listen_guarded, unix_listen_with,
};
pub(crate) use options::{
    is_blocking, set_blocking, set_close_on_exec, set_default_keep_alive, set_keep_alive, set_mark,
    set_receive_timeout, set_send_timeout, set_tcp_no_delay, take_error,
};
pub(crate) use pipe::{is_fifo, pipe, read_all, write_all};
pub(crate) use proxy::proxy_header;
pub(crate) use socket_options::{KeptOptions, SocketOptions, set_quick_ack};
pub(crate) use successor::exec_with_listeners;
pub(crate) use transport::Transport;
pub(crate) use unix_address::is_unix;
