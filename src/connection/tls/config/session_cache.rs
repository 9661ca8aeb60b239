//! The sessions that clients can resume.

use crate::sys::mutex::Locked;
use rustls::server::StoresServerSessions;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// A limited number of sessions, each for a limited time; the oldest make room. As in OpenSSL, a ticket can be used
/// more than once: without 0-RTT nothing is sent before the handshake is over, so a replayed ticket gains nothing.
#[derive(Debug)]
pub(super) struct Sessions {
    size: usize,
    timeout: Duration,
    kept: Locked<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sessions: HashMap<Vec<u8>, (Instant, Vec<u8>)>,
    /// When each was stored, oldest first. A session that was stored again is in here twice.
    order: VecDeque<(Instant, Vec<u8>)>,
}

impl Sessions {
    pub(super) fn new(size: usize, timeout: Duration) -> Self {
        Self { size, timeout, kept: Locked::new(Kept::default()) }
    }
}

impl Kept {
    /// Makes room for one more.
    fn clean(&mut self, size: usize, timeout: Duration, now: Instant) {
        while let Some((put, _)) = self.order.front() {
            if now.duration_since(*put) < timeout && self.order.len() < size {
                break;
            }
            if let Some((put, key)) = self.order.pop_front()
                && self.sessions.get(&key).is_some_and(|(other, _)| *other == put)
            {
                self.sessions.remove(&key);
            }
        }
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let now = Instant::now();
        let mut kept = self.kept.lock();
        kept.clean(self.size, self.timeout, now);
        kept.order.push_back((now, key.clone()));
        kept.sessions.insert(key, (now, value));
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        let kept = self.kept.lock();
        let (put, value) = kept.sessions.get(key)?;
        (put.elapsed() < self.timeout).then(|| value.clone())
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.get(key)
    }

    fn can_cache(&self) -> bool {
        self.size > 0 && !self.timeout.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(1000);

    #[test]
    fn the_oldest_make_room() {
        let sessions = Sessions::new(2, LONG);
        for key in [b"a", b"b", b"c"] {
            assert!(sessions.put(key.to_vec(), key.to_vec()));
        }
        assert_eq!(sessions.get(b"a"), None);
        assert_eq!(sessions.take(b"b"), Some(b"b".to_vec()));
        assert_eq!(sessions.take(b"b"), Some(b"b".to_vec()));
        assert_eq!(sessions.get(b"c"), Some(b"c".to_vec()));
        assert!(sessions.kept.lock().order.len() <= 2);
    }

    #[test]
    fn what_is_put_anew_stays() {
        let sessions = Sessions::new(3, LONG);
        sessions.put(b"a".to_vec(), b"1".to_vec());
        sessions.put(b"b".to_vec(), b"1".to_vec());
        sessions.put(b"a".to_vec(), b"2".to_vec());
        sessions.put(b"c".to_vec(), b"1".to_vec());
        assert_eq!(sessions.get(b"a"), Some(b"2".to_vec()));
    }

    #[test]
    fn sessions_end() {
        let sessions = Sessions::new(3, Duration::ZERO);
        sessions.put(b"a".to_vec(), b"1".to_vec());
        assert_eq!(sessions.get(b"a"), None);
        assert_eq!(sessions.take(b"a"), None);
        assert!(!sessions.can_cache());
    }
}
