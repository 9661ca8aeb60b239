//! Options of sockets that listen and connect.

use core::ffi::{c_char, c_int, c_uint};

/// The system's number of a user.
pub type uid_t = c_uint;
/// The system's number of a group.
pub type gid_t = c_uint;

/// The largest `libaeSocketOptions.size`: whatever later versions have is far below.
pub const LIBAE_SOCKET_OPTIONS_MAX: usize = 4096;

/// `libaeSocketOptions.mptcp`: Multipath TCP, and TCP where the kernel has none.
pub const LIBAE_MPTCP_IF_AVAILABLE: c_int = 1;
/// `libaeSocketOptions.mptcp`: Multipath TCP, or an error.
pub const LIBAE_MPTCP_REQUIRED: c_int = 2;

/// How a socket that listens or connects is made. Members that are 0 or NULL change nothing, so set `size`, fill in
/// what you need and leave the rest zero. An option that is for the other kind of socket is `EINVAL`, one that the
/// system does not have `EOPNOTSUPP`; what the system refuses is the system's errno (`EPERM` for `mark` and `device`
/// without the capability). The error's text names the option.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct libaeSocketOptions {
    /// `sizeof(libaeSocketOptions)` as the program was compiled. A smaller one than the first version's is `EINVAL`. A
    /// larger one is fine while everything that this library does not know is 0, else `E2BIG`.
    pub size: usize,
    /// The network interface that the socket is bound to, by name (`SO_BINDTODEVICE`), NULL: any. Accepted sockets
    /// inherit it. Linux; another user than root may need `CAP_NET_RAW`.
    pub device: *const c_char,
    /// Connects alone: the address, without a port, that it comes from, NULL: the system's choice. One that cannot be
    /// bound is an error.
    pub source: *const c_char,
    /// Listeners with a path alone: the group of the socket's file, a name or a number as text, NULL leaves it alone.
    pub unix_group: *const c_char,
    /// Listeners with a path alone: the permission bits of the socket's file, 0 leaves them alone.
    pub unix_permissions: c_uint,
    /// Listeners alone: how many connections wait to be accepted, 0: as many as the host's hook `tcp_backlog` says.
    pub backlog: c_int,
    /// A mark on the socket's packets, for routing and filters (`SO_MARK`, elsewhere what `anetSetSockMarkId` sets), 0:
    /// none. Accepted sockets inherit it. Needs `CAP_NET_ADMIN`.
    pub mark: c_uint,
    /// After so many milliseconds with data that the peer has not acknowledged the connection fails
    /// (`TCP_USER_TIMEOUT`), 0: the system's default, of many minutes. Accepted sockets inherit it. Linux.
    pub user_timeout: c_int,
    /// Probes the peer after so many seconds of silence, as `anetKeepAlive` does, 0: never. Accepted sockets inherit
    /// it.
    pub keep_alive: c_int,
    /// Above 0: small segments are sent at once (`TCP_NODELAY`); below 0: they are gathered; 0: as in the profile.
    /// Accepted sockets inherit it, except where the profile sets it on them.
    pub no_delay: c_int,
    /// Connects alone, since accepted sockets do not inherit it: `TCP_QUICKACK`, above 0 on, below 0 off. It only says
    /// how the socket begins (off: the handshake's last acknowledgement goes with the first data); see
    /// `libaeSetQuickAck` for what comes then. Linux.
    pub quick_ack: c_int,
    /// TCP Fast Open. For listeners how many connections that came with data may wait for the end of their handshake.
    /// For connects any other number than 0: a connect to a server that is known sends nothing and is done at once, and
    /// the first write begins the handshake. The system's setting `net.ipv4.tcp_fastopen` decides in both cases. Linux.
    pub fast_open: c_int,
    /// One of the `LIBAE_MPTCP_` values, 0: TCP. Linux. Some options are refused over Multipath TCP.
    pub mptcp: c_int,
    /// Listeners alone, not 0: several sockets, also those of other processes of the user, may listen on the same
    /// address and port if all have this (`SO_REUSEPORT`). On Linux the system spreads connections over them.
    pub reuse_port: c_int,
    /// Listeners alone, not 0: the socket of an IPv6 address takes IPv4 connections as well (`IPV6_V6ONLY` off). With
    /// it NULL and `*` mean every address of both families.
    pub dual_stack: c_int,
    /// Not 0: the address that is bound (for connects `source`) need not be this machine's yet (`IP_FREEBIND`). Linux.
    pub free_bind: c_int,
    /// Not 0: the descriptor blocks, and a connect waits until it is connected.
    pub blocking: c_int,
    /// Not 0: the descriptor survives an exec.
    pub keep_on_exec: c_int,
}
