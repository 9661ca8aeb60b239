//! The sockets that clients connect to.

use crate::log::{Level, log};
use crate::net::accept::ACCEPTS_PER_CALL;
use crate::net::state::Net;
use ae::{EventLoop, Listener};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

/// A socket that clients connect to; closed when dropped.
pub struct Listening {
    /// For the operator.
    pub place: String,
    pub listener: Listener,
}

/// Opens a listener's sockets.
type Bind = fn(&EventLoop, &[String], u16, u32) -> std::io::Result<Listener>;

pub fn listen(el: &EventLoop, net: &Rc<RefCell<Net>>) -> Result<Vec<Listening>, String> {
    let config = net.borrow().server.config.clone();
    let mut listening = Vec::new();
    let mut add = |listener: Listener, places: Vec<String>| {
        let net = net.clone();
        listener.on_accept_or(
            ACCEPTS_PER_CALL,
            move |conn, peer| net.borrow_mut().on_accept(conn, peer),
            |why, peer| log(Level::Verbose, format_args!("Error accepting a client connection: {why} ({peer})")),
        )?;
        listening.push(Listening { place: places.join(", "), listener });
        Ok::<(), std::io::Error>(())
    };
    if config.tls_port != 0 {
        config.apply_tls().map_err(|error| format!("cannot configure TLS: {error}"))?;
    }
    let plain = (config.port != 0 || config.system_port, config.port, Listener::tcp::<String> as Bind, "");
    let tls = (config.tls_port != 0, config.tls_port, Listener::tls::<String> as Bind, " (TLS)");
    for (_, port, bind, kind) in [plain, tls].into_iter().filter(|(wanted, ..)| *wanted) {
        // One listener per address, so that the error can say which one it was.
        for address in &config.bind {
            let added = bind(el, std::slice::from_ref(address), port, config.tcp_backlog).and_then(|listener| {
                let places = listener.local_addrs().iter().map(|place| format!("{place}{kind}")).collect();
                add(listener, places)
            });
            match added {
                Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable && address.starts_with('-') => {}
                Err(error) => {
                    let address = address.trim_start_matches('-');
                    return Err(format!("cannot listen on {address} port {port}: {error}"));
                }
                Ok(()) => {}
            }
        }
    }
    if let Some(path) = &config.unix_socket {
        Listener::unix(el, Path::new(path), config.unix_socket_permissions, config.tcp_backlog)
            .and_then(|listener| add(listener, vec![path.clone()]))
            .map_err(|error| format!("cannot listen on the Unix socket {path}: {error}"))?;
    }
    if listening.is_empty() {
        return Err(format!("none of the addresses to listen on is available: {}", config.bind.join(" ")));
    }
    Ok(listening)
}
