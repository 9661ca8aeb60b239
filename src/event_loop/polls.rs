//! The polls of a loop, by number, and which of them may have found what is no longer to be delivered.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(super) struct Polls {
    /// How many there have been.
    count: AtomicU64,
    /// The latest that was not a look at the descriptors of high priority alone.
    whole: AtomicU64,
    /// What a poll above this one has found is stale for no descriptor.
    settled: AtomicU64,
}

impl Polls {
    pub(super) const fn new() -> Self {
        Self { count: AtomicU64::new(0), whole: AtomicU64::new(0), settled: AtomicU64::new(0) }
    }

    /// The number of the latest, from 1 on.
    #[inline(always)]
    pub(super) fn latest(&self) -> u64 {
        self.count.load(Relaxed)
    }

    /// The number of the latest that asked for all descriptors.
    pub(super) fn latest_whole(&self) -> u64 {
        self.whole.load(Relaxed)
    }

    /// Counts one. There is one at a time.
    #[inline(always)]
    pub(super) fn count_one(&self) {
        let number = self.latest() + 1;
        self.whole.store(number, Relaxed);
        self.count.store(number, Relaxed);
    }

    /// Counts one that asks for descriptors of high priority alone.
    pub(super) fn count_look(&self) {
        self.count.store(self.latest() + 1, Relaxed);
    }

    /// What polls up to this one have found may be stale for some descriptor. A [`Polls::settle_all`] of another thread
    /// may get lost.
    #[inline(always)]
    pub(super) fn settle(&self, poll: u64) {
        self.settled.store(self.settled.load(Relaxed).max(poll), Relaxed);
    }

    /// What any poll finds may be stale.
    pub(super) fn settle_all(&self) {
        self.settled.store(u64::MAX, Relaxed);
    }

    /// Takes that back for the polls to come.
    pub(super) fn go_on(&self) {
        self.settled.store(self.latest(), Relaxed);
    }

    /// Whether what `poll` has found may be stale for some descriptor.
    #[inline(always)]
    pub(super) fn may_be_stale(&self, poll: u64) -> bool {
        self.settled.load(Relaxed) >= poll
    }
}
