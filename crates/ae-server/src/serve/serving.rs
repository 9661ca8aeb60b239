//! A server with its event loop and its sockets.

use super::listen::{self, Listeners};
use crate::config::catalog;
use crate::config::settings::Config;
use crate::log::Level;
use crate::net::background::listen_to_threads;
use crate::net::events;
use crate::net::shared::Shared;
use crate::net::state::Net;
use crate::process::{self, PidFile};
use crate::server::shutdown::Shutdown;
use crate::{files, log};
use ae::{EventLoop, Next};
use std::cell::RefCell;
use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A server that clients can connect to.
pub struct Serving {
    /// Where it listens at first, for the operator, and the first port there.
    places: String,
    port: u16,
    /// The Unix socket's whole path, and what it was when it was made.
    unix_socket: Option<(PathBuf, FileIdentity)>,
    _pid_file: Option<PidFile>,
    shared: Closing,
    /// The last to be dropped.
    pub el: EventLoop,
}

/// Closes everything when it is dropped, also when a start fails: the loop and the server refer to each other.
struct Closing(Shared);

impl Deref for Closing {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Serving {
    /// Opens the sockets. `watch` sees to it, before there are any, that somebody may end the server: whoever finds that
    /// it listens may end it as it should. The error is one line for the operator.
    pub fn open<T>(
        mut config: Config,
        watch: impl FnOnce(&EventLoop, Ender) -> Result<T, String>,
    ) -> Result<(Serving, T), String> {
        let inherited = listen::inherited()?;
        process::enter(&config)?;
        log::set_level(config.log_level);
        log::set_target(config.log_target())?;
        catalog::warnings(&config).for_each(|warning| log::log(Level::Warning, format_args!("{warning}")));
        log::set_role(config.replication.primary.is_some());
        // A server can do without, and the failure is logged.
        let _ = process::apply_oom_score(&config.process);
        config.max_clients = files::make_room(config.max_clients, config.handshakes())?;
        let el = event_loop(&config)?;
        let shared = Closing(events::open(&el, config));
        let net = shared.net.clone();
        net.borrow_mut().server.load_security()?;
        listen_to_threads(&el, &net)?;
        let watched = watch(&el, ender(&net))?;
        let listeners = Listeners::open(&el, &shared, inherited)?;
        let unix_socket = net.borrow().server.config.unix_socket.as_ref().and_then(|path| {
            if !listeners.has_made_unix_socket() || path.starts_with('@') {
                return None;
            }
            // The working directory may change until it is removed.
            let path = std::path::absolute(path).ok()?;
            file_identity(&path).map(|identity| (path, identity))
        });

        let on_sleep = shared.0.clone();
        el.before_sleep(move |el| {
            let mut net = on_sleep.net.borrow_mut();
            on_sleep.take_over(&mut net);
            net.before_sleep(el);
        });
        let on_timer = net.clone();
        let first = net.borrow().server.cron_interval();
        el.add_timer(first, move |_| Next::After(on_timer.borrow_mut().cron()))
            .map_err(|error| format!("cannot create a timer: {error}"))?;

        let pid_file = PidFile::write(&net.borrow().server.config.process);
        let (places, port) = (listeners.places(), listeners.port());
        net.borrow_mut().server.listeners = Some(Box::new(listeners));
        let serving = Serving { places, port, unix_socket, _pid_file: pid_file, shared, el };
        {
            let server = &mut serving.shared.net.borrow_mut().server;
            (server.backend, server.el) = (serving.el.backend(), Some(serving.el.clone()));
        }
        if serving.shared.net.borrow().server.config.system_port {
            serving.shared.net.borrow_mut().server.set_port(serving.port());
        }
        Ok((serving, watched))
    }

    /// Loads what is to be there before the first request is served; clients that come earlier are told so. False if
    /// the server was told to end meanwhile.
    pub fn load(&self) -> Result<bool, String> {
        self.shared.net.borrow_mut().begin_start()?;
        loop {
            let (failure, goes_on, ends) = {
                let server = &mut self.shared.net.borrow_mut().server;
                (server.failure.take(), server.status.starting, server.shutdown)
            };
            if let Some(failure) = failure {
                return Err(failure);
            }
            if ends || !goes_on {
                return Ok(!ends);
            }
            self.el.run_once(true).map_err(|error| format!("the event loop failed: {error}"))?;
        }
    }

    /// Where it listens, for the operator.
    pub fn places(&self) -> &str {
        &self.places
    }

    /// The port of the first TCP socket; 0 if there is none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the server may be told to restart.
    pub fn allow_restart(&self) {
        self.shared.net.borrow_mut().server.may_restart = true;
    }

    /// Serves until the loop is stopped; then closes everything. If the server is to restart, its sockets stay open.
    pub fn run(self) -> Result<Option<Vec<OwnedFd>>, String> {
        let process = self.shared.net.borrow().server.config.process.clone();
        process::tell_ready(&process);
        let result = self.el.run();
        let sockets = self.sockets_for_restart();
        process::tell_stopping(&process, sockets.is_some());
        self.shared.close();
        if let Some((path, identity)) = &self.unix_socket
            && sockets.is_none()
            && file_identity(path).as_ref() == Some(identity)
        {
            // It may have been removed already.
            let _ = std::fs::remove_file(path);
        }
        result.map_err(|error| format!("the event loop failed: {error}"))?;
        self.shared.net.borrow_mut().server.failure.take().map_or(Ok(()), Err)?;
        sockets.transpose().map_err(|error| format!("cannot hand over the sockets: {error}"))
    }

    fn sockets_for_restart(&self) -> Option<io::Result<Vec<OwnedFd>>> {
        let server = &self.shared.net.borrow().server;
        server.listeners.as_ref().filter(|_| server.restarts).map(|listeners| listeners.copies())
    }
}

/// What ends the server, with what has to be saved before; false if that fails, and the server goes on. None if it is to
/// be called again, since a script runs. To be called by the loop's events.
pub type Ender = Box<dyn Fn(&EventLoop, Ending) -> Option<bool>>;

fn ender(net: &Rc<RefCell<Net>>) -> Ender {
    let net = net.clone();
    Box::new(move |el, ending| {
        let server = &mut net.try_borrow_mut().ok()?.server;
        if server.shutdown {
            // It waits for replicas. Who wants it to end does not want it to run again.
            server.restarts &= ending == Ending::Restart;
            return Some(true);
        }
        let process = &server.config.process;
        let ended = match ending {
            Ending::SigInt => server.shut_down(Shutdown::from_flags(process.on_sigint)),
            Ending::SigTerm => server.shut_down(Shutdown::from_flags(process.on_sigterm)),
            Ending::Owner => server.shut_down(Shutdown { force: true, ..Shutdown::default() }),
            Ending::Restart => server.restart(),
        };
        let ends = ended.is_ok();
        // Otherwise the loop stops when replicas have got everything.
        if ends && !server.waits_for_replicas() {
            el.stop();
        }
        Some(ends)
    })
}

/// Who wants the server to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    SigInt,
    SigTerm,
    /// The program that it is part of.
    Owner,
    /// SIGUSR2: to run again.
    Restart,
}

/// Device and inode.
type FileIdentity = (u64, u64);

/// Tells a file from another that has got its name.
fn file_identity(path: &Path) -> Option<FileIdentity> {
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
