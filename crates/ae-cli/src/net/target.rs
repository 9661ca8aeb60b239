//! Where to connect.

use crate::options::{Options, Tls};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A server's place, and how to get there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// A host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// A unix socket, which has precedence.
    pub socket: Option<PathBuf>,
    /// How TLS is spoken.
    pub tls: Tls,
    /// How long to try.
    pub timeout: Option<Duration>,
}

impl Target {
    /// The one of the command line.
    pub fn of(options: &Options) -> Target {
        Target {
            host: options.host.clone(),
            port: options.port,
            socket: options.socket.clone(),
            tls: options.tls.clone(),
            timeout: options.timeout,
        }
    }

    /// Another server, reached in the same way.
    pub fn at(&self, host: &str, port: u16) -> Target {
        Target { host: host.into(), port, socket: None, ..self.clone() }
    }

    /// `host:port`, with an IPv6 address in brackets.
    pub fn address(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { self.plain() }
    }

    fn plain(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// As errors name it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some(path) => path.display().fmt(f),
            None => f.write_str(&self.plain()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let target = Target { socket: Some("/a".into()), ..Target::of(&Options::new(false)) };
        assert_eq!(target.to_string(), "/a");
        // Another server is not behind the same socket.
        let other = target.at("::1", 7);
        assert_eq!((other.address().as_str(), other.to_string().as_str()), ("[::1]:7", "::1:7"));
        assert_eq!(target.at("a", 7).address(), "a:7");
    }
}
