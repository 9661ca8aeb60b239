//! The append-only file, as the server has it.

use super::disk::Disk;
use super::folder::Folder;
use super::log::Log;
use super::stage::Stage;
use std::time::{Duration, Instant};

/// The append-only file.
#[derive(Default)]
pub struct AppendOnlyFile {
    pub disk: Disk,
    pub stage: Stage,
    /// It is off until a primary's data are there, or until it is clear that they do not come.
    pub suspended: bool,
    /// There unless it is off.
    pub folder: Option<Folder>,
    pub log: Option<Log>,
    /// The length of all files before the last increment.
    pub earlier_len: u64,
    /// The length of everything after the last rewrite, or the start.
    pub len_at_rewrite: u64,
    /// The second that was last written.
    pub stamped: i64,
    pub rewrites: Rewrites,
    /// While it is loaded: when that began, how many bytes there are in all, and how many have been read.
    pub loading: Option<(Instant, u64, u64)>,
    /// It is to be loaded again: DEBUG LOADAOF.
    pub reload: bool,
}

/// What is known of rewrites.
#[derive(Default)]
pub struct Rewrites {
    /// One is to begin as soon as it can.
    pub scheduled: bool,
    /// When the one that is running began.
    pub running_since: Option<Instant>,
    pub last_duration: Option<Duration>,
    /// How the last one ended; None before the first.
    pub last_ok: Option<bool>,
    pub count: u64,
    /// How many have failed in a row, and when the last one did.
    pub failures: u32,
    pub failed_at: Option<Instant>,
    /// The one that is running makes whole again what a failed sync may have lost.
    pub mends_gap: bool,
}

/// Failures in a row before rewrites that nobody asked for wait; and the longest wait.
const FAILURES: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

impl Rewrites {
    /// Whether one may begin that nobody has asked for. After several failures it waits for a minute, then for two, and
    /// so on.
    pub fn may_begin(&self) -> bool {
        let Some(more) = self.failures.checked_sub(FAILURES) else { return true };
        let wait = Duration::from_secs(60).saturating_mul(1 << more.min(16)).min(LONGEST_WAIT);
        self.failed_at.is_none_or(|at| at.elapsed() >= wait)
    }

    pub fn ended(&mut self, ok: bool) {
        self.last_duration = self.running_since.take().map(|since| since.elapsed());
        self.last_ok = Some(ok);
        if ok {
            self.count += 1;
            self.failures = 0;
        } else {
            self.failures += 1;
            self.failed_at = Some(Instant::now());
        }
    }
}

impl AppendOnlyFile {
    pub fn is_on(&self) -> bool {
        self.stage != Stage::Off
    }

    /// The length of everything.
    pub fn len(&self) -> u64 {
        self.earlier_len + self.log.as_ref().map_or(0, Log::len)
    }

    /// Bytes of memory that hold what has yet to be written.
    pub fn buffered(&self) -> usize {
        self.log.as_ref().map_or(0, Log::memory)
    }

    /// Why requests that change something are refused, in the system's words.
    pub fn failure(&self) -> Option<&str> {
        self.log.as_ref()?.failure()
    }

    /// Whether it has grown so much that a rewrite is due: by so many percent, and to so many bytes.
    pub fn has_grown(&self, percentage: u32, min_size: u64) -> bool {
        let (len, base) = (self.len(), self.len_at_rewrite.max(1));
        percentage > 0 && len > min_size && (len.saturating_sub(base) as u128 * 100 / base as u128) >= percentage.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_a_rewrite_is_due() {
        let file = |len, base| AppendOnlyFile { earlier_len: len, len_at_rewrite: base, ..AppendOnlyFile::default() };
        assert!(file(200, 100).has_grown(100, 50) && !file(199, 100).has_grown(100, 50));
        assert!(!file(200, 100).has_grown(100, 200) && !file(200, 100).has_grown(0, 0));
        assert!(file(u64::MAX, 0).has_grown(i32::MAX as u32, 0));
    }

    #[test]
    fn failures_make_rewrites_wait() {
        let mut rewrites = Rewrites::default();
        for failures in 1..FAILURES {
            rewrites.ended(false);
            assert!(rewrites.may_begin(), "{failures}");
        }
        rewrites.ended(false);
        assert!(!rewrites.may_begin());
        rewrites.failed_at = Instant::now().checked_sub(Duration::from_secs(60));
        assert!(rewrites.may_begin());
        rewrites.ended(false);
        rewrites.failed_at = Instant::now().checked_sub(Duration::from_secs(60));
        assert!(!rewrites.may_begin());
        (0..20).for_each(|_| rewrites.ended(false));
        rewrites.failed_at = Instant::now().checked_sub(LONGEST_WAIT);
        assert!(rewrites.may_begin());
        rewrites.ended(true);
        assert!(rewrites.may_begin());
        assert_eq!((rewrites.count, rewrites.last_ok), (1, Some(true)));
    }
}
