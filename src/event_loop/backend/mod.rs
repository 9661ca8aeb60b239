//! What waits for descriptors. A backend is five functions:
//!
//! - `new(setsize)`: ready to watch descriptors below `setsize`;
//! - `resize(setsize, maxfd)`: the same for another `setsize`, above every watched descriptor;
//! - `apply(fd, old, new, heals)`: changes what a descriptor is watched for, at once; from or to nothing adds or
//!   removes it. A descriptor that was closed and opened again is another file, which the kernel may not know: with
//!   `heals` it is added, without it is `ENOENT`. Says whether the file was new to the kernel, whatever `old` said;
//! - `poll(timeout, fired)`: waits, fills `fired`, says how many; an error or a hang-up fires as readable and
//!   writable. A watched descriptor that has been closed is silently dropped, as the kernel does for epoll;
//! - `NAME`.
//!
//! Masks here are `AE_READABLE`, `AE_WRITABLE` or both, or [`HELD`].

#[cfg(poller = "epoll")]
mod epoll;
#[cfg(poller = "kqueue")]
mod kqueue;
mod poll;
mod select;

use crate::abi::ae::aeFiredEvent;
use crate::sys::{Errno, env};
use core::ffi::{CStr, c_int};

/// In place of a mask: watched for nothing, but not removed, so that it need not be added again. A backend for which
/// a file that is not watched is the same as one that is not there may take it for no mask.
pub(super) const HELD: c_int = 8;

/// Whether a descriptor was new to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Applied {
    Added,
    Changed,
}

/// Room for what fired.
pub(super) struct Fired {
    first: *mut aeFiredEvent,
    capacity: c_int,
    count: c_int,
}

impl Fired {
    /// # Safety
    /// `first` has room for `capacity` elements while this lives.
    pub(super) unsafe fn new(first: *mut aeFiredEvent, capacity: usize) -> Self {
        Self { first, capacity: capacity as c_int, count: 0 }
    }

    fn is_full(&self) -> bool {
        self.count == self.capacity
    }

    /// Puts `count` there, as far as there is room: the others will fire again. Says how many there are.
    fn fill(self, count: c_int, element: impl Fn(usize) -> aeFiredEvent) -> c_int {
        let count = count.min(self.capacity);
        for index in 0..count as usize {
            // SAFETY: below the capacity that `new` was told.
            unsafe { self.first.add(index).write(element(index)) };
        }
        count
    }

    /// Adds one; ignored when full: it will fire again.
    fn push(&mut self, fd: c_int, mask: c_int) {
        if !self.is_full() {
            // SAFETY: below the capacity that `new` was told.
            unsafe { self.first.add(self.count as usize).write(aeFiredEvent { fd, mask }) };
            self.count += 1;
        }
    }
}

macro_rules! backends {
    ($($(#[$cfg:meta])* $variant:ident: $module:ident),* $(,)?) => {
        /// Any of the backends built in. The first is the default.
        // The tag is a byte: a loop looks at it in every iteration.
        #[repr(u8)]
        pub(super) enum Backend {
            $($(#[$cfg])* $variant($module::Backend),)*
        }

        /// The names of the backends built in, the default first.
        const NAMES: &[&CStr] = &[$($(#[$cfg])* $module::NAME),*];

        impl Backend {
            /// A backend by name, whose watched descriptors are below `setsize`; `EINVAL` for an unknown name.
            pub(super) fn new(name: &CStr, setsize: usize) -> Result<Self, Errno> {
                $($(#[$cfg])* if name == $module::NAME {
                    return $module::Backend::new(setsize).map(Self::$variant);
                })*
                Err(Errno::EINVAL)
            }

            pub(super) fn name(&self) -> &'static CStr {
                match self { $($(#[$cfg])* Self::$variant(_) => $module::NAME,)* }
            }

            pub(super) fn resize(&mut self, setsize: usize, maxfd: c_int) -> Result<(), Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.resize(setsize, maxfd),)* }
            }

            pub(super) fn apply(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.apply(fd, old, new, heals),)* }
            }

            /// Waits for at most `timeout_us` microseconds (None: forever).
            pub(super) fn poll(&mut self, timeout_us: Option<u64>, fired: Fired) -> Result<c_int, Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.poll(timeout_us, fired),)* }
            }
        }
    };
}

backends! {
    #[cfg(poller = "epoll")]
    Epoll: epoll,
    #[cfg(poller = "kqueue")]
    Kqueue: kqueue,
    Poll: poll,
    Select: select,
}

/// The default backend's name: what `LIBAE_BACKEND` says (`EINVAL` when it names none), else the
/// platform's best.
pub(super) fn default_name() -> Result<&'static CStr, Errno> {
    match env::value("LIBAE_BACKEND") {
        Some(wanted) if !wanted.is_empty() => {
            NAMES.iter().find(|name| wanted.as_encoded_bytes() == name.to_bytes()).copied().ok_or(Errno::EINVAL)
        }
        _ => Ok(platform_name()),
    }
}

/// The name of the platform's best backend.
pub(super) fn platform_name() -> &'static CStr {
    NAMES[0]
}
