//! Connections of the built-in types as Rust uses them. The functions are chosen here instead of in the type's table,
//! and tell with a `Result` why they fail; the table's functions run the very same ones.

use super::conn_by_name::{Host, connect_tcp_by_name};
use super::handle::Conn;
#[cfg(feature = "tls")]
use super::tls::{self, OwnContext, TlsConn};
#[cfg(feature = "tls")]
use super::types::TLS;
use super::types::{TCP, UNIX};
use super::{connecting, lifecycle, socket_data, socket_events};
use crate::abi::connection::*;
use crate::anet::{Error, SocketOptions};
use crate::event_loop::Loop;
use crate::sys::Errno;
use crate::sys::socket::max_iovecs;
use crate::sys::text::{ERROR_TEXT_LEN, error_text_into};
use core::ffi::{CStr, c_int};
use core::ops::Deref;
use core::ptr;
use std::io::IoSlice;
#[cfg(feature = "tls")]
use std::sync::Arc;

/// A built-in type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tcp,
    Unix,
    #[cfg(feature = "tls")]
    Tls,
}

/// The handle of a connection of any built-in type; see [`Conn`].
#[derive(Clone, Copy)]
pub(crate) enum AnyConn {
    Tcp(Conn),
    Unix(Conn),
    #[cfg(feature = "tls")]
    Tls(TlsConn),
}

impl Deref for AnyConn {
    type Target = Conn;

    #[inline]
    fn deref(&self) -> &Conn {
        match self {
            Self::Tcp(conn) | Self::Unix(conn) => conn,
            #[cfg(feature = "tls")]
            Self::Tls(conn) => conn,
        }
    }
}

impl AnyConn {
    /// A new connection of the loop `el`: over the descriptor that was accepted, or to be connected.
    pub(crate) fn create(kind: Kind, el: Loop, accepted: Option<c_int>) -> Result<Self, Errno> {
        let (fd, state) = accepted.map_or((-1, CONN_STATE_NONE), |fd| (fd, CONN_STATE_ACCEPTING));
        match kind {
            Kind::Tcp => lifecycle::create(&TCP, Some(el), fd, state).map(Self::Tcp),
            Kind::Unix => lifecycle::create(&UNIX, Some(el), fd, state).map(Self::Unix),
            #[cfg(feature = "tls")]
            Kind::Tls => match accepted {
                Some(fd) => tls::create_accepted(&TLS, Some(el), fd, None),
                None => tls::create(&TLS, Some(el)),
            }
            .map(Self::Tls),
        }
    }

    /// Gives a connection over TLS settings of its own, before it connects or its accept begins; None: the process's.
    #[cfg(feature = "tls")]
    pub(crate) fn choose(self, context: Option<Arc<OwnContext>>) -> Result<(), Errno> {
        match (self, context) {
            (Self::Tls(conn), Some(context)) => tls::choose(conn, context),
            _ => Ok(()),
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Tcp(_) => Kind::Tcp,
            Self::Unix(_) => Kind::Unix,
            #[cfg(feature = "tls")]
            Self::Tls(_) => Kind::Tls,
        }
    }

    /// The handle of a connection whose type is built in.
    pub(crate) fn of(conn: Conn) -> Option<Self> {
        let is = |ct: &'static ConnectionType| ptr::eq(conn.r#type(), ct);
        #[cfg(feature = "tls")]
        if is(&TLS) {
            // SAFETY: as live as the handle, and of that type.
            return Some(Self::Tls(unsafe { TlsConn::new(conn.as_ptr()) }));
        }
        match () {
            () if is(&TCP) => Some(Self::Tcp(conn)),
            () if is(&UNIX) => Some(Self::Unix(conn)),
            () => None,
        }
    }

    /// Starts to connect to a host, or to the path of a unix socket.
    pub(crate) fn connect(self, address: &CStr, port: u16, handler: ConnectionCallbackFunc) -> Result<(), Error> {
        let (address, port) = (Some(address), port.into());
        match self {
            Self::Tcp(conn) => connecting::connect_tcp(conn, address, port, None, false, handler),
            Self::Unix(conn) => connecting::connect_unix(conn, address, handler),
            #[cfg(feature = "tls")]
            Self::Tls(conn) => {
                tls::connect(conn, address, |conn| connecting::connect_tcp(conn, address, port, None, false, handler))
            }
        }
    }

    /// The same as the options say; an `@` and a name are a unix socket in the abstract namespace.
    pub(crate) fn connect_with(
        self,
        address: &CStr,
        port: c_int,
        options: &SocketOptions<'_>,
        handler: ConnectionCallbackFunc,
    ) -> Result<(), Error> {
        match self {
            Self::Tcp(conn) => connecting::connect_tcp_with(conn, address, port, options, handler),
            Self::Unix(conn) => connecting::connect_unix_with(conn, address, options, handler),
            #[cfg(feature = "tls")]
            Self::Tls(conn) => tls::connect(conn, Some(address), |conn| {
                connecting::connect_tcp_with(conn, address, port, options, handler)
            }),
        }
    }

    /// Starts to connect to a host by its name while the loop goes on; `EOPNOTSUPP` for a unix socket, which has none.
    pub(crate) fn connect_by_name(self, host: &Host<'_>, handler: ConnectionCallbackFunc) -> Result<(), Error> {
        match self {
            Self::Tcp(conn) => connect_tcp_by_name(conn, host, handler),
            Self::Unix(_) => Err(Error::new("name of a unix socket's host", Errno::EOPNOTSUPP)),
            #[cfg(feature = "tls")]
            Self::Tls(conn) => tls::connect_by_name(conn, host, handler),
        }
    }

    /// Ends the accept, at once or after a handshake; then the handler runs, possibly in here. Ok(false) when it has
    /// closed the connection in here: then the caller closes it once more, which frees it.
    pub(crate) fn accept(self, handler: ConnectionCallbackFunc) -> Result<bool, Errno> {
        match self {
            Self::Tcp(conn) | Self::Unix(conn) => lifecycle::accept(conn, handler),
            #[cfg(feature = "tls")]
            Self::Tls(conn) => tls::accept(conn, handler),
        }
    }

    /// Reads; 0 is the end, or there was no room.
    #[inline]
    pub(crate) fn read(self, room: &mut [u8]) -> Result<usize, Errno> {
        // SAFETY: the slice is as long as said.
        unsafe { self.read_raw(room.as_mut_ptr(), room.len()) }
    }

    /// Reads up to `max` bytes to the end of `buf`, into capacity that it has to spare.
    #[inline]
    pub(crate) fn read_to_end_of(self, buf: &mut Vec<u8>, max: usize) -> Result<usize, Errno> {
        let room = buf.spare_capacity_mut();
        let (room, len) = (room.as_mut_ptr(), room.len().min(max));
        // SAFETY: the room is as long as said.
        let count = unsafe { self.read_raw(room.cast(), len)? };
        // SAFETY: so many bytes have been written there, which are at most as many as there is room for.
        unsafe { buf.set_len(buf.len() + count.min(len)) };
        Ok(count)
    }

    /// # Safety
    /// `room` has room for `len` bytes.
    #[inline]
    unsafe fn read_raw(self, room: *mut u8, len: usize) -> Result<usize, Errno> {
        match self {
            // SAFETY: that much room.
            Self::Tcp(conn) | Self::Unix(conn) => unsafe { socket_data::read(conn, room.cast(), len) },
            #[cfg(feature = "tls")]
            // SAFETY: that much room.
            Self::Tls(conn) => unsafe { tls::read(conn, room.cast(), len) },
        }
    }

    /// Writes; returns how much was taken.
    #[inline]
    pub(crate) fn write(self, data: &[u8]) -> Result<usize, Errno> {
        let (data, len) = (data.as_ptr().cast(), data.len());
        match self {
            // SAFETY: a slice of that length.
            Self::Tcp(conn) | Self::Unix(conn) => unsafe { socket_data::write(conn, data, len) },
            #[cfg(feature = "tls")]
            // SAFETY: a slice of that length.
            Self::Tls(conn) => unsafe { tls::write(conn, data, len) },
        }
    }

    /// Writes from several buffers, as many as the system takes at once; returns how much was taken.
    #[inline]
    pub(crate) fn write_vectored(self, bufs: &[IoSlice<'_>]) -> Result<usize, Errno> {
        let (iov, count) = (bufs.as_ptr().cast(), bufs.len().min(max_iovecs().into()) as c_int);
        match self {
            // SAFETY: at least so many buffers; IoSlice has the layout of iovec.
            Self::Tcp(conn) | Self::Unix(conn) => unsafe { socket_data::writev(conn, iov, count) },
            #[cfg(feature = "tls")]
            // SAFETY: at least so many buffers; IoSlice has the layout of iovec.
            Self::Tls(conn) => unsafe { tls::writev(conn, iov, count) },
        }
    }

    /// Sets or removes the read handler.
    pub(crate) fn set_read_handler(self, handler: ConnectionCallbackFunc) -> Result<(), Errno> {
        match self {
            Self::Tcp(conn) | Self::Unix(conn) => socket_events::set_read_handler(conn, handler),
            #[cfg(feature = "tls")]
            Self::Tls(conn) => tls::set_read_handler(conn, handler),
        }
    }

    /// Sets or removes the write handler, which runs after the read handler.
    pub(crate) fn set_write_handler(self, handler: ConnectionCallbackFunc) -> Result<(), Errno> {
        match self {
            Self::Tcp(conn) | Self::Unix(conn) => socket_events::set_write_handler(conn, handler, false),
            #[cfg(feature = "tls")]
            Self::Tls(conn) => tls::set_write_handler(conn, handler, false),
        }
    }

    /// Why the last operation failed, in words.
    pub(crate) fn last_error(self) -> String {
        #[cfg(feature = "tls")]
        if let Self::Tls(conn) = self
            && let Some(text) = conn.error_text()
        {
            return text;
        }
        error_text_into(self.last_errno(), &mut [0; ERROR_TEXT_LEN]).to_string_lossy().into_owned()
    }

    /// Closes the connection: now, or when its last running handler returns.
    ///
    /// # Safety
    /// Nobody touches it afterwards, except a handler of its own that is running.
    pub(crate) unsafe fn close(self) {
        match self {
            // SAFETY: nobody touches it afterwards, and it came from `create`.
            Self::Tcp(conn) | Self::Unix(conn) => unsafe { lifecycle::close(conn) },
            #[cfg(feature = "tls")]
            // SAFETY: nobody touches it afterwards.
            Self::Tls(conn) => unsafe { tls::close(conn) },
        }
    }
}
