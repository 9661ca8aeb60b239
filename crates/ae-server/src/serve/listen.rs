//! The sockets that clients connect to.

use crate::config::settings::Config;
use crate::log::{Level, log};
use crate::net::accept::ACCEPTS_PER_CALL;
use crate::net::shared::Shared;
use crate::server::listening::Listen;
use ae::{EventLoop, Listener, Mptcp, SocketOptions};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

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

impl Place {
    /// Whether a socket that is open already is on this place.
    fn is_that_of(&self, listener: &Listener) -> bool {
        if self.kind == Kind::Unix {
            let (path, other) = (Path::new(&self.address), listener.path().unwrap_or_default());
            return other == path || std::path::absolute(path).ok() == std::path::absolute(&other).ok();
        }
        let ip = match self.address.trim_start_matches('-') {
            "*" => Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            "::*" => Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            address => address.parse(),
        };
        ip.is_ok_and(|ip| listener.local_addrs().contains(&SocketAddr::new(ip, self.port)))
    }
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
    origin: Origin,
}

/// Who has opened a socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Origin {
    /// This server.
    Here,
    /// Whoever started the process, on a place that the configuration has.
    Inherited,
    /// The same on another place: it stays whatever the configuration becomes.
    Beside,
}

/// All of them.
pub struct Listeners {
    el: EventLoop,
    shared: Shared,
    open: Vec<Listening>,
}

/// The sockets that whoever started the process has opened for it. To be asked for before the process has others, which
/// could have the numbers of those that are not there.
pub fn inherited() -> Result<Vec<OwnedFd>, String> {
    ae::inherited_sockets().map_err(unusable)
}

fn unusable(error: io::Error) -> String {
    format!("cannot take over the sockets of LISTEN_FDS: {error}")
}

impl Listeners {
    /// Opens what the configuration says, except what is inherited. The error is one line for the operator.
    pub fn open(el: &EventLoop, shared: &Shared, inherited: Vec<OwnedFd>) -> Result<Listeners, String> {
        let config = shared.net.borrow().server.config.clone();
        config.apply_tls().map_err(|error| format!("cannot configure TLS: {error}"))?;
        let mut listeners = Listeners { el: el.clone(), shared: shared.clone(), open: Vec::new() };
        let inherited = inherited.into_iter().map(|socket| listeners.inherited_one(socket, &config).map_err(unusable));
        let mut inherited = inherited.collect::<Result<Vec<_>, _>>()?;
        for place in places(&config) {
            match inherited.iter().position(|(_, listener)| place.is_that_of(listener)) {
                Some(index) => listeners.take(place, inherited.swap_remove(index).1, Origin::Inherited)?,
                None => listeners.add(place, &config).map_err(|(_, error)| error)?,
            }
        }
        for (place, listener) in inherited {
            listeners.take(place, listener, Origin::Beside)?;
        }
        if places(&config).is_empty() && listeners.open.is_empty() {
            return Err("nothing to listen on: give --port, --tls-port or --unixsocket".into());
        }
        if listeners.open.is_empty() {
            return Err(format!("none of the addresses to listen on is available: {}", config.bind.join(" ")));
        }
        Ok(listeners)
    }

    /// One on the port for TLS is for that.
    fn inherited_one(&self, socket: OwnedFd, config: &Config) -> io::Result<(Place, Listener)> {
        let listener = Listener::from_socket(&self.el, socket)?;
        let Some(address) = listener.local_addrs().first().copied() else {
            let address = listener.path().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((Place { kind: Kind::Unix, address, port: 0 }, listener));
        };
        let tls = address.port() == config.tls_port;
        let listener = if tls { listener.over_tls()? } else { listener };
        let kind = if tls { Kind::Tls } else { Kind::Plain };
        Ok((Place { kind, address: address.ip().to_string(), port: address.port() }, listener))
    }

    /// Accepts from a socket that is open already.
    fn take(&mut self, place: Place, listener: Listener, origin: Origin) -> Result<(), String> {
        self.accept_from(&listener).map_err(|error| format!("cannot accept from {}: {error}", place.address))?;
        self.open.push(Listening { place, listener, origin });
        Ok(())
    }

    /// Opens one more. It is none if it may be left out, and the host has no such address.
    fn add(&mut self, mut place: Place, config: &Config) -> Result<(), (ErrorKind, String)> {
        let Place { address, port, .. } = &place;
        let options = options(place.kind, config);
        let opened = match place.kind {
            Kind::Plain => Listener::with_options(&self.el, &[address], *port, &options),
            Kind::Tls => Listener::with_options(&self.el, &[address], *port, &options).and_then(Listener::over_tls),
            Kind::Unix => Listener::with_options(&self.el, &[unix_address(address)], 0, &options),
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
                self.open.push(Listening { place, listener, origin: Origin::Here });
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

    /// Whether this server has made the Unix socket of the configuration, and is to remove it.
    pub fn has_made_unix_socket(&self) -> bool {
        self.open.iter().any(|listening| listening.place.kind == Kind::Unix && listening.origin == Origin::Here)
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
        self.open.retain(|listening| listening.origin == Origin::Beside || wanted.contains(&listening.place));
    }
}

impl Listen for Listeners {
    fn copies(&self) -> io::Result<Vec<OwnedFd>> {
        self.open.iter().flat_map(|one| one.listener.sockets()).map(|socket| socket.try_clone_to_owned()).collect()
    }

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

/// How a socket of the configuration is made.
fn options(kind: Kind, config: &Config) -> SocketOptions {
    let wanted = &config.sockets;
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut options = SocketOptions::default();
    options.backlog = config.tcp_backlog;
    if kind == Kind::Unix {
        options.unix_permissions = config.unix_socket_permissions.unwrap_or(0);
        options.unix_group = given(&wanted.unix_group);
        return options;
    }
    options.device = given(&wanted.device);
    options.mark = wanted.mark;
    options.user_timeout = Some(wanted.user_timeout).filter(|ms| *ms > 0).map(|ms| Duration::from_millis(ms.into()));
    options.fast_open = wanted.fast_open;
    options.mptcp = if wanted.mptcp { Mptcp::Required } else { Mptcp::No };
    options.reuse_port = wanted.reuse_port;
    options
}

/// As the library takes a path, which has a slash in it, or else would be taken for a host.
fn unix_address(path: &str) -> String {
    if path.starts_with('@') || path.contains('/') { path.into() } else { format!("./{path}") }
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
