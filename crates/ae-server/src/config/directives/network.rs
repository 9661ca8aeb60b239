//! Where the server listens, and how it polls.

use crate::config::format::{Format, INT, PORT, TEXT};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Access, Parameter, directive, field, kept};
use crate::config::words;

pub const DIRECTIVES: &[Parameter] = &[
    directive("port", AnyTime, field!(port, PORT), "N", "TCP port (6379); 0 for no TCP"),
    directive(
        "bind",
        AnyTime,
        Access::Words { several: true, get: words::bind, set: words::set_bind, lines: words::bind_lines },
        "ADDRESS...",
        "addresses to listen on (* -::*); a '-' in front: skip it if there is no such address",
    ),
    directive(
        "proxy-protocol-networks",
        AnyTime,
        Access::Words {
            several: true,
            get: words::proxy_networks,
            set: words::set_proxy_networks,
            lines: words::proxy_networks_lines,
        },
        "NETWORK...",
        "proxies, such as 10.0.0.0/8, that begin with a header of the PROXY protocol (none)",
    ),
    directive(
        "unixsocket",
        AtStart,
        field!(unix_socket, TEXT),
        "PATH",
        "listen on this Unix socket too; @NAME: one without a file",
    ),
    directive(
        "unixsocketperm",
        AtStart,
        field!(unix_socket_permissions, Format::Octal { max: 0o777 }),
        "MODE",
        "permissions of the Unix socket, octal",
    ),
    directive(
        "unixsocketgroup",
        AtStart,
        field!(sockets.unix_group, TEXT),
        "GROUP",
        "group of the Unix socket, a name or a number",
    )
    .hidden(),
    directive("tcp-backlog", AtStart, field!(tcp_backlog, INT), "N", "connections waiting to be accepted (511)"),
    directive(
        "tcp-keepalive",
        AnyTime,
        field!(tcp_keepalive, INT),
        "SECONDS",
        "probe silent clients this often (300); 0 for never",
    ),
    directive("backend", AtStart, field!(backend, TEXT), "NAME", "epoll, poll or select").hidden(),
    directive(
        "busy-poll",
        AnyTime,
        field!(busy_poll, Format::Switch),
        "yes|no",
        "under high load, do not sleep for a few microseconds (no)",
    ),
    directive(
        "tcp-user-timeout",
        AtStart,
        field!(sockets.user_timeout, INT),
        "MS",
        "close clients that do not acknowledge replies for so long (0: the system's limit)",
    )
    .hidden(),
    directive(
        "tcp-quickack",
        AnyTime,
        field!(sockets.quick_ack, Format::Switch),
        "yes|no",
        "acknowledge a part of a request at once (no)",
    ),
    directive(
        "tcp-fastopen",
        AtStart,
        field!(sockets.fast_open, INT),
        "N",
        "TCP Fast Open, with so many connections waiting (0: none)",
    )
    .hidden(),
    directive(
        "mptcp",
        AtStart,
        field!(sockets.mptcp, Format::Switch),
        "yes|no",
        "listen for Multipath TCP as well (no)",
    )
    .hidden(),
    directive(
        "reuse-port",
        AtStart,
        field!(sockets.reuse_port, Format::Switch),
        "yes|no",
        "share the TCP ports with other servers that do (no)",
    )
    .hidden(),
    directive(
        "bind-device",
        AtStart,
        field!(sockets.device, TEXT),
        "INTERFACE",
        "serve TCP clients of this network interface alone",
    )
    .hidden(),
    directive(
        "socket-mark-id",
        AtStart,
        field!(sockets.mark, Format::Integer { min: 0, max: u32::MAX as i128 }),
        "N",
        "mark the packets of TCP sockets, for routing and filters (0: none)",
    ),
    kept("bind-source-addr", AnyTime, TEXT, "", "ae-server makes no connections"),
    kept("io-threads", AtStart, Format::Integer { min: 1, max: 128 }, "1", "one thread does all input and output"),
    kept("io-threads-do-reads", AtStart, Format::Switch, "no", "one thread does all input and output"),
];
