//! Permits for handshakes on the accepting side, and which handshake gives way when there are too many.

use super::config::limits::most;
use crate::abi::connection::connection;
use crate::abi::host::LIBAE_ACCEPT_RETRY_MS;
use crate::sys::clock;
use crate::sys::shared::{Shared, Taken};
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

struct Handshakes {
    /// By number, the oldest first.
    under_way: BTreeMap<u64, UnderWay>,
    next: u64,
}

static HANDSHAKES: Shared<Handshakes> = Shared::new(Handshakes { under_way: BTreeMap::new(), next: 0 });

/// Those of this process. What its parent has under way is the parent's.
fn handshakes() -> Taken<Handshakes> {
    HANDSHAKES.lock_own(|handshakes| handshakes.under_way.clear())
}

/// How many more handshakes could begin.
#[allow(dead_code)] // Up to redis-7.0 the host accepts.
pub(super) fn room() -> usize {
    most().saturating_sub(handshakes().under_way.len())
}

/// Allows one handshake on the accepting side, which counts as under way until this is dropped.
pub(super) struct Permit(u64);

impl Permit {
    /// None when too many are under way.
    pub(super) fn take(conn: *mut connection, el: u64) -> Option<Self> {
        let most = most();
        let mut handshakes = handshakes();
        (handshakes.under_way.len() < most).then(|| {
            let number = handshakes.next;
            handshakes.next += 1;
            handshakes.under_way.insert(number, UnderWay { conn, el, since: clock::now_us() });
            Self(number)
        })
    }

    /// The connection has moved to another loop; 0: it has none for now.
    #[allow(dead_code)] // Only Redis 8 asks for it.
    pub(super) fn moved(&self, el: u64) {
        if let Some(handshake) = handshakes().under_way.get_mut(&self.0) {
            handshake.el = el;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        handshakes().under_way.remove(&self.0);
    }
}

/// The oldest handshake of a loop, if it is older than [`GRACE`].
pub(super) fn oldest(el: u64) -> Option<*mut connection> {
    let handshakes = handshakes();
    let oldest = handshakes.under_way.values().find(|handshake| handshake.el == el)?;
    (clock::now_us().saturating_sub(oldest.since) >= GRACE).then_some(oldest.conn)
}
