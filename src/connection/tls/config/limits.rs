//! How many handshakes may be under way, and for how long.

use crate::abi::tls::{LIBAE_TLS_HANDSHAKE_TIMEOUT, LIBAE_TLS_MAX_HANDSHAKES};
use crate::host;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};

/// Limits of handshakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// How many may be under way on the accepting side.
    pub(crate) handshakes: usize,
    /// How many milliseconds one may take, below 0 for no limit.
    pub(crate) milliseconds: c_int,
}

static MOST: AtomicUsize = AtomicUsize::new(LIBAE_TLS_MAX_HANDSHAKES as usize);
static MILLISECONDS: AtomicI32 = AtomicI32::new(LIBAE_TLS_HANDSHAKE_TIMEOUT);

pub(super) fn set(limits: Limits) {
    MOST.store(limits.handshakes, Relaxed);
    MILLISECONDS.store(limits.milliseconds, Relaxed);
}

pub(in crate::connection::tls) fn most() -> usize {
    host::tls_max_handshakes().map_or_else(|| MOST.load(Relaxed), |most| usize::try_from(most).unwrap_or(0))
}

/// How long a handshake may take; None: any time.
pub(in crate::connection::tls) fn milliseconds() -> Option<c_int> {
    let milliseconds = host::tls_handshake_timeout().unwrap_or_else(|| MILLISECONDS.load(Relaxed));
    Some(milliseconds).filter(|milliseconds| *milliseconds >= 0)
}
