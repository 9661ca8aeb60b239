//! Connections.

use super::arguments::{c_string, io_error};
use super::border::guarded;
#[cfg(feature = "tls")]
use super::tls::{TlsContext, TlsInfo};
use super::{EventLoop, SocketOptions};
use crate::abi::ae::{AE_READABLE, AE_WRITABLE};
use crate::abi::connection::*;
use crate::anet;
#[cfg(feature = "tls")]
use crate::connection::tls::{OwnContext, established};
use crate::connection::{AnyConn, Conn, Kind, make_safe_apis, wait_tcp};
use crate::event_loop::wait;
use crate::sys::{Errno, fd, poll};
use core::ffi::{CStr, c_int};
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::rc::Rc;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;

/// What runs when a connection is readable or writable. One may serve many connections, which it tells apart
/// by what it is called with.
pub type Handler = Rc<dyn Fn(&Connection)>;

pub(super) type Connected = Box<dyn FnOnce(&Connection, io::Result<()>)>;

/// What the handles of a connection share. The connection's private data leads here.
struct Inner {
    /// None once it is closed.
    core: Cell<Option<AnyConn>>,
    read: RefCell<Option<Handler>>,
    write: RefCell<Option<Handler>>,
    connected: Cell<Option<Connected>>,
}

/// Who is at the other end of a unix socket: the process that connected, or for the one that connected the process that
/// listened, and its user and group at that time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerCredentials {
    /// None where the system does not tell. It may have ended, and its number be another's.
    pub process: Option<u32>,
    /// The effective user.
    pub user: u32,
    /// The effective group.
    pub group: u32,
}

/// A handle of a connection over TCP, a unix socket or TLS; non-blocking and close-on-exec. The connection is closed
/// with the last handle, or by [`close`](Self::close).
#[derive(Clone)]
pub struct Connection(Rc<Inner>);

impl Connection {
    /// A new connection, over the descriptor that was accepted or to be connected, and its first handle.
    fn create(el: &EventLoop, kind: Kind, accepted: Option<c_int>) -> Result<(Self, AnyConn), Errno> {
        let core = AnyConn::create(kind, el.core(), accepted)?;
        make_safe_apis(*core);
        let inner = Rc::new(Inner {
            core: Cell::new(Some(core)),
            read: RefCell::default(),
            write: RefCell::default(),
            connected: Cell::default(),
        });
        core.set_private_data(Rc::as_ptr(&inner).cast_mut().cast());
        Ok((Self(inner), core))
    }

    /// Hands a connection over an accepted descriptor to `ready` once it is connected: at once, or when its handshake
    /// is over. When that fails it is closed, and `ready` is told why.
    pub(super) fn accepted(
        el: &EventLoop,
        kind: Kind,
        #[cfg(feature = "tls")] context: Option<Arc<OwnContext>>,
        fd: c_int,
        ready: impl FnOnce(Result<Self, String>) + 'static,
    ) -> io::Result<()> {
        let created = Self::create(el, kind, Some(fd));
        let (conn, core) = created.inspect_err(|_| _ = fd::close(fd)).map_err(io_error)?;
        let kept = conn.clone();
        let told = move |_: &Self, result: io::Result<()>| match result {
            Ok(()) => ready(Ok(kept)),
            Err(_) => ready(Err(kept.last_error())),
        };
        conn.0.connected.set(Some(Box::new(told)));
        #[cfg(feature = "tls")]
        let begun = core.choose(context).and_then(|()| core.accept(Some(run_connected)));
        #[cfg(not(feature = "tls"))]
        let begun = core.accept(Some(run_connected));
        match begun {
            Ok(true) => {}
            // SAFETY: `ready` has closed it, and its memory is left to whoever called accept. Nobody else has it.
            Ok(false) => unsafe { core.close() },
            Err(errno) => {
                if let Some(told) = conn.0.connected.take() {
                    told(&conn, Err(io_error(errno)));
                }
                conn.close();
            }
        }
        Ok(())
    }

    /// Starts to connect to a TLS server; `connected` is told how it went, after the handshake.
    #[cfg(feature = "tls")]
    pub fn connect_tls(
        el: &EventLoop,
        host: &str,
        port: u16,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect(el, Kind::Tls, &c_string(host)?, port, Box::new(connected))
    }

    /// The same with a configuration of its own, instead of the process's.
    #[cfg(feature = "tls")]
    pub fn connect_tls_with(
        el: &EventLoop,
        context: &TlsContext,
        host: &str,
        port: u16,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        let (conn, core) = Self::create(el, Kind::Tls, None).map_err(io_error)?;
        core.choose(Some(context.0.clone())).map_err(io_error)?;
        let host = c_string(host)?;
        conn.begin_connect(core, Box::new(connected), |core| {
            core.connect(&host, port, Some(run_connected)).map_err(|error| io_error(error.errno()))
        })
    }

    /// What a connection over TLS has negotiated; None for another one, and before the handshake is over.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<TlsInfo> {
        let AnyConn::Tls(core) = self.0.core.get()? else { return None };
        // SAFETY: nothing happens to the connection before the answer is made.
        unsafe { established(core) }.ok().map(|established| TlsInfo::of(&established))
    }

    /// Why the last operation failed, in words: of TLS the system's error says little.
    pub fn last_error(&self) -> String {
        self.0.core.get().map_or_else(String::new, AnyConn::last_error)
    }

    /// Starts to connect to a TCP port; `connected` is told how it went.
    pub fn connect_tcp(
        el: &EventLoop,
        host: &str,
        port: u16,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect(el, Kind::Tcp, &c_string(host)?, port, Box::new(connected))
    }

    /// Starts to connect to a unix socket; `connected` is told how it went.
    pub fn connect_unix(
        el: &EventLoop,
        path: &Path,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect(el, Kind::Unix, &c_string(path.as_os_str().as_encoded_bytes())?, 0, Box::new(connected))
    }

    /// Connects to a TCP port and waits for that, for at most `timeout`: the loop serves nobody meanwhile. `TimedOut` when
    /// it is over. Host names are looked up first, which takes the time that it takes.
    pub fn connect_tcp_within(el: &EventLoop, host: &str, port: u16, timeout: Duration) -> io::Result<Self> {
        let host = c_string(host)?;
        let (conn, core) = Self::create(el, Kind::Tcp, None).map_err(io_error)?;
        wait_tcp(*core, Some(&host), port.into(), milliseconds(timeout)).map_err(io_error)?;
        Ok(conn)
    }

    /// Waits until there is something to read, or the peer has closed, for at most `timeout`: the loop serves nobody
    /// meanwhile. `TimedOut` when it is over. To be called after a read that would have blocked.
    pub fn wait_readable(&self, timeout: Duration) -> io::Result<()> {
        self.wait(AE_READABLE, timeout)
    }

    /// The same until the socket takes more.
    pub fn wait_writable(&self, timeout: Duration) -> io::Result<()> {
        self.wait(AE_WRITABLE, timeout)
    }

    fn wait(&self, mask: c_int, timeout: Duration) -> io::Result<()> {
        match wait(self.core().map_err(io_error)?.fd(), mask, milliseconds(timeout)) {
            Ok(0) => Err(io_error(Errno::ETIMEDOUT)),
            // Whoever waits looks whether it may go on.
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(io_error(errno)),
        }
    }

    /// Starts to connect as the options say: to a TCP port, or to a unix socket, whose address is a path with a slash
    /// in it or `@` and a name in the abstract namespace. `connected` is told how it went.
    pub fn connect_with(
        el: &EventLoop,
        address: &str,
        port: u16,
        options: &SocketOptions,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        let address = c_string(address)?;
        let kind = if anet::is_unix(&address) { Kind::Unix } else { Kind::Tcp };
        Self::connect_by(el, kind, Box::new(connected), |core| {
            options.with_core(|options| core.connect_with(&address, port.into(), options, Some(run_connected)))
        })
    }

    /// The same to a TLS server; `connected` is told after the handshake.
    #[cfg(feature = "tls")]
    pub fn connect_tls_with_options(
        el: &EventLoop,
        host: &str,
        port: u16,
        options: &SocketOptions,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        let host = c_string(host)?;
        Self::connect_by(el, Kind::Tls, Box::new(connected), |core| {
            options.with_core(|options| core.connect_with(&host, port.into(), options, Some(run_connected)))
        })
    }

    fn connect(el: &EventLoop, kind: Kind, address: &CStr, port: u16, connected: Connected) -> io::Result<Self> {
        Self::connect_by(el, kind, connected, |core| {
            core.connect(address, port, Some(run_connected)).map_err(|error| io_error(error.errno()))
        })
    }

    pub(super) fn connect_by(
        el: &EventLoop,
        kind: Kind,
        connected: Connected,
        start: impl FnOnce(AnyConn) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (conn, core) = Self::create(el, kind, None).map_err(io_error)?;
        conn.begin_connect(core, connected, start)
    }

    fn begin_connect(
        self,
        core: AnyConn,
        connected: Connected,
        start: impl FnOnce(AnyConn) -> io::Result<()>,
    ) -> io::Result<Self> {
        self.0.connected.set(Some(connected));
        start(core)?;
        Ok(self)
    }

    /// The core's connection, while it is not closed.
    #[inline]
    fn core(&self) -> Result<AnyConn, Errno> {
        self.0.core.get().ok_or(Errno::EBADF)
    }

    /// Reads; 0 when the peer has closed. `WouldBlock` when there is nothing yet.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.core().and_then(|core| core.read(buf)).map_err(io_error)
    }

    /// Reads up to `max` bytes to the end of `buf`, into capacity that it has to spare; 0 when the peer has closed, or
    /// when there is no such room. `WouldBlock` when there is nothing yet.
    pub fn read_to_end_of(&self, buf: &mut Vec<u8>, max: usize) -> io::Result<usize> {
        self.core().and_then(|core| core.read_to_end_of(buf, max)).map_err(io_error)
    }

    /// Whether the peer will send nothing more: it has closed the connection, or its sending half of it. What it has
    /// sent before may still wait to be read. Systems other than Linux tell only of a connection that is closed on both
    /// sides.
    pub fn peer_has_finished(&self) -> bool {
        let mut entry = [libc::pollfd { fd: self.fd(), events: poll::PEER_FINISHED, revents: 0 }];
        poll::poll(&mut entry, 0).is_ok_and(|ready| ready > 0)
    }

    /// Writes; returns how much was taken. `WouldBlock` when the socket is full: over TLS the next call has to bring
    /// the same bytes again, since they have been encrypted; others in their place are lost.
    pub fn write(&self, data: &[u8]) -> io::Result<usize> {
        self.core().and_then(|core| core.write(data)).map_err(io_error)
    }

    /// Writes from several buffers, as many as the system takes at once.
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.core().and_then(|core| core.write_vectored(bufs)).map_err(io_error)
    }

    /// Runs `handler` whenever there is something to read or the peer has closed; None: no longer.
    pub fn set_read_handler(&self, handler: Option<Handler>) -> io::Result<()> {
        let function: ConnectionCallbackFunc = if handler.is_some() { Some(run_read) } else { None };
        let before = self.0.read.replace(handler);
        let set = self.core().and_then(|core| core.set_read_handler(function));
        if set.is_err() {
            self.0.read.replace(before);
        }
        set.map_err(io_error)
    }

    /// Runs `handler` whenever the socket takes more; None: no longer.
    pub fn set_write_handler(&self, handler: Option<Handler>) -> io::Result<()> {
        let function: ConnectionCallbackFunc = if handler.is_some() { Some(run_write) } else { None };
        let before = self.0.write.replace(handler);
        let set = self.core().and_then(|core| core.set_write_handler(function));
        if set.is_err() {
            self.0.write.replace(before);
        }
        set.map_err(io_error)
    }

    /// Closes the connection; its handlers no longer run.
    pub fn close(&self) {
        self.0.close();
        // Taken out first: what a closure owns may be a handle of this connection.
        let handlers = (self.0.read.take(), self.0.write.take(), self.0.connected.take());
        drop(handlers);
    }

    /// Whether it has not been closed on this side.
    pub fn is_open(&self) -> bool {
        self.0.core.get().is_some()
    }

    /// Its descriptor, -1 once it is closed. There is no `AsFd`: any handle may close it, whoever has borrowed it.
    pub fn fd(&self) -> RawFd {
        self.0.core.get().map_or(-1, |core| core.fd())
    }

    /// Its type: "tcp", "unix" or "tls"; "" once it is closed.
    pub fn kind(&self) -> &'static str {
        match self.0.core.get().map(AnyConn::kind) {
            Some(Kind::Tcp) => "tcp",
            Some(Kind::Unix) => "unix",
            #[cfg(feature = "tls")]
            Some(Kind::Tls) => "tls",
            None => "",
        }
    }

    /// The peer's address: `ip:port`, `[ip]:port`, or `/unixsocket:0`.
    pub fn peer_addr(&self) -> io::Result<String> {
        self.address(true)
    }

    /// This end's address: `ip:port`, `[ip]:port`, or `/unixsocket:0`.
    pub fn local_addr(&self) -> io::Result<String> {
        self.address(false)
    }

    fn address(&self, remote: bool) -> io::Result<String> {
        anet::end_address(self.fd(), remote).map(|end| end.to_string()).map_err(io_error)
    }

    /// Whether the peer is on this machine.
    pub fn is_local(&self) -> bool {
        anet::end_address(self.fd(), true).is_ok_and(|end| end.is_loopback())
    }

    /// Sends small segments at once, or gathers them.
    pub fn set_tcp_no_delay(&self, on: bool) -> io::Result<()> {
        Ok(anet::set_tcp_no_delay(self.fd(), on)?)
    }

    /// Acknowledges what comes at once, or later together with data if there is some. The system changes that by
    /// itself: with the first reply it goes back to acknowledging later. Linux.
    pub fn set_quick_ack(&self, on: bool) -> io::Result<()> {
        Ok(anet::set_quick_ack(self.fd(), on)?)
    }

    /// Who is at the other end of a unix socket; for TCP `EOPNOTSUPP`.
    pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
        let peer = anet::peer_credentials(self.fd()).map_err(io_error)?;
        let process = u32::try_from(peer.process).ok().filter(|process| *process != 0);
        Ok(PeerCredentials { process, user: peer.user, group: peer.group })
    }

    /// Probes a peer after so much silence, in whole seconds, at least one.
    pub fn set_keep_alive(&self, interval: Duration) -> io::Result<()> {
        let seconds = interval.as_secs().clamp(1, c_int::MAX as u64);
        Ok(anet::set_keep_alive(self.fd(), seconds as c_int)?)
    }

    /// The handle of a connection that called us.
    ///
    /// # Safety
    /// `raw` is a live connection made by this type.
    unsafe fn of(raw: *mut connection) -> Self {
        // SAFETY: a connection that is not closed has a handle, so its Inner is alive.
        unsafe {
            let inner: *const Inner = (*raw).private_data.cast();
            Rc::increment_strong_count(inner);
            Self(Rc::from_raw(inner))
        }
    }
}

impl Inner {
    fn close(&self) {
        if let Some(core) = self.core.take() {
            // SAFETY: the last copy of its handle is this one. Inside a handler it is freed after that.
            unsafe { core.close() };
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl AsRawFd for Connection {
    fn as_raw_fd(&self) -> RawFd {
        self.fd()
    }
}

/// As [`Connection::read`]: it never waits.
impl Read for &Connection {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Connection::read(self, buf)
    }
}

/// Rounded up, so that no wait is too short.
fn milliseconds(time: Duration) -> i64 {
    time.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i64::MAX)
}

/// As [`Connection::write`]: it never waits, and keeps nothing that would have to be flushed.
impl Write for &Connection {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Connection::write(self, data)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Connection::write_vectored(self, bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As for a reference.
impl Read for Connection {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Connection::read(self, buf)
    }
}

/// As for a reference.
impl Write for Connection {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        Connection::write(self, data)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Connection::write_vectored(self, bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

unsafe extern "C" fn run_read(raw: *mut connection) {
    // SAFETY: called with a connection of this type.
    let conn = unsafe { Connection::of(raw) };
    let handler = conn.0.read.borrow().clone();
    if let Some(handler) = handler {
        guarded((), || handler(&conn));
    }
}

unsafe extern "C" fn run_write(raw: *mut connection) {
    // SAFETY: called with a connection of this type.
    let conn = unsafe { Connection::of(raw) };
    let handler = conn.0.write.borrow().clone();
    if let Some(handler) = handler {
        guarded((), || handler(&conn));
    }
}

pub(super) unsafe extern "C" fn run_connected(raw: *mut connection) {
    // SAFETY: called with a connection of this type.
    let (conn, core) = unsafe { (Connection::of(raw), Conn::new(raw)) };
    let result = match core.state() {
        CONN_STATE_CONNECTED => Ok(()),
        _ => Err(io::Error::from_raw_os_error(core.last_errno())),
    };
    if let Some(connected) = conn.0.connected.take() {
        guarded((), || connected(&conn, result));
    }
}
