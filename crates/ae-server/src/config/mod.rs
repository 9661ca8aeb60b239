//! The parameters: their values, and one table that serves the command line, CONFIG GET and CONFIG SET.

pub mod command_line;
mod values;

use crate::log::{LEVELS, Level};
use ae::{AuthClients, TlsConfig};
use values::{decimal, memory, number, switch, text, yes_or_no};

const MIB: u64 = 1024 * 1024;

#[derive(Clone, Debug)]
pub struct Config {
    pub port: u16,
    pub bind: Vec<String>,
    pub unix_socket: Option<String>,
    pub unix_socket_permissions: Option<u32>,
    pub max_clients: u32,
    /// Seconds, 0 for none.
    pub tcp_keepalive: u32,
    pub tcp_backlog: u32,
    /// Seconds after which an idle client is closed, 0 for never.
    pub timeout: u32,
    /// Empty for none.
    pub password: Vec<u8>,
    pub protected_mode: bool,
    pub databases: u32,
    /// How often the cron runs per second.
    pub hz: u32,
    pub log_level: Level,
    /// Empty for the library's choice.
    pub backend: String,
    /// Poll through gaps of a few microseconds between events instead of sleeping.
    pub busy_poll: bool,
    /// The longest argument and the longest string value, in bytes.
    pub max_bulk: u64,
    /// How many bytes of an unfinished request a client may have here.
    pub query_buffer_limit: u64,
    /// 0 for none.
    pub tls_port: u16,
    /// What Redis has as its default for clients is the default here, too: they must show a certificate.
    pub tls: TlsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            port: 6379,
            bind: vec!["*".into(), "-::*".into()],
            unix_socket: None,
            unix_socket_permissions: None,
            max_clients: 10_000,
            tcp_keepalive: 300,
            tcp_backlog: 511,
            timeout: 0,
            password: Vec::new(),
            protected_mode: true,
            databases: 16,
            hz: 10,
            log_level: Level::Notice,
            backend: String::new(),
            busy_poll: true,
            max_bulk: 512 * MIB,
            query_buffer_limit: 1024 * MIB,
            tls_port: 0,
            tls: TlsConfig { auth_clients: AuthClients::Yes, any_server_name: true, ..TlsConfig::default() },
        }
    }
}

impl Config {
    /// Descriptors that the event loop has to have room for.
    pub fn set_size(&self) -> usize {
        self.max_clients as usize + self.handshakes() + crate::RESERVED as usize
    }
}

/// When a parameter can be given another value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change {
    AnyTime,
    AtStart,
    /// Fixed: known because clients and scripts written for Redis name it, but there is only one value.
    Never,
}

pub struct Parameter {
    pub name: &'static str,
    pub change: Change,
    /// What the value looks like, for `--help`; empty for parameters not listed there.
    pub usage: &'static str,
    pub help: &'static str,
    pub get: fn(&Config) -> Vec<u8>,
    /// The error says what is wrong with the value, in the words of CONFIG SET.
    pub set: fn(&mut Config, &[u8]) -> Result<(), String>,
}

macro_rules! parameter {
    ($name:literal, $change:ident, $usage:literal, $help:literal, $get:expr, $set:expr) => {
        Parameter { name: $name, change: Change::$change, usage: $usage, help: $help, get: $get, set: $set }
    };
}

// It uses the macro.
mod tls;

macro_rules! fixed {
    ($name:literal, $value:literal) => {
        Parameter {
            name: $name,
            change: Change::Never,
            usage: "",
            help: "",
            get: |_| $value.as_bytes().to_vec(),
            set: |_, value| {
                if value.eq_ignore_ascii_case($value.as_bytes()) {
                    Ok(())
                } else {
                    Err(format!("ae-server supports only the value '{}'", $value))
                }
            },
        }
    };
}

const PARAMETERS: &[Parameter] = &[
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

const FIXED: &[Parameter] = &[
    fixed!("save", ""),
    fixed!("appendonly", "no"),
    fixed!("maxmemory", "0"),
    fixed!("maxmemory-policy", "noeviction"),
    fixed!("daemonize", "no"),
    fixed!("cluster-enabled", "no"),
    fixed!("io-threads", "1"),
    fixed!("client-output-buffer-limit", "normal 0 0 0 slave 0 0 0 pubsub 0 0 0"),
];

pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS.iter().chain(tls::PARAMETERS).chain(FIXED)
}

pub fn parameter(name: &[u8]) -> Option<&'static Parameter> {
    parameters().find(|parameter| name.eq_ignore_ascii_case(parameter.name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> Result<Vec<u8>, String> {
        let mut config = Config::default();
        let parameter = parameter(name.as_bytes()).unwrap();
        (parameter.set)(&mut config, value.as_bytes())?;
        Ok((parameter.get)(&config))
    }

    #[test]
    fn every_default_can_be_set_again() {
        for parameter in parameters() {
            let mut config = Config::default();
            let value = (parameter.get)(&config);
            (parameter.set)(&mut config, &value).unwrap_or_else(|error| panic!("{}: {error}", parameter.name));
            assert_eq!((parameter.get)(&config), value, "{}", parameter.name);
        }
    }

    #[test]
    fn values_are_checked() {
        assert_eq!(set("port", "65536").unwrap_err(), "argument must be between 0 and 65535 inclusive");
        assert_eq!(set("port", "x").unwrap_err(), "argument couldn't be parsed into an integer");
        assert_eq!(set("PORT", "07").unwrap_err(), "argument couldn't be parsed into an integer");
        assert_eq!(set("timeout", "-1").unwrap_err(), "argument must be between 0 and 2147483647 inclusive");
        assert_eq!(set("protected-mode", "NO").unwrap(), b"no");
        assert_eq!(set("protected-mode", "maybe").unwrap_err(), "argument must be 'yes' or 'no'");
        assert_eq!(set("unixsocketperm", "770").unwrap(), b"770");
        assert!(set("unixsocketperm", "888").is_err());
        assert_eq!(set("proto-max-bulk-len", "2mb").unwrap(), b"2097152");
        assert_eq!(set("client-query-buffer-limit", "5GB").unwrap(), b"5368709120");
        assert_eq!(set("proto-max-bulk-len", "9223372036854775807b").unwrap(), b"9223372036854775807");
        let range = "argument must be between 1048576 and 9223372036854775807 inclusive";
        for bad in ["", "1", "mb", "9223372036854775808", "99999999999999999999gb"] {
            assert_eq!(set("proto-max-bulk-len", bad).unwrap_err(), range, "{bad}");
        }
        for bad in ["x", "-1", "1.5mb", "1 mb", "1tb", "\u{e9}"] {
            assert_eq!(set("proto-max-bulk-len", bad).unwrap_err(), "argument must be a memory value", "{bad}");
        }
        assert!(set("save", "60 1").is_err());
        assert_eq!(set("bind", "127.0.0.1 -::1").unwrap(), b"127.0.0.1 -::1");
    }
}
