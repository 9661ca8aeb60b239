//! The sockets that clients connect to.

use crate::config::settings::Config;
use crate::log::{Level, log};
use crate::net::accept::ACCEPTS_PER_CALL;
use crate::net::shared::Shared;
use crate::server::listening::Listen;
use ae::{EventLoop, Listener};
use std::io::{self, ErrorKind};
use std::path::Path;

const CANNOT_LISTEN: &str = "Unable to listen on this port. Check server logs.";
const CANNOT_BIND: &str = "Failed to bind to specified addresses.";

/// What to listen on.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Place {
    kind: Kind,
    /// As the configuration has it; a path for a Unix socket.
    address: String,
    /// 0 for one that the system picks.
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Plain,
    Tls,
    Unix,
}

/// A socket that clients connect to; closed when dropped.
struct Listening {
    place: Place,
    listener: Listener,
}

/// All of them.
pub struct Listeners {
    el: EventLoop,
    shared: Shared,
    open: Vec<Listening>,
}

impl Listeners {
    /// Opens what the configuration says. The error is one line for the operator.
    pub fn open(el: &EventLoop, shared: &Shared) -> Result<Listeners, String> {
        let config = shared.net.borrow().server.config.clone();
        config.apply_tls().map_err(|error| format!("cannot configure TLS: {error}"))?;
        let mut listeners = Listeners { el: el.clone(), shared: shared.clone(), open: Vec::new() };
        for place in places(&config) {
            listeners.add(place, &config).map_err(|(_, error)| error)?;
        }
        if listeners.open.is_empty() {
            return Err(format!("none of the addresses to listen on is available: {}", config.bind.join(" ")));
        }
        Ok(listeners)
    }

    /// Opens one more. It is none if it may be left out, and the host has no such address.
    fn add(&mut self, mut place: Place, config: &Config) -> Result<(), (ErrorKind, String)> {
        let Place { address, port, .. } = &place;
        let opened = match place.kind {
            Kind::Plain => Listener::tcp(&self.el, &[address], *port, config.tcp_backlog),
            Kind::Tls => Listener::tls(&self.el, &[address], *port, config.tcp_backlog),
            Kind::Unix => {
                let permissions = config.unix_socket_permissions;
                Listener::unix(&self.el, Path::new(address), permissions, config.tcp_backlog)
            }
        };
        match opened.and_then(|listener| self.accept_from(&listener).map(|()| listener)) {
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable && address.starts_with('-') => {}
            Err(error) => {
                let text = match place.kind {
                    Kind::Unix => format!("cannot listen on the Unix socket {address}: {error}"),
                    _ => format!("cannot listen on {} port {port}: {error}", address.trim_start_matches('-')),
                };
                return Err((error.kind(), text));
            }
            Ok(listener) => {
                if *port == 0 {
                    place.port = listener.local_addrs().first().map_or(0, |address| address.port());
                }
                self.open.push(Listening { place, listener });
            }
        }
        Ok(())
    }

    fn accept_from(&self, listener: &Listener) -> io::Result<()> {
        let shared = self.shared.clone();
        listener.on_accept_or(
            ACCEPTS_PER_CALL,
            move |conn, peer| shared.with(|net| net.on_accept(conn, peer)),
            |why, peer| log(Level::Verbose, format_args!("Error accepting a client connection: {why} ({peer})")),
        )
    }

    /// Where they are, for the operator.
    pub fn places(&self) -> String {
        let shown = |listening: &Listening| match listening.place.kind {
            Kind::Unix => vec![listening.place.address.clone()],
            kind => {
                let end = if kind == Kind::Tls { " (TLS)" } else { "" };
                listening.listener.local_addrs().iter().map(|address| format!("{address}{end}")).collect()
            }
        };
        self.open.iter().flat_map(shown).collect::<Vec<_>>().join(", ")
    }

    /// The port of the first TCP socket; 0 if there is none.
    pub fn port(&self) -> u16 {
        let mut addresses = self.open.iter().flat_map(|listening| listening.listener.local_addrs());
        addresses.next().map_or(0, |address| address.port())
    }

    /// Opens those that the configuration has and that are not open.
    fn add_missing(&mut self, config: &Config) -> Result<(), (Place, ErrorKind)> {
        for place in places(config) {
            if self.open.iter().all(|listening| listening.place != place) {
                self.add(place.clone(), config).map_err(|(kind, error)| {
                    log(Level::Warning, format_args!("{error}"));
                    (place, kind)
                })?;
            }
        }
        Ok(())
    }

    /// Closes those that the configuration does not have.
    fn close_others(&mut self, config: &Config) {
        let wanted = places(config);
        self.open.retain(|listening| wanted.contains(&listening.place));
    }
}

impl Listen for Listeners {
    fn change(&mut self, old: &Config, new: &Config) -> Result<(), (&'static str, String)> {
        let mut opened = self.add_missing(new);
        // An address of the old ones may be in the way: `*` has all of them.
        if opened.as_ref().is_err_and(|(_, kind)| *kind == ErrorKind::AddrInUse) && old.bind != new.bind {
            self.close_others(new);
            opened = self.add_missing(new);
        }
        let failed = match opened {
            Ok(()) => {
                self.close_others(new);
                return Ok(());
            }
            Err((place, _)) => match place.kind {
                Kind::Plain if old.port != new.port => ("port", CANNOT_LISTEN),
                Kind::Tls if old.tls_port != new.tls_port => ("tls-port", CANNOT_LISTEN),
                _ => ("bind", CANNOT_BIND),
            },
        };
        self.close_others(old);
        // What had to be closed can be opened again, or that is logged.
        let _ = self.add_missing(old);
        Err((failed.0, failed.1.into()))
    }
}

/// One per address, so that an error can say which one it was.
fn places(config: &Config) -> Vec<Place> {
    let plain = (config.port != 0 || config.system_port).then_some((Kind::Plain, config.port));
    let tls = (config.tls_port != 0).then_some((Kind::Tls, config.tls_port));
    let of_address = |(kind, port)| {
        config.bind.iter().map(move |address| Place { kind, address: address.clone(), port }).collect::<Vec<_>>()
    };
    let tcp = plain.into_iter().chain(tls).flat_map(of_address);
    let unix = config.unix_socket.iter().map(|path| Place { kind: Kind::Unix, address: path.clone(), port: 0 });
    tcp.chain(unix).collect()
}
