//! ae-server: a Redis-compatible server. All its input and output is libae's.
#![forbid(unsafe_code)]

mod clients;
mod command;
mod commands;
mod config;
mod db;
mod files;
mod glob;
mod log;
mod long_double;
mod memory;
mod net;
mod server;
mod signals;
#[cfg(test)]
mod testing;

use ae::{EventLoop, Listener, Next};
use config::settings::Config;
use log::Level;
use net::accept::ACCEPTS_PER_CALL;
use net::state::Net;
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

/// The program: reads the command line's arguments, serves until it is told to stop, and says how it ended.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Result<Vec<String>, _> = args.map(OsString::into_string).collect();
    let parsed = args
        .map_err(|arg| format!("the argument {} is not valid UTF-8", arg.display()))
        .and_then(config::command_line::parse);
    let config = match parsed {
        Ok(config::command_line::Action::Serve(config)) => *config,
        Ok(config::command_line::Action::Print(text)) => {
            // Somebody may have closed the other end.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    let served = serve(config);
    log::flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Whatever keeps the server from running is one line.
fn fail(error: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "ae-server: {}", error.replace('\n', " "));
    ExitCode::FAILURE
}

fn serve(mut config: Config) -> Result<(), String> {
    log::set_level(config.log_level);
    config.max_clients = files::make_room(config.max_clients, config.handshakes())?;
    let el = event_loop(&config)?;
    let net = net::events::open(config);
    let listeners = listen(&el, &net)?;
    let unix_socket = net.borrow().server.config.unix_socket.as_deref().and_then(file_identity);
    let stopped_by = signals::watch(&el).map_err(|error| format!("cannot watch for signals: {error}"))?;

    let on_sleep = net.clone();
    el.before_sleep(move |el| on_sleep.borrow_mut().before_sleep(el));
    let on_timer = net.clone();
    let first = net.borrow().server.cron_interval();
    el.add_timer(first, move |_| Next::After(on_timer.borrow_mut().cron()))
        .map_err(|error| format!("cannot create a timer: {error}"))?;

    net.borrow_mut().server.backend = el.backend();
    let places: Vec<String> = listeners.iter().map(|listening| listening.place.clone()).collect();
    let (version, backend, pid) = (env!("CARGO_PKG_VERSION"), el.backend(), std::process::id());
    log::say(format!("ae-server {version} ready on {} ({backend}, pid {pid})\n", places.join(", ")));

    let result = el.run();
    net.borrow_mut().close();
    if let Some(path) = &net.borrow().server.config.unix_socket
        && file_identity(path) == unix_socket
    {
        // It may have been removed already.
        let _ = std::fs::remove_file(path);
    }
    drop(listeners);
    result.map_err(|error| format!("the event loop failed: {error}"))?;
    log::say(format!("ae-server stopped by {}\n", stopped_by.get().unwrap_or("SHUTDOWN")));
    Ok(())
}

/// Distinguishes a file from any other that may have come to have its name.
fn file_identity(path: &str) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|file| (file.dev(), file.ino())).ok()
}

fn event_loop(config: &Config) -> Result<EventLoop, String> {
    let size = config.set_size();
    let created = match config.backend.as_str() {
        "" => EventLoop::new(size),
        name => EventLoop::with_backend(size, name),
    };
    created.map_err(|error| match config.backend.as_str() {
        "" => format!("cannot create the event loop: {error}"),
        name => format!("cannot create the event loop with backend '{name}': {error}"),
    })
}

struct Listening {
    place: String,
    _listener: Listener,
}

/// Opens a listener's sockets.
type Bind = fn(&EventLoop, &[String], u16, u32) -> std::io::Result<Listener>;

fn listen(el: &EventLoop, net: &Rc<RefCell<Net>>) -> Result<Vec<Listening>, String> {
    let config = net.borrow().server.config.clone();
    let mut listening = Vec::new();
    let mut add = |listener: Listener, places: Vec<String>| {
        let net = net.clone();
        listener.on_accept_or(
            ACCEPTS_PER_CALL,
            move |conn, peer| net.borrow_mut().on_accept(conn, peer),
            |why, peer| log::log(Level::Verbose, format_args!("Error accepting a client connection: {why} ({peer})")),
        )?;
        listening.push(Listening { place: places.join(", "), _listener: listener });
        Ok::<(), std::io::Error>(())
    };
    if config.tls_port != 0 {
        config.apply_tls().map_err(|error| format!("cannot configure TLS: {error}"))?;
    }
    let plain = (config.port, Listener::tcp::<String> as Bind, "");
    let tls = (config.tls_port, Listener::tls::<String> as Bind, " (TLS)");
    for (port, bind, kind) in [plain, tls].into_iter().filter(|(port, ..)| *port != 0) {
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
