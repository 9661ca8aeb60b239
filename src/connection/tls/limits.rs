//! How many handshakes may be under way, and for how long.

use super::settings::Limits;
use crate::abi::tls::{LIBAE_TLS_HANDSHAKE_TIMEOUT, LIBAE_TLS_MAX_HANDSHAKES};
use crate::host;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};

static MOST: AtomicUsize = AtomicUsize::new(LIBAE_TLS_MAX_HANDSHAKES as usize);
static MILLISECONDS: AtomicI32 = AtomicI32::new(LIBAE_TLS_HANDSHAKE_TIMEOUT);
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

pub(super) fn set(limits: Limits) {
    MOST.store(limits.handshakes, Relaxed);
    MILLISECONDS.store(limits.milliseconds, Relaxed);
}

fn most() -> usize {
    host::tls_max_handshakes().map_or_else(|| MOST.load(Relaxed), |most| usize::try_from(most).unwrap_or(0))
}

/// How long a handshake may take; None: as long as it likes.
pub(super) fn milliseconds() -> Option<c_int> {
    let milliseconds = host::tls_handshake_timeout().unwrap_or_else(|| MILLISECONDS.load(Relaxed));
    Some(milliseconds).filter(|milliseconds| *milliseconds >= 0)
}

/// How many more handshakes could begin.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(super) fn room() -> usize {
    most().saturating_sub(UNDER_WAY.load(Relaxed))
}

/// A handshake on the accepting side, counted while this lives.
pub(super) struct Slot(());

impl Slot {
    /// None when too many are under way.
    pub(super) fn take() -> Option<Self> {
        let most = most();
        let one_more = |count| (count < most).then_some(count + 1);
        UNDER_WAY.fetch_update(Relaxed, Relaxed, one_more).ok().map(|_| Self(()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Relaxed);
    }
}
