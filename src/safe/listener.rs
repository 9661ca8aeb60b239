//! Listeners.

use super::arguments::{c_string, io_error};
use super::border::guarded;
use super::event_loop::WeakLoop;
use super::socket_options::listening;
#[cfg(feature = "tls")]
use super::tls::TlsContext;
use super::{Connection, EventLoop, SocketOptions};
use crate::abi::ae::*;
use crate::anet;
#[cfg(feature = "tls")]
use crate::connection::tls;
use crate::connection::{Kind, listener};
use crate::event_loop::{self as core_loop, Loop};
use crate::sys::fd;
use core::ffi::{CStr, c_int, c_void};
use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Who connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// Over TCP, from this address.
    Tcp(SocketAddr),
    /// Over a unix socket.
    Unix,
}

impl core::fmt::Display for Peer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix socket"),
        }
    }
}

type Accepted = Box<dyn Fn(Connection, Peer)>;
type Refused = Box<dyn Fn(&str, Peer)>;

/// What the loop's callback needs.
struct Accept {
    per_call: usize,
    callback: Accepted,
    refused: Refused,
    kind: Kind,
    #[cfg(feature = "tls")]
    context: Option<TlsContext>,
}

impl Accept {
    /// How many connections to accept now; None: none for a while.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    fn most(&self, el: Loop) -> Option<usize> {
        #[cfg(feature = "tls")]
        if self.kind == Kind::Tls {
            return tls::accepts(el, self.per_call);
        }
        Some(self.per_call)
    }
}

/// Sockets that listen; closed when dropped.
pub struct Listener {
    el: WeakLoop,
    fds: Vec<c_int>,
    kind: Kind,
    #[cfg(feature = "tls")]
    context: Option<TlsContext>,
    /// The client data of the sockets' events.
    accept: RefCell<Option<Rc<Accept>>>,
}

impl Listener {
    /// Listens on a TCP port of every address: an IPv4 or IPv6 address or a name, `*` for every IPv4 and `::*`
    /// for every IPv6 address; with a `-` in front it may be missing. Fails when one fails, or none is left.
    pub fn tcp<S: AsRef<str>>(el: &EventLoop, addresses: &[S], port: u16, backlog: u32) -> io::Result<Self> {
        Self::new(el, Kind::Tcp).bound(addresses, port, backlog)
    }

    /// The same for connections over TLS, which are handed over after their handshake (see
    /// [`TlsConfig`](crate::TlsConfig)).
    #[cfg(feature = "tls")]
    pub fn tls<S: AsRef<str>>(el: &EventLoop, addresses: &[S], port: u16, backlog: u32) -> io::Result<Self> {
        Self::new(el, Kind::Tls).bound(addresses, port, backlog)
    }

    fn bound<S: AsRef<str>>(self, addresses: &[S], port: u16, backlog: u32) -> io::Result<Self> {
        let mut listening = self;
        let options = anet::SocketOptions { backlog: limit(backlog), ..anet::SocketOptions::default() };
        for address in addresses {
            let address = c_string(address.as_ref())?;
            listening.fds.extend(listener::open_tcp(&address, port.into(), &options)?);
        }
        listening.unless_empty()
    }

    fn unless_empty(self) -> io::Result<Self> {
        if self.fds.is_empty() { Err(io::ErrorKind::AddrNotAvailable.into()) } else { Ok(self) }
    }

    /// Listens on a unix socket, with these permission bits if any. A socket that an earlier process left under that
    /// name is replaced. One that somebody listens on is not, unlike with upstream's listeners and the C API's: that
    /// fails with `AddrInUse`. To find out, it connects to the socket, and closes that connection at once.
    pub fn unix(el: &EventLoop, path: &Path, permissions: Option<u32>, backlog: u32) -> io::Result<Self> {
        let path = c_string(path.as_os_str().as_encoded_bytes())?;
        check_not_served(&path)?;
        let mut listening = Self::new(el, Kind::Unix);
        let permissions = permissions.unwrap_or(0) as libc::mode_t;
        listening.fds.push(listener::open_unix(&path, permissions, None, limit(backlog))?);
        Ok(listening)
    }

    /// Listens as the options say on every address: all of them TCP addresses, as [`tcp`](Self::tcp) has them, or all
    /// unix sockets: a path with a slash in it, as [`unix`](Self::unix) has it, or `@` and a name in the abstract
    /// namespace.
    pub fn with_options<S: AsRef<str>>(
        el: &EventLoop,
        addresses: &[S],
        port: u16,
        options: &SocketOptions,
    ) -> io::Result<Self> {
        let mut listening_on = Self::new(el, Kind::Tcp);
        for (index, address) in addresses.iter().enumerate() {
            let address = c_string(address.as_ref())?;
            let kind = if anet::is_unix(&address) { Kind::Unix } else { Kind::Tcp };
            if index > 0 && kind != listening_on.kind {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "TCP and unix sockets want listeners each"));
            }
            listening_on.kind = kind;
            if kind == Kind::Unix && !address.to_bytes().starts_with(b"@") {
                check_not_served(&address)?;
            }
            listening_on.fds.extend(options.with_core(|options| {
                let options = listening(options);
                match kind {
                    Kind::Unix => listener::open_unix_with(&address, &options).map(Some),
                    _ => listener::open_tcp(&address, port.into(), &options),
                }
            })?);
        }
        listening_on.unless_empty()
    }

    /// Takes over a socket that listens already: one of [`inherited_sockets`], say. Fails for what is none.
    pub fn from_socket(el: &EventLoop, socket: OwnedFd) -> io::Result<Self> {
        if !anet::is_listening(socket.as_raw_fd()).map_err(io_error)? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
        }
        let address = anet::end_address(socket.as_raw_fd(), false).map_err(io_error)?;
        let kind = if address.to_std().is_some() { Kind::Tcp } else { Kind::Unix };
        let mut listening = Self::new(el, kind);
        anet::set_blocking(socket.as_raw_fd(), false).and_then(|()| anet::set_close_on_exec(socket.as_raw_fd()))?;
        listening.fds.push(socket.into_raw_fd());
        Ok(listening)
    }

    /// Makes a TCP listener whose connections are not accepted yet one over TLS.
    #[cfg(feature = "tls")]
    pub fn over_tls(mut self) -> io::Result<Self> {
        if self.kind != Kind::Tcp || self.accept.borrow().is_some() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "TLS is for TCP sockets that nobody accepts from yet",
            ));
        }
        self.kind = Kind::Tls;
        Ok(self)
    }

    /// Gives the connections of a listener over TLS a configuration of their own, instead of the process's: those that
    /// are accepted after the next [`on_accept`](Self::on_accept). Fails for one without a certificate.
    #[cfg(feature = "tls")]
    pub fn with_context(mut self, context: &TlsContext) -> io::Result<Self> {
        context.0.can_accept().map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        self.context = Some(context.clone());
        Ok(self)
    }

    fn new(el: &EventLoop, kind: Kind) -> Self {
        Self {
            el: el.downgrade(),
            fds: Vec::new(),
            kind,
            #[cfg(feature = "tls")]
            context: None,
            accept: RefCell::default(),
        }
    }

    /// Hands every new connection to `callback`, up to `per_call` of them each time a socket is readable. When
    /// the process has no descriptor left for one, the socket rests for a tenth of a second. When it fails, nobody
    /// is accepted from then on, not even by the callback before it.
    pub fn on_accept(&self, per_call: usize, callback: impl Fn(Connection, Peer) + 'static) -> io::Result<()> {
        self.on_accept_or(per_call, callback, |_, _| {})
    }

    /// The same, and tells `refused` of clients whose handshake failed, and why.
    pub fn on_accept_or(
        &self,
        per_call: usize,
        callback: impl Fn(Connection, Peer) + 'static,
        refused: impl Fn(&str, Peer) + 'static,
    ) -> io::Result<()> {
        let el = self.el.upgrade().ok_or(io::ErrorKind::NotConnected)?;
        let accept = Rc::new(Accept {
            per_call: per_call.max(1),
            callback: Box::new(callback),
            refused: Box::new(refused),
            kind: self.kind,
            #[cfg(feature = "tls")]
            context: self.context.clone(),
        });
        let data = Rc::as_ptr(&accept).cast_mut().cast();
        // The one before is dropped only when no event leads to it.
        let before = self.accept.replace(Some(accept));
        for fd in &self.fds {
            let proc = ready as AeFileProc as *mut aeFileProc;
            // SAFETY: the client data lives as long as the event.
            let watched = unsafe { core_loop::create_file_event(el.core(), *fd, AE_READABLE, proc, data) };
            if let Err(errno) = watched {
                self.unwatch();
                return Err(io_error(errno));
            }
        }
        drop(before);
        Ok(())
    }

    fn unwatch(&self) {
        if let Some(el) = self.el.upgrade() {
            for fd in &self.fds {
                core_loop::delete_file_event(el.core(), *fd, AE_READABLE);
            }
        }
    }

    /// The path of the unix socket that it listens on, if it has one.
    pub fn path(&self) -> Option<PathBuf> {
        let path = self.fds.iter().filter(|_| self.kind == Kind::Unix).find_map(|fd| anet::unix_path(*fd))?;
        Some(OsString::from_vec(path.into_bytes()).into())
    }

    /// The sockets that it listens on.
    pub fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        // SAFETY: open until the listener is dropped.
        self.fds.iter().map(|fd| unsafe { BorrowedFd::borrow_raw(*fd) })
    }

    /// The TCP addresses it listens on, with the port that the system picked for port 0.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.fds.iter().filter_map(|fd| anet::end_address(*fd, false).ok()?.to_std()).collect()
    }
}

fn check_not_served(path: &CStr) -> io::Result<()> {
    match listener::is_served(path) {
        Ok(false) => Ok(()),
        Ok(true) => Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens on it")),
        Err(errno) => Err(io_error(errno)),
    }
}

/// The listening sockets that whoever started this process has opened for it, as systemd does for a service with a
/// socket (`LISTEN_FDS` and `LISTEN_PID` in the environment). They are given away once: later calls find none. To be called
/// before the process opens anything: what it opens itself could be taken for one that is missing.
pub fn inherited_sockets() -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Relaxed) {
        return Ok(Vec::new());
    }
    let descriptors = anet::inherited().map_err(io_error)?;
    // SAFETY: they are open, and meant for this process, which gives them away once.
    Ok(descriptors.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }).collect())
}

/// Runs a command, such as the next version of this program, in the place of this process's program, and hands it
/// listening sockets, which it finds by [`inherited_sockets`]: whoever connects meanwhile waits in their queues. No signal
/// is blocked in the new program, and SIGPIPE does there what it does by default; a signal that has been blocked until then
/// comes before.
///
/// Returns only if that fails, and then nothing has changed, except what the command was told to change before it runs, as
/// with [`CommandExt::exec`](std::os::unix::process::CommandExt::exec): the folder, the user, the standard streams.
pub fn exec_with_listeners(command: &mut Command, sockets: &[BorrowedFd<'_>]) -> io::Error {
    let sockets: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    io_error(anet::exec_with_listeners(command, &sockets))
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.unwatch();
        for listening in &self.fds {
            // The descriptor is gone whatever it answers.
            let _ = fd::close(*listening);
        }
    }
}

fn limit(backlog: u32) -> c_int {
    backlog.try_into().unwrap_or(c_int::MAX)
}

unsafe extern "C" fn ready(raw: *mut aeEventLoop, listening: c_int, data: *mut c_void, _mask: c_int) {
    // SAFETY: called by a loop of the safe API with what `on_accept` gave it; a handle keeps that alive while
    // its callback may drop the listener.
    let (el, accept) = unsafe {
        let accept: *const Accept = data.cast();
        Rc::increment_strong_count(accept);
        (EventLoop::of(raw), Rc::from_raw(accept))
    };
    let Some(most) = accept.most(el.core()) else { return listener::rest(el.core(), listening) };
    listener::accept_up_to(el.core(), listening, most, |accepted, peer| {
        let peer = peer.to_std().map_or(Peer::Unix, Peer::Tcp);
        let ready = accept.clone();
        guarded((), || {
            // Else it is closed, which tells the client.
            let _ = Connection::accepted(
                &el,
                accept.kind,
                #[cfg(feature = "tls")]
                accept.context.as_ref().map(|context| context.0.clone()),
                accepted,
                move |result| match result {
                    Ok(conn) => (ready.callback)(conn, peer),
                    Err(why) => (ready.refused)(&why, peer),
                },
            );
        });
    });
}
