//! Permits for handshakes on the accepting side, and which handshake gives way when there are too many.

use super::config::limits::most;
use crate::abi::connection::connection;
use crate::abi::host::LIBAE_ACCEPT_RETRY_MS;
use crate::sys::clock;
use crate::sys::shared::Shared;
use std::collections::BTreeMap;

/// Microseconds after which a handshake may have to give way to a new one: as long as a listener rests.
const GRACE: u64 = 1000 * LIBAE_ACCEPT_RETRY_MS as u64;

/// A handshake under way on the accepting side.
struct UnderWay {
    conn: *mut connection,
    /// The number of its loop, 0 while it has none.
    el: u64,
    /// When it began, in microseconds.
    since: u64,
}

// SAFETY: only the loop's own thread follows the pointer.
unsafe impl Send for UnderWay {}

/// By number, the oldest first.
static UNDER_WAY: Shared<BTreeMap<u64, UnderWay>> = Shared::new(BTreeMap::new());

/// How many more handshakes could begin.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(super) fn room() -> usize {
    most().saturating_sub(UNDER_WAY.lock().len())
}

/// Allows one handshake on the accepting side, which counts as under way until this is dropped.
pub(super) struct Permit(u64);

impl Permit {
    /// None when too many are under way.
    pub(super) fn take(conn: *mut connection, el: u64) -> Option<Self> {
        let most = most();
        let mut under_way = UNDER_WAY.lock();
        let number = under_way.last_key_value().map_or(0, |(last, _)| last + 1);
        (under_way.len() < most).then(|| {
            under_way.insert(number, UnderWay { conn, el, since: clock::now_us() });
            Self(number)
        })
    }

    /// The connection has moved to another loop; 0: it has none for now.
    #[allow(dead_code)] // Only Redis 8 asks for it.
    pub(super) fn moved(&self, el: u64) {
        if let Some(handshake) = UNDER_WAY.lock().get_mut(&self.0) {
            handshake.el = el;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        UNDER_WAY.lock().remove(&self.0);
    }
}

/// The oldest handshake of a loop, if it is older than [`GRACE`].
pub(super) fn oldest(el: u64) -> Option<*mut connection> {
    let under_way = UNDER_WAY.lock();
    let oldest = under_way.values().find(|handshake| handshake.el == el)?;
    (clock::now_us().saturating_sub(oldest.since) >= GRACE).then_some(oldest.conn)
}
