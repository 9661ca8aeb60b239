//! The safe Rust API, on the same core as the C one.
//!
//! Everything here belongs to one thread. Callbacks are closures; one that panics aborts the process, since
//! it runs below the loop's C-visible frames. A closure kept by a loop that holds a handle of that loop keeps
//! it alive for ever: use the handle that the closure is called with.
//!
//! ```
//! use ae::{EventLoop, Next};
//! use std::time::Duration;
//!
//! let el = EventLoop::new(64)?;
//! el.add_timer(Duration::from_millis(1), |el| {
//!     el.stop();
//!     Next::Stop
//! })?;
//! el.run()?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod connection;
mod event_loop;
mod listener;

pub use connection::{Connection, Handler};
pub use event_loop::{EventLoop, Interest, Next, TimerId};
pub use listener::{Listener, Peer};

use crate::sys::Errno;
use std::io;

fn io_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno as i32)
}

/// A string for the core.
fn c_string(text: impl Into<Vec<u8>>) -> io::Result<std::ffi::CString> {
    std::ffi::CString::new(text).map_err(|_| io_error(Errno::EINVAL))
}
