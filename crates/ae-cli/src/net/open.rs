//! Opens connections.

use super::target::Target;
use super::tls;
use crate::text::system_error;
use ae::{Connection, EventLoop, Next};
use std::cell::{Cell, RefCell};
use std::io;
use std::net::ToSocketAddrs;
use std::rc::Rc;
use std::time::Duration;

/// How connecting has ended; none while it goes on.
type Outcome = Rc<RefCell<Option<Result<(), String>>>>;

/// A connection to the target, after its TLS handshake. The error is in words.
pub(super) fn open(el: &EventLoop, target: &Target, interrupted: &dyn Fn() -> bool) -> Result<Connection, String> {
    if let Some(path) = &target.socket {
        return wait(el, target.timeout, interrupted, |done| {
            Connection::connect_unix(el, path, move |_, result| done(result.map_err(|e| system_error(&e))))
        });
    }
    if target.tls.on {
        tls::apply(&target.tls, &target.host)?;
    }
    let found = (target.host.as_str(), target.port).to_socket_addrs().map_err(|error| system_error(&error))?;
    let mut last = "no address".to_string();
    // IPv4 first, as redis-cli has it.
    let mut addresses: Vec<_> = found.collect();
    addresses.sort_by_key(|address| address.is_ipv6());
    addresses.dedup();
    for address in addresses {
        let host = address.ip().to_string();
        let opened = wait(el, target.timeout, interrupted, |done| match target.tls.on {
            true => Connection::connect_tls(el, &host, target.port, move |conn, result| {
                done(result.map_err(|error| match conn.last_error() {
                    text if text.is_empty() => system_error(&error),
                    text => text,
                }));
            }),
            false => Connection::connect_tcp(el, &host, target.port, move |_, result| {
                done(result.map_err(|e| system_error(&e)));
            }),
        });
        match opened {
            Ok(conn) => {
                let _ = conn.set_tcp_no_delay(true);
                let _ = conn.set_keep_alive(KEEP_ALIVE);
                return Ok(conn);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Probes a silent server so often, as redis-cli does.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Runs the loop until the connection is there, cannot be, or is no longer wanted.
fn wait(
    el: &EventLoop,
    timeout: Option<Duration>,
    interrupted: &dyn Fn() -> bool,
    start: impl FnOnce(Box<dyn FnOnce(Result<(), String>)>) -> io::Result<Connection>,
) -> Result<Connection, String> {
    let outcome = Outcome::default();
    let told = outcome.clone();
    let conn = start(Box::new(move |result| *told.borrow_mut() = Some(result))).map_err(|e| system_error(&e))?;
    let late = Rc::new(Cell::new(false));
    let timer = timeout.and_then(|timeout| {
        let late = late.clone();
        let told = move |_: &EventLoop| {
            late.set(true);
            Next::Stop
        };
        el.add_timer(timeout, told).ok()
    });
    let result = loop {
        if let Some(result) = outcome.borrow_mut().take() {
            break result;
        }
        if late.get() {
            break Err("Connection timed out".into());
        }
        if interrupted() {
            break Err("Interrupted".into());
        }
        if let Err(error) = el.run_once(true) {
            break Err(system_error(&error));
        }
    };
    if let Some(timer) = timer {
        el.cancel_timer(timer);
    }
    match result {
        Ok(()) => Ok(conn),
        Err(error) => {
            conn.close();
            Err(error)
        }
    }
}
