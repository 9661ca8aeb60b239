//! Names looked up, and connected to, while the loop goes on.

use super::arguments::{c_string, io_error};
use super::border::guarded;
use super::connection::run_connected;
use super::{Connection, EventLoop, SocketOptions};
use crate::anet::{self, KeptOptions};
use crate::connection::{Host, Kind, connect_by_name};
use crate::event_loop::{self as core_loop, Asker, Loop, Outcome, Request};
use crate::sys::Errno;
use crate::sys::resolve::{Found, Query};
use core::ffi::{c_int, c_void};
use std::io;
use std::net::{IpAddr, TcpStream};
use std::os::fd::FromRawFd;
use std::ptr;

type Resolved = Box<dyn FnOnce(&EventLoop, io::Result<Vec<IpAddr>>)>;
type Connected = Box<dyn FnOnce(&EventLoop, io::Result<TcpStream>)>;

/// What a loop has been asked for and tells later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestId(i64);

impl EventLoop {
    /// Looks up the addresses of a host in a thread of the library's own, while the loop goes on, and calls `callback`
    /// once with what comes out: never before this returns. A numeric address needs no thread. If the loop goes first
    /// the callback is dropped.
    ///
    /// ```
    /// use ae::EventLoop;
    ///
    /// let el = EventLoop::new(64)?;
    /// el.resolve("127.0.0.1", |el, addresses| {
    ///     assert!(addresses.unwrap()[0].is_loopback());
    ///     el.stop();
    /// })?;
    /// el.run()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn resolve(
        &self,
        name: &str,
        callback: impl FnOnce(&Self, io::Result<Vec<IpAddr>>) + 'static,
    ) -> io::Result<RequestId> {
        let name = c_string(name)?;
        let callback: Box<Resolved> = Box::new(Box::new(callback));
        let asker = asker(callback);
        let (query, request) = (Query::default(), Request { done: resolved, forget: forget::<Resolved>, asker });
        // SAFETY: functions for such data, of which one is called once.
        let asked = unsafe { core_loop::resolve(self.core(), name, None, query, request) };
        // SAFETY: not taken over.
        asked.map(RequestId).map_err(|errno| unsafe { refused::<Resolved>(asker, errno) })
    }

    /// Connects to a port of a host while the loop goes on, trying its addresses one after the other, and calls
    /// `callback` once with the socket, which is non-blocking, or with why there is none: never before this returns.
    /// There is no limit in time but the system's; a timer that calls [`cancel`](Self::cancel) sets one. If the loop
    /// goes first the callback is dropped.
    pub fn connect_name(
        &self,
        name: &str,
        port: u16,
        callback: impl FnOnce(&Self, io::Result<TcpStream>) + 'static,
    ) -> io::Result<RequestId> {
        let name = c_string(name)?;
        let options = KeptOptions::new(&anet::without_options())?;
        let callback: Box<Connected> = Box::new(Box::new(callback));
        let asker = asker(callback);
        // SAFETY: functions for such data, of which one is called once.
        let asked = unsafe { connect_by_name(self.core(), name, port, options, connected, forget::<Connected>, asker) };
        // SAFETY: not taken over.
        asked.map(RequestId).map_err(|errno| unsafe { refused::<Connected>(asker, errno) })
    }

    /// Cancels a request, whose callback is dropped; false when it has ended.
    pub fn cancel(&self, id: RequestId) -> bool {
        core_loop::cancel(self.core(), id.0).is_ok()
    }
}

impl Connection {
    /// Starts to connect to a port of a host as the options say, whose name is looked up while the loop goes on; its
    /// addresses are tried one after the other. `connected` is told how it went, never before this returns; if the
    /// loop goes first, with `ECANCELED`. Until then the connection has no descriptor. Its handlers can be set already,
    /// and [`close`](Self::close) ends the attempt: there is no limit in time but the system's. The options' `source` has
    /// to be an address.
    pub fn connect_name(
        el: &EventLoop,
        name: &str,
        port: u16,
        options: &SocketOptions,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect_host(el, Kind::Tcp, name, port, options, connected)
    }

    /// The same to a TLS server; `connected` is told after the handshake.
    #[cfg(feature = "tls")]
    pub fn connect_tls_name(
        el: &EventLoop,
        name: &str,
        port: u16,
        options: &SocketOptions,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect_host(el, Kind::Tls, name, port, options, connected)
    }

    fn connect_host(
        el: &EventLoop,
        kind: Kind,
        name: &str,
        port: u16,
        options: &SocketOptions,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        let name = c_string(name)?;
        Self::connect_by(el, kind, Box::new(connected), |core| {
            options.with_core(|options| {
                core.connect_by_name(&Host { name: &name, port: port.into(), options }, Some(run_connected))
            })
        })
    }
}

fn asker<C>(callback: Box<C>) -> Asker {
    Asker { proc: ptr::null_mut(), data: Box::into_raw(callback).cast::<c_void>() }
}

/// # Safety
/// The asker's data is a `C` that [`asker`] took, and not used afterwards.
unsafe fn callback_of<C>(asker: Asker) -> C {
    // SAFETY: it came from a box.
    *unsafe { Box::from_raw(asker.data.cast::<C>()) }
}

unsafe fn forget<C>(_el: Loop, asker: Asker) {
    // SAFETY: the closure of a request that has been cancelled.
    drop(unsafe { callback_of::<C>(asker) });
}

/// # Safety
/// As for [`callback_of`].
unsafe fn refused<C>(asker: Asker, errno: Errno) -> io::Error {
    // SAFETY: as promised.
    drop(unsafe { callback_of::<C>(asker) });
    io_error(errno)
}

/// Calls the program, unless the loop is being freed: then there is no handle of it any more.
fn tell<T>(el: Loop, callback: impl FnOnce(&EventLoop, io::Result<T>), result: Result<T, anet::Error>) {
    if result.as_ref().is_err_and(|error| error.errno() == Errno::ECANCELED) {
        return;
    }
    // SAFETY: a loop of this type, which runs.
    let el = unsafe { EventLoop::of(el.as_ptr()) };
    guarded((), || callback(&el, result.map_err(io::Error::from)));
}

unsafe fn resolved(el: Loop, asker: Asker, outcome: Outcome) {
    // SAFETY: the closure of this request, once.
    let callback = unsafe { callback_of::<Resolved>(asker) };
    let ips = |found: Vec<_>| {
        let addresses = found.iter().filter_map(|found: &Found| found.address.to_std());
        addresses.map(|address| address.ip()).collect()
    };
    tell(el, callback, outcome.map(ips).map_err(anet::Error::from));
}

unsafe fn connected(el: Loop, asker: Asker, result: Result<c_int, anet::Error>) {
    // SAFETY: the closure of this request, once.
    let callback = unsafe { callback_of::<Connected>(asker) };
    // SAFETY: a connected socket that is the callee's.
    let stream = result.map(|fd| unsafe { TcpStream::from_raw_fd(fd) });
    tell(el, callback, stream);
}
