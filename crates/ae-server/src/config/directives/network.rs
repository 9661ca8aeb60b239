//! Where the server listens, and how it polls.

use crate::config::format::{Format, INT, PORT, TEXT};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Access, Parameter, directive, field, fixed, kept};
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
    directive("unixsocket", AtStart, field!(unix_socket, TEXT), "PATH", "listen on this Unix socket too"),
    directive(
        "unixsocketperm",
        AtStart,
        field!(unix_socket_permissions, Format::Octal { max: 0o777 }),
        "MODE",
        "permissions of the Unix socket, octal",
    ),
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
    fixed(
        "socket-mark-id",
        AtStart,
        Format::Integer { min: 0, max: u32::MAX as i128 },
        "0",
        "it cannot mark its sockets",
    ),
    kept("bind-source-addr", AnyTime, TEXT, "", "ae-server makes no connections"),
    kept("io-threads", AtStart, Format::Integer { min: 1, max: 128 }, "1", "one thread does all input and output"),
    kept("io-threads-do-reads", AtStart, Format::Switch, "no", "one thread does all input and output"),
];
