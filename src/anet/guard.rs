//! Whether new sockets survive an exec, and whether accepted ones block: as upstream of the profile makes them, unless
//! the program has asked for the safer kind.

use crate::abi::profile;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

static SAFE: AtomicBool = AtomicBool::new(false);

/// Makes all sockets from now on close-on-exec, and accepted ones non-blocking, or not; returns whether they have been.
pub(crate) fn set_safe_sockets(on: bool) -> bool {
    SAFE.swap(on, Relaxed)
}

/// Whether an exec closes sockets that connect.
pub(super) fn connecting_closes_on_exec() -> bool {
    profile::CONNECTING_CLOSES_ON_EXEC || SAFE.load(Relaxed)
}

/// Whether an exec closes TCP sockets that listen.
pub(super) fn listening_closes_on_exec() -> bool {
    SAFE.load(Relaxed)
}

/// Whether an exec closes unix sockets that listen.
pub(super) fn unix_listening_closes_on_exec() -> bool {
    profile::UNIX_LISTENING_CLOSES_ON_EXEC || SAFE.load(Relaxed)
}

/// Whether accepted sockets are non-blocking, and closed by an exec.
pub(super) fn accepted_is_safe() -> bool {
    profile::ACCEPTED_IS_SAFE || SAFE.load(Relaxed)
}
