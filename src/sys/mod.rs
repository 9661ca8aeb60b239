//! System calls, errno, clock: the only home of raw libc calls.
//!
//! Functions take descriptors as the plain integers that C callers pass: one that is not open is an `EBADF`
//! from the kernel, not undefined behaviour. Errors are [`Errno`] values; nothing here retries or logs.

pub(crate) mod abort;
pub(crate) mod clock;
#[cfg(miri)]
mod edges;
pub(crate) mod env;
#[cfg(poller = "epoll")]
pub(crate) mod epoll;
pub(crate) mod errno;
pub(crate) mod fd;
#[cfg(poller = "kqueue")]
pub(crate) mod kqueue;
#[cfg(all(poller = "kqueue", target_os = "linux"))]
pub(crate) mod libkqueue;
pub(crate) mod memory;
pub(crate) mod mutex;
pub(crate) mod peer;
pub(crate) mod poll;
pub(crate) mod resolve;
pub(crate) mod shared;
pub(crate) mod signal;
pub(crate) mod socket;
pub(crate) mod socket_options;
pub(crate) mod text;
pub(crate) mod thread;
#[cfg(poller = "epoll")]
pub(crate) mod timer_fd;
#[cfg(poller = "none")]
pub(crate) mod timer_none;
#[cfg(poller = "kqueue")]
pub(crate) mod timer_queue;
pub(crate) mod waker;

pub(crate) use fd::valid_fd;
pub(crate) use nix::errno::Errno;
#[cfg(poller = "none")]
pub(crate) use timer_none as timer_fd;
#[cfg(poller = "kqueue")]
pub(crate) use timer_queue as timer_fd;
