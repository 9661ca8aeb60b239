//! The backends that are built in, and which of them a loop gets.

use super::contract::{Applied, Fired};
#[cfg(poller = "epoll")]
use super::epoll;
#[cfg(poller = "kqueue")]
use super::kqueue;
use super::{poll, select};
use crate::sys::{Errno, env};
use core::ffi::{CStr, c_int};

macro_rules! backends {
    ($($(#[$cfg:meta])* $variant:ident: $module:ident),* $(,)?) => {
        /// Any of the backends built in. The first is the default.
        // The tag is a byte: a loop looks at it in every iteration.
        #[repr(u8)]
        pub(in crate::event_loop) enum Backend {
            $($(#[$cfg])* $variant($module::Backend),)*
        }

        /// The names of the backends built in, the default first.
        const NAMES: &[&CStr] = &[$($(#[$cfg])* $module::NAME),*];

        impl Backend {
            /// A backend by name, whose watched descriptors are below `setsize`; `EINVAL` for an unknown name.
            pub(in crate::event_loop) fn new(name: &CStr, setsize: usize) -> Result<Self, Errno> {
                $($(#[$cfg])* if name == $module::NAME {
                    return $module::Backend::new(setsize).map(Self::$variant);
                })*
                Err(Errno::EINVAL)
            }

            pub(in crate::event_loop) fn name(&self) -> &'static CStr {
                match self { $($(#[$cfg])* Self::$variant(_) => $module::NAME,)* }
            }

            pub(in crate::event_loop) fn resize(&mut self, setsize: usize, maxfd: c_int) -> Result<(), Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.resize(setsize, maxfd),)* }
            }

            // Frequent, though it has a second caller for descriptors of high priority; so has `poll`.
            #[inline(always)]
            pub(in crate::event_loop) fn apply(&mut self, fd: c_int, old: c_int, new: c_int, heals: bool) -> Result<Applied, Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.apply(fd, old, new, heals),)* }
            }

            /// The kernel's poller, which any thread may have watch one more of the loop's own descriptors.
            pub(in crate::event_loop) fn poller(&self) -> Option<c_int> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.poller(),)* }
            }

            /// Watches the loop's own waker for readable.
            pub(in crate::event_loop) fn set_waker(&mut self, fd: c_int) -> Result<(), Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.set_waker(fd),)* }
            }

            /// A descriptor that is readable when a poll would find something, and that can watch others; `EOPNOTSUPP`
            /// where there is none.
            pub(in crate::event_loop) fn descriptor(&mut self) -> Result<c_int, Errno> {
                match self { $($(#[$cfg])* Self::$variant(backend) => backend.descriptor(),)* }
            }

            /// Waits for at most `timeout_us` microseconds (None: forever).
            #[inline(always)]
            pub(in crate::event_loop) fn poll(&mut self, timeout_us: Option<u64>, fired: Fired) -> Result<c_int, Errno> {
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

/// Has a poller of the kernel's watch a descriptor of the loop's own for readable.
pub(in crate::event_loop) fn watch(poller: c_int, fd: c_int) -> Result<(), Errno> {
    #[cfg(poller = "epoll")]
    return epoll::watch(poller, fd);
    #[cfg(poller = "kqueue")]
    return kqueue::watch(poller, fd);
    #[cfg(poller = "none")]
    {
        let _ = (poller, fd);
        Err(Errno::EOPNOTSUPP)
    }
}

/// The default backend's name: what `LIBAE_BACKEND` says (`EINVAL` when it names none), else the
/// platform's best.
pub(in crate::event_loop) fn default_name() -> Result<&'static CStr, Errno> {
    match env::value("LIBAE_BACKEND") {
        Some(wanted) if !wanted.is_empty() => {
            NAMES.iter().find(|name| wanted.as_encoded_bytes() == name.to_bytes()).copied().ok_or(Errno::EINVAL)
        }
        _ => Ok(platform_name()),
    }
}

/// The name of the platform's best backend.
pub(in crate::event_loop) fn platform_name() -> &'static CStr {
    NAMES[0]
}
