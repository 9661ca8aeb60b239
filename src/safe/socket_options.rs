//! Options of sockets that listen and connect.

use super::arguments::c_string;
use crate::anet::{self, Error, Transport};
use core::ffi::c_int;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;

/// What a stream goes over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Mptcp {
    /// TCP.
    #[default]
    No,
    /// Multipath TCP, and TCP where the kernel has none.
    IfAvailable,
    /// Multipath TCP, or an error.
    Required,
}

/// How a socket that listens or connects is made. The default changes nothing. An option that is for the other kind of
/// socket is an error (`InvalidInput`), and so is one that the system does not have (`EOPNOTSUPP`) or refuses; the
/// error's text names it.
///
/// Addresses are IPv4 or IPv6 addresses, names, or unix sockets: a path, which has a slash in it, or `@` and a name in
/// the abstract namespace (Linux).
///
/// ```
/// use ae::SocketOptions;
/// use std::time::Duration;
///
/// let mut options = SocketOptions::default();
/// options.user_timeout = Some(Duration::from_secs(20));
/// let listening = std::net::TcpListener::from(options.listen("127.0.0.1", 0)?);
/// let _connected = options.connect("127.0.0.1", listening.local_addr()?.port())?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct SocketOptions {
    /// The network interface that the socket is bound to, by name. Accepted sockets inherit it. Linux.
    pub device: Option<String>,
    /// Connects alone: the address, without a port, that it comes from. One that cannot be bound is an error.
    pub source: Option<String>,
    /// Listeners with a path alone: the group of the socket's file, a name or a number.
    pub unix_group: Option<String>,
    /// Listeners with a path alone: the permission bits of the socket's file, 0 leaves them alone.
    pub unix_permissions: u32,
    /// Listeners alone: how many connections wait to be accepted, 0: 511.
    pub backlog: u32,
    /// A mark on the socket's packets, 0: none. Accepted sockets inherit it. Needs `CAP_NET_ADMIN`.
    pub mark: u32,
    /// For how long (in whole milliseconds, at least one) data may stay without an acknowledgement before the
    /// connection fails. Accepted sockets inherit it. Linux.
    pub user_timeout: Option<Duration>,
    /// After how much silence, in whole seconds, at least one, the peer is probed. Accepted sockets inherit it.
    pub keep_alive: Option<Duration>,
    /// Sends small segments at once, or gathers them.
    pub no_delay: Option<bool>,
    /// Connects alone: segments are acknowledged at once or later; see
    /// [`Connection::set_quick_ack`](crate::Connection::set_quick_ack). Linux.
    pub quick_ack: Option<bool>,
    /// TCP Fast Open: for listeners how many connections that came with data may wait for the end of their handshake;
    /// for connects whether there is one is what counts. Linux.
    pub fast_open: u32,
    /// Multipath TCP. Linux.
    pub mptcp: Mptcp,
    /// Listeners alone: several sockets may listen on the same address and port, if all have this.
    pub reuse_port: bool,
    /// Listeners alone: the socket of an IPv6 address takes IPv4 connections as well.
    pub dual_stack: bool,
    /// The address that is bound need not be this machine's yet. Linux.
    pub free_bind: bool,
}

impl SocketOptions {
    /// A socket that listens, non-blocking and close-on-exec; `*` stands for every IPv4 address (with a dual stack for
    /// every address), `::*` for every IPv6 address. A file that is in a path's place stays there, and is an error.
    pub fn listen(&self, address: &str, port: u16) -> io::Result<OwnedFd> {
        let address = c_string(address)?;
        let fd = self.with_core(|options| anet::listen(Some(&address), port.into(), &listening(options)))?;
        // SAFETY: fresh, and nobody else's.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// A socket whose connect has begun, non-blocking and close-on-exec. It becomes writable when it is connected or
    /// has failed.
    pub fn connect(&self, address: &str, port: u16) -> io::Result<OwnedFd> {
        let address = c_string(address)?;
        let fd = self.with_core(|options| anet::connect(&address, port.into(), options))?;
        // SAFETY: fresh, and nobody else's.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// Runs `body` with what the core takes.
    pub(super) fn with_core<T>(
        &self,
        body: impl FnOnce(&anet::SocketOptions<'_>) -> Result<T, Error>,
    ) -> io::Result<T> {
        let text = |text: &Option<String>| text.as_deref().map(c_string).transpose();
        let (device, source, unix_group) = (text(&self.device)?, text(&self.source)?, text(&self.unix_group)?);
        let options = anet::SocketOptions {
            device: device.as_deref(),
            source: source.as_deref(),
            unix_group: unix_group.as_deref(),
            unix_permissions: self.unix_permissions as libc::mode_t,
            backlog: number(self.backlog.into()),
            mark: self.mark,
            user_timeout: self.user_timeout.map_or(0, |time| number(time.as_millis().max(1))),
            keep_alive: self.keep_alive.map_or(0, |time| number(time.as_secs().max(1).into())),
            no_delay: self.no_delay,
            quick_ack: self.quick_ack,
            fast_open: number(self.fast_open.into()),
            transport: match self.mptcp {
                Mptcp::No => Transport::Tcp,
                Mptcp::IfAvailable => Transport::MptcpIfAvailable,
                Mptcp::Required => Transport::Mptcp,
            },
            reuse_port: self.reuse_port,
            dual_stack: self.dual_stack,
            free_bind: self.free_bind,
            blocking: false,
            keep_on_exec: false,
        };
        Ok(body(&options)?)
    }
}

/// The options for a socket that listens, with a backlog in any case.
pub(super) fn listening<'a>(options: &anet::SocketOptions<'a>) -> anet::SocketOptions<'a> {
    let backlog = if options.backlog == 0 { crate::abi::host::LIBAE_TCP_BACKLOG } else { options.backlog };
    anet::SocketOptions { backlog, ..*options }
}

fn number(value: u128) -> c_int {
    value.try_into().unwrap_or(c_int::MAX)
}
