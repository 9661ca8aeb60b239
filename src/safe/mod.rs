//! The safe Rust API, on the same core as the C one.
//!
//! Everything here belongs to one thread, but [`Waker`] and `TlsContext`. Callbacks are closures. When one panics the
//! loop stops at once, and the panic goes on from [`EventLoop::run`] or what else runs the loop; with `panic = "abort"`
//! the process ends, as always. A closure kept by a loop that holds a handle of that loop keeps it alive forever: use
//! the handle that the closure is called with.
//!
//! A server that echoes, and a client of it in the same loop:
//!
//! ```
//! use ae::{Connection, EventLoop, Handler, Listener};
//! use std::cell::RefCell;
//! use std::rc::Rc;
//!
//! let el = EventLoop::new(64)?;
//! let listener = Listener::tcp(&el, &["127.0.0.1"], 0, 511)?;
//! let echo: Handler = Rc::new(|conn| {
//!     let mut buf = [0; 1024];
//!     match conn.read(&mut buf) {
//!         Ok(0) | Err(_) => conn.close(),
//!         Ok(count) => _ = conn.write(&buf[..count]),
//!     }
//! });
//! // A connection lives as long as a handle of it.
//! let accepted = RefCell::new(Vec::new());
//! listener.on_accept(1000, move |conn, _peer| {
//!     if conn.set_read_handler(Some(echo.clone())).is_ok() {
//!         accepted.borrow_mut().push(conn);
//!     }
//! })?;
//!
//! let port = listener.local_addrs()[0].port();
//! let stop = el.clone();
//! let _client = Connection::connect_tcp(&el, "127.0.0.1", port, move |conn, result| {
//!     result.expect("nobody listens");
//!     conn.write(b"hello").expect("an empty socket takes five bytes");
//!     let stop = stop.clone();
//!     let _ = conn.set_read_handler(Some(Rc::new(move |conn: &Connection| {
//!         let mut buf = [0; 16];
//!         assert_eq!(conn.read(&mut buf).unwrap(), 5);
//!         stop.stop();
//!     })));
//! })?;
//! el.run()?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod arguments;
mod border;
mod connection;
mod counter;
mod event_loop;
mod listener;
mod names;
mod processes;
mod proxy;
mod socket_options;
#[cfg(feature = "tls")]
mod tls;
mod waker;

pub use connection::{Connection, Handler, PeerCredentials};
pub use counter::Counter;
pub use event_loop::{EventLoop, Interest, Next, TimerId};
pub use listener::{Listener, Peer, exec_with_listeners, inherited_sockets};
pub use names::RequestId;
pub use proxy::ProxyHeader;
pub use socket_options::{Mptcp, SocketOptions};
#[cfg(feature = "tls")]
pub use tls::{AuthClients, NameKind, TlsConfig, TlsContext, TlsInfo};
pub use waker::Waker;
