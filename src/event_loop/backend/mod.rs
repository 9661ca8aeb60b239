//! What waits for descriptors. A backend is these functions:
//!
//! - `new(setsize)`: ready to watch descriptors below `setsize`;
//! - `resize(setsize, maxfd)`: the same for another `setsize`, above every watched descriptor;
//! - `apply(fd, old, new, heals)`: changes what a descriptor is watched for, at once; from or to nothing adds or
//!   removes it. A descriptor that was closed and opened again is another file, which the kernel may not know: with
//!   `heals` it is added, without it is `ENOENT`. Says whether the file was new to the kernel, whatever `old` said;
//! - `poll(timeout, fired)`: waits, fills `fired`, says how many; an error or a hang-up fires as readable and
//!   writable. A watched descriptor that has been closed is silently dropped, as the kernel does for epoll;
//! - `set_waker(fd)`: watches a descriptor of the loop's own, whatever its number, as readable. `poller()` is where any
//!   thread can do so while another polls, where there is such a place; otherwise the waker is set before the first poll;
//! - `descriptor()`: what is readable when a poll would find something, for programs that wait elsewhere;
//! - `NAME`.
//!
//! Masks here are `AE_READABLE`, `AE_WRITABLE` or both, or `HELD`.

mod built_in;
mod contract;
#[cfg(poller = "epoll")]
mod epoll;
#[cfg(poller = "kqueue")]
mod kqueue;
mod mirror;
mod poll;
mod select;

pub(super) use built_in::{Backend, default_name, platform_name, watch};
pub(super) use contract::{Applied, Fired, HELD};
