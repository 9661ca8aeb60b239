//! Connections.

use super::EventLoop;
use super::arguments::{c_string, io_error};
use crate::abi::connect::call_connect;
use crate::abi::connection::*;
use crate::anet;
use crate::connection::{
    self as core_conn,
    types::{TCP, UNIX, writev_function},
};
#[cfg(feature = "tls")]
use crate::connection::{tls, types::TLS};
use crate::sys::{Errno, fd, poll, socket::max_iovecs};
use core::ffi::{CStr, c_int};
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

/// What runs when a connection is readable or writable. One may serve many connections, which it tells apart
/// by what it is called with.
pub type Handler = Rc<dyn Fn(&Connection)>;

type Connected = Box<dyn FnOnce(&Connection, io::Result<()>)>;

/// What the handles of a connection share. The connection's private data leads here.
struct Inner {
    /// NULL once it is closed.
    raw: Cell<*mut connection>,
    read: RefCell<Option<Handler>>,
    write: RefCell<Option<Handler>>,
    connected: Cell<Option<Connected>>,
}

/// A handle of a connection over TCP, a unix socket or TLS; non-blocking and close-on-exec. The connection is closed
/// with the last handle, or by [`close`](Self::close).
#[derive(Clone)]
pub struct Connection(Rc<Inner>);

impl Connection {
    /// Takes over a connection of the core.
    ///
    /// # Safety
    /// `raw` is a live connection of this thread that nobody else owns.
    unsafe fn adopt(raw: *mut connection) -> Self {
        let inner = Rc::new(Inner {
            raw: Cell::new(raw),
            read: RefCell::default(),
            write: RefCell::default(),
            connected: Cell::default(),
        });
        // SAFETY: live, and closed before its Inner is gone.
        unsafe { (*raw).private_data = Rc::as_ptr(&inner).cast_mut().cast() };
        Self(inner)
    }

    /// Hands a connection over an accepted descriptor to `ready` once it is connected: at once, or when its handshake
    /// is over. When that fails it is closed, and `ready` is told why.
    pub(super) fn accepted(
        el: &EventLoop,
        ct: &'static ConnectionType,
        fd: c_int,
        ready: impl FnOnce(Result<Self, String>) + 'static,
    ) -> io::Result<()> {
        let created = create(el, ct, fd, CONN_STATE_ACCEPTING);
        let raw = created.inspect_err(|_| _ = fd::close(fd)).map_err(io_error)?;
        // SAFETY: new, and ours alone.
        let conn = unsafe { Self::adopt(raw.as_ptr()) };
        let kept = conn.clone();
        let told = move |_: &Self, result: io::Result<()>| match result {
            Ok(()) => ready(Ok(kept)),
            Err(_) => ready(Err(kept.last_error())),
        };
        conn.0.connected.set(Some(Box::new(told)));
        // SAFETY: live while it is not closed; the closure keeps it until it has run.
        let accepted = conn.call(|raw| unsafe { Some((*(*raw).r#type).accept?(raw, Some(run_connected))) });
        match accepted {
            Ok(_) => {}
            Err(error) if conn.is_open() => {
                if let Some(told) = conn.0.connected.take() {
                    told(&conn, Err(error));
                }
                conn.close();
            }
            // `ready` has closed it, and its memory is left to whoever called accept.
            // SAFETY: it is there until this closes it.
            Err(_) => unsafe { close(raw.as_ptr()) },
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
        Self::connect(el, &TLS, &c_string(host)?, port, Box::new(connected))
    }

    /// Why the last operation failed, in words: of TLS the system's error says little.
    pub fn last_error(&self) -> String {
        // SAFETY: live while it is not closed; the text is read before anything else happens to it.
        let text = unsafe {
            let raw = self.0.raw.get();
            raw.as_ref().and_then(|conn| (*conn.r#type).get_last_error).map(|get| get(raw))
        };
        match text {
            // SAFETY: a string of the connection's.
            Some(text) if !text.is_null() => unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned(),
            _ => String::new(),
        }
    }

    /// Starts to connect to a TCP port; `connected` is told how it went.
    pub fn connect_tcp(
        el: &EventLoop,
        host: &str,
        port: u16,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect(el, &TCP, &c_string(host)?, port, Box::new(connected))
    }

    /// Starts to connect to a unix socket; `connected` is told how it went.
    pub fn connect_unix(
        el: &EventLoop,
        path: &Path,
        connected: impl FnOnce(&Self, io::Result<()>) + 'static,
    ) -> io::Result<Self> {
        Self::connect(el, &UNIX, &c_string(path.as_os_str().as_encoded_bytes())?, 0, Box::new(connected))
    }

    fn connect(
        el: &EventLoop,
        ct: &'static ConnectionType,
        address: &CStr,
        port: u16,
        connected: Connected,
    ) -> io::Result<Self> {
        let raw = create(el, ct, -1, CONN_STATE_NONE).map_err(io_error)?;
        // SAFETY: new, and ours alone.
        let conn = unsafe { Self::adopt(raw.as_ptr()) };
        conn.0.connected.set(Some(connected));
        // SAFETY: live while it is not closed; the address is a string.
        conn.call(|raw| unsafe {
            let connect = (*(*raw).r#type).connect?;
            Some(call_connect(connect, raw, address.as_ptr(), port.into(), ptr::null(), Some(run_connected)))
        })?;
        Ok(conn)
    }

    /// Calls a function of the connection's table that returns -1 with errno, or does not exist. The table is how one
    /// type is told from another, and its functions are C's: errno is the only way in which they say why.
    fn call<T: PartialEq + From<i8>>(&self, function: impl FnOnce(*mut connection) -> Option<T>) -> io::Result<T> {
        let raw = checked(self.0.raw.get())?;
        match function(raw) {
            Some(result) if result == T::from(-1) => Err(io_error(Errno::last())),
            Some(result) => Ok(result),
            None => Err(io_error(Errno::EOPNOTSUPP)),
        }
    }

    /// Reads; 0 when the peer has closed. `WouldBlock` when there is nothing yet.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        // SAFETY: live while it is not closed; the buffer is as long as said.
        self.transfer(|raw| unsafe { Some((*(*raw).r#type).read?(raw, buf.as_mut_ptr().cast(), buf.len())) })
    }

    /// Reads up to `max` bytes to the end of `buf`, into capacity that it has to spare; 0 when the peer has closed, or
    /// when there is no such room. `WouldBlock` when there is nothing yet.
    pub fn read_to_end_of(&self, buf: &mut Vec<u8>, max: usize) -> io::Result<usize> {
        let room = buf.spare_capacity_mut();
        let (room, len) = (room.as_mut_ptr(), room.len().min(max));
        // SAFETY: live while it is not closed; the room is as long as said.
        let count = self.transfer(|raw| unsafe { Some((*(*raw).r#type).read?(raw, room.cast(), len)) })?;
        // SAFETY: the type has written so many bytes there, which are at most as many as there is room for.
        unsafe { buf.set_len(buf.len() + count.min(len)) };
        Ok(count)
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
        // SAFETY: live while it is not closed; the data is as long as said.
        self.transfer(|raw| unsafe { Some((*(*raw).r#type).write?(raw, data.as_ptr().cast(), data.len())) })
    }

    /// Writes from several buffers, as many as the system takes at once.
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        // SAFETY: live while it is not closed; IoSlice has the layout of iovec.
        self.transfer(|raw| unsafe {
            let writev = writev_function(&*(*raw).r#type)?;
            Some(writev(raw, bufs.as_ptr().cast(), bufs.len().min(max_iovecs().into()) as c_int))
        })
    }

    /// [`call`](Self::call) for what does not concern the loop.
    fn transfer(&self, function: impl FnOnce(*mut connection) -> Option<c_int>) -> io::Result<usize> {
        match function(checked(self.0.raw.get())?) {
            Some(count) => usize::try_from(count).map_err(|_| io_error(Errno::last())),
            None => Err(io_error(Errno::EOPNOTSUPP)),
        }
    }

    /// Runs `handler` whenever there is something to read or the peer has closed; None: no longer.
    pub fn set_read_handler(&self, handler: Option<Handler>) -> io::Result<()> {
        let function: ConnectionCallbackFunc = if handler.is_some() { Some(run_read) } else { None };
        let before = self.0.read.replace(handler);
        // SAFETY: live while it is not closed.
        let set = self.call(|raw| unsafe { Some((*(*raw).r#type).set_read_handler?(raw, function)) });
        if set.is_err() {
            self.0.read.replace(before);
        }
        set.map(drop)
    }

    /// Runs `handler` whenever the socket takes more; None: no longer.
    pub fn set_write_handler(&self, handler: Option<Handler>) -> io::Result<()> {
        let function: ConnectionCallbackFunc = if handler.is_some() { Some(run_write) } else { None };
        let before = self.0.write.replace(handler);
        // SAFETY: live while it is not closed.
        let set = self.call(|raw| unsafe { Some((*(*raw).r#type).set_write_handler?(raw, function, 0)) });
        if set.is_err() {
            self.0.write.replace(before);
        }
        set.map(drop)
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
        !self.0.raw.get().is_null()
    }

    /// Its descriptor, -1 once it is closed.
    pub fn fd(&self) -> RawFd {
        // SAFETY: live while it is not closed.
        unsafe { self.0.raw.get().as_ref() }.map_or(-1, |raw| raw.fd)
    }

    /// Its type: "tcp", "unix" or "tls"; "" once it is closed.
    pub fn kind(&self) -> &'static str {
        // SAFETY: live while it is not closed.
        match unsafe { self.0.raw.get().as_ref() } {
            Some(raw) if ptr::eq(raw.r#type, &UNIX) => "unix",
            #[cfg(feature = "tls")]
            Some(raw) if ptr::eq(raw.r#type, &TLS) => "tls",
            Some(_) => "tcp",
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
        let raw = self.raw.replace(ptr::null_mut());
        if !raw.is_null() {
            // SAFETY: it was live, and its last pointer is this one. Inside a handler it is freed after that.
            unsafe { close(raw) };
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

/// A new connection of a built-in type; in `CONN_STATE_ACCEPTING` over an accepted descriptor.
fn create(
    el: &EventLoop,
    ct: &'static ConnectionType,
    fd: c_int,
    state: ConnectionState,
) -> Result<core_conn::Conn, Errno> {
    let el = Some(el.core());
    #[cfg(feature = "tls")]
    let created = match (ptr::eq(ct, &TLS), state) {
        (true, CONN_STATE_ACCEPTING) => tls::create_accepted(ct, el, fd, None),
        (true, _) => tls::create(ct, el),
        (false, _) => core_conn::create(ct, el, fd, state),
    };
    #[cfg(not(feature = "tls"))]
    let created = core_conn::create(ct, el, fd, state);
    created.inspect(|conn| core_conn::make_safe_apis(*conn))
}

/// Closes a connection by its type's function.
///
/// # Safety
/// `raw` is a live connection, which is not used afterwards.
unsafe fn close(raw: *mut connection) {
    // SAFETY: live until this closes it.
    unsafe {
        if let Some(close) = (*(*raw).r#type).close {
            close(raw);
        }
    }
}

/// A connection that is not closed.
fn checked(raw: *mut connection) -> io::Result<*mut connection> {
    if raw.is_null() { Err(io_error(Errno::EBADF)) } else { Ok(raw) }
}

unsafe extern "C" fn run_read(raw: *mut connection) {
    // SAFETY: called with a connection of this type.
    let conn = unsafe { Connection::of(raw) };
    let handler = conn.0.read.borrow().clone();
    if let Some(handler) = handler {
        handler(&conn);
    }
}

unsafe extern "C" fn run_write(raw: *mut connection) {
    // SAFETY: called with a connection of this type.
    let conn = unsafe { Connection::of(raw) };
    let handler = conn.0.write.borrow().clone();
    if let Some(handler) = handler {
        handler(&conn);
    }
}

unsafe extern "C" fn run_connected(raw: *mut connection) {
    // SAFETY: called with a connection of this type.
    let (conn, state, errno) = unsafe { (Connection::of(raw), (*raw).state, (*raw).last_errno) };
    let result = if state == CONN_STATE_CONNECTED { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) };
    if let Some(connected) = conn.0.connected.take() {
        connected(&conn, result);
    }
}
