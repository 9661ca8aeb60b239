//! The parameters, except those of TLS.

use super::parameter::{Change, Parameter, parameter};
use super::values::{MIB, decimal, memory, number, switch, text, yes_or_no};
use crate::log::LEVELS;

pub const PARAMETERS: &[Parameter] = &[
    parameter!("port", AtStart, "N", "TCP port (6379); 0 for no TCP", |c| decimal(c.port), |c, v| {
        c.port = number(v, 0, 65535)? as u16;
        Ok(())
    }),
    parameter!(
        "bind",
        AtStart,
        "ADDRESS...",
        "addresses to listen on (* -::*); a '-' in front: skip it if there is no such address",
        |c| c.bind.join(" ").into_bytes(),
        |c, v| {
            c.bind = text(v)?.split_whitespace().map(String::from).collect();
            Ok(())
        }
    ),
    parameter!(
        "unixsocket",
        AtStart,
        "PATH",
        "listen on this Unix socket too",
        |c| c.unix_socket.clone().unwrap_or_default().into_bytes(),
        |c, v| {
            c.unix_socket = Some(text(v)?).filter(|path| !path.is_empty());
            Ok(())
        }
    ),
    parameter!(
        "unixsocketperm",
        AtStart,
        "MODE",
        "permissions of the Unix socket, octal",
        |c| format!("{:o}", c.unix_socket_permissions.unwrap_or(0)).into_bytes(),
        |c, v| {
            let mode = u32::from_str_radix(&text(v)?, 8).ok().filter(|mode| *mode <= 0o777);
            let mode = mode.ok_or("argument must be an octal mode of at most 777")?;
            c.unix_socket_permissions = (mode != 0).then_some(mode);
            Ok(())
        }
    ),
    parameter!(
        "maxclients",
        AnyTime,
        "N",
        "clients served at the same time (10000)",
        |c| decimal(c.max_clients),
        |c, v| {
            c.max_clients = number(v, 1, u32::MAX.into())? as u32;
            Ok(())
        }
    ),
    parameter!(
        "tcp-keepalive",
        AnyTime,
        "SECONDS",
        "probe silent clients this often (300); 0 for never",
        |c| decimal(c.tcp_keepalive),
        |c, v| {
            c.tcp_keepalive = number(v, 0, i32::MAX as u64)? as u32;
            Ok(())
        }
    ),
    parameter!(
        "tcp-backlog",
        AtStart,
        "N",
        "connections waiting to be accepted (511)",
        |c| decimal(c.tcp_backlog),
        |c, v| {
            c.tcp_backlog = number(v, 0, i32::MAX as u64)? as u32;
            Ok(())
        }
    ),
    parameter!(
        "timeout",
        AnyTime,
        "SECONDS",
        "close clients idle for so long (0: never)",
        |c| decimal(c.timeout),
        |c, v| {
            c.timeout = number(v, 0, i32::MAX as u64)? as u32;
            Ok(())
        }
    ),
    parameter!("requirepass", AnyTime, "PASSWORD", "ask clients for this password", |c| c.password.clone(), |c, v| {
        c.password = v.to_vec();
        Ok(())
    }),
    parameter!(
        "protected-mode",
        AnyTime,
        "yes|no",
        "without a password, serve only this host (yes)",
        |c| yes_or_no(c.protected_mode),
        |c, v| {
            c.protected_mode = switch(v)?;
            Ok(())
        }
    ),
    parameter!("databases", AtStart, "N", "number of databases (16)", |c| decimal(c.databases), |c, v| {
        // An empty database costs little, but every cron run visits all of them.
        c.databases = number(v, 1, 10_000)? as u32;
        Ok(())
    }),
    parameter!("hz", AnyTime, "N", "runs of the cron per second (10)", |c| decimal(c.hz), |c, v| {
        // Redis takes any and sees to the limits itself.
        c.hz = number(v, 0, i32::MAX as u64)?.clamp(1, 500) as u32;
        Ok(())
    }),
    parameter!(
        "loglevel",
        AnyTime,
        "LEVEL",
        "debug, verbose, notice (the default), warning or nothing",
        |c| LEVELS.iter().find(|(_, level)| *level == c.log_level).map_or("", |(name, _)| name).into(),
        |c, v| {
            let found = LEVELS.iter().find(|(name, _)| v.eq_ignore_ascii_case(name.as_bytes()));
            let names: Vec<&str> = LEVELS.iter().map(|(name, _)| *name).collect();
            c.log_level =
                found.ok_or_else(|| format!("argument(s) must be one of the following: {}", names.join(", ")))?.1;
            Ok(())
        }
    ),
    parameter!("backend", AtStart, "NAME", "epoll, poll or select", |c| c.backend.clone().into_bytes(), |c, v| {
        c.backend = text(v)?;
        Ok(())
    }),
    parameter!(
        "busy-poll",
        AnyTime,
        "yes|no",
        "under high load, do not sleep for a few microseconds (yes)",
        |c| yes_or_no(c.busy_poll),
        |c, v| {
            c.busy_poll = switch(v)?;
            Ok(())
        }
    ),
    parameter!(
        "proto-max-bulk-len",
        AnyTime,
        "BYTES",
        "longest argument and value (512mb)",
        |c| decimal(c.max_bulk),
        |c, v| {
            c.max_bulk = memory(v, MIB, i64::MAX as u64)?;
            Ok(())
        }
    ),
    parameter!(
        "client-query-buffer-limit",
        AnyTime,
        "BYTES",
        "longest unfinished request (1gb)",
        |c| decimal(c.query_buffer_limit),
        |c, v| {
            c.query_buffer_limit = memory(v, MIB, i64::MAX as u64)?;
            Ok(())
        }
    ),
];
