//! How many handshakes may be under way, for how long, and which gives way when there are too many.

use super::config::settings::Limits;
use super::conn::TlsConnection;
use crate::abi::host::LIBAE_ACCEPT_RETRY_MS;
use crate::abi::tls::{LIBAE_TLS_HANDSHAKE_TIMEOUT, LIBAE_TLS_MAX_HANDSHAKES};
use crate::host;
use crate::sys::clock;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicUsize, Ordering::Relaxed};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a handshake takes, in microseconds, before it may have to give way to a new one: as long as a listener
/// rests.
const GRACE: u64 = 1000 * LIBAE_ACCEPT_RETRY_MS as u64;

static MOST: AtomicUsize = AtomicUsize::new(LIBAE_TLS_MAX_HANDSHAKES as usize);
static MILLISECONDS: AtomicI32 = AtomicI32::new(LIBAE_TLS_HANDSHAKE_TIMEOUT);

pub(super) fn set(limits: Limits) {
    MOST.store(limits.handshakes, Relaxed);
    MILLISECONDS.store(limits.milliseconds, Relaxed);
}

fn most() -> usize {
    host::tls_max_handshakes().map_or_else(|| MOST.load(Relaxed), |most| usize::try_from(most).unwrap_or(0))
}

/// How long a handshake may take; None: any time.
pub(super) fn milliseconds() -> Option<c_int> {
    let milliseconds = host::tls_handshake_timeout().unwrap_or_else(|| MILLISECONDS.load(Relaxed));
    Some(milliseconds).filter(|milliseconds| *milliseconds >= 0)
}

/// A handshake under way on the accepting side.
struct UnderWay {
    conn: *mut TlsConnection,
    /// The number of its loop, 0 while it has none.
    el: u64,
    /// Since when, in microseconds.
    since: u64,
}

// SAFETY: only the loop's own thread follows the pointer.
unsafe impl Send for UnderWay {}

/// By their numbers: the oldest first.
static UNDER_WAY: Mutex<BTreeMap<u64, UnderWay>> = Mutex::new(BTreeMap::new());

fn under_way() -> MutexGuard<'static, BTreeMap<u64, UnderWay>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many more handshakes could begin.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(super) fn room() -> usize {
    most().saturating_sub(under_way().len())
}

/// A handshake on the accepting side, counted while this lives.
pub(super) struct Slot(u64);

impl Slot {
    /// None when too many are under way.
    pub(super) fn take(conn: *mut TlsConnection, el: u64) -> Option<Self> {
        let most = most();
        let mut under_way = under_way();
        let number = under_way.last_key_value().map_or(0, |(last, _)| last + 1);
        (under_way.len() < most).then(|| {
            under_way.insert(number, UnderWay { conn, el, since: clock::now_us() });
            Self(number)
        })
    }

    /// The connection has another loop, or for 0 none.
    #[allow(dead_code)] // Only Redis 8 asks for it.
    pub(super) fn moved(&self, el: u64) {
        if let Some(handshake) = under_way().get_mut(&self.0) {
            handshake.el = el;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        under_way().remove(&self.0);
    }
}

/// The oldest handshake of a loop, if it has had [`GRACE`].
pub(super) fn oldest(el: u64) -> Option<*mut TlsConnection> {
    let under_way = under_way();
    let oldest = under_way.values().find(|handshake| handshake.el == el)?;
    (clock::now_us().saturating_sub(oldest.since) >= GRACE).then_some(oldest.conn)
}
