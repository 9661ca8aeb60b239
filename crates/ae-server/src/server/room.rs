//! Keeping within `maxmemory`.

use super::state::Server;
use crate::memory::Meter;
use std::time::{Duration, Instant};

/// Keys evicted between two looks at the clock.
const BATCH: usize = 16;

/// Whether there is room for what a request may add.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    Enough,
    /// Not yet: keys are being evicted.
    Soon,
    None,
}

impl Server {
    /// Evicts keys until no more memory is used than `maxmemory`, for a bounded time.
    pub fn make_room(&mut self) -> Room {
        let memory = &self.config.memory;
        // While clients are paused, nothing goes, and requests that add something may run as in Redis.
        if memory.max == 0 || self.meter.used() <= memory.max || self.pause.which().is_some() {
            return Room::Enough;
        }
        self.clock.pass();
        let (policy, samples, tenacity) = (memory.policy, memory.samples, memory.eviction_tenacity);
        let max = memory.max.saturating_add(self.uncounted_memory() as u64);
        // Other threads may have freed something.
        self.meter = Meter::new();
        if self.used_memory() <= max {
            return Room::Enough;
        }
        let (start, limit) = (Instant::now(), round(tenacity));
        // What is going to be told of the evictions takes memory as well, until it is sent. If that counted, many clients
        // that track would make it evict everything.
        let (excess, mut freed) = (self.used_memory() - max, 0);
        loop {
            for _ in 0..BATCH {
                let before = self.used_memory();
                let Some(evicted) = self.databases.evict_one(policy, samples, self.now) else {
                    // What has been removed already may be waiting to be freed.
                    return if self.databases.garbage.free() { Room::Soon } else { self.room(max) };
                };
                freed += (before + evicted.key.len() as u64).saturating_sub(self.used_memory());
                self.databases.tell_evicted(evicted);
            }
            let before = self.used_memory();
            self.databases.garbage.free();
            freed += before.saturating_sub(self.used_memory());
            if freed >= excess || self.used_memory() <= max {
                return Room::Enough;
            }
            if limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Room::Soon;
            }
        }
    }

    fn room(&self, max: u64) -> Room {
        if self.used_memory() <= max { Room::Enough } else { Room::None }
    }

    /// Bytes that do not count for `maxmemory`: what waits for replicas and for the append-only file. Evictions would only
    /// make more of it.
    pub fn uncounted_memory(&self) -> usize {
        let (mut own, mut shared) = (0, 0);
        for (client, replica) in self.replicas(None) {
            let of_client = client.output.bytes.len();
            own += of_client;
            // Replicas share larger pieces of the stream.
            shared = shared.max(client.output.pending().saturating_sub(of_client) + replica.held_len);
        }
        own + shared + self.streams.replicas.bytes.len() + self.append_only.buffered() + self.streams.log.bytes.len()
    }

    /// Bytes in use. Where entries have been, there is room for others before the allocator is asked.
    fn used_memory(&self) -> u64 {
        self.meter.used().saturating_sub(self.databases.free_bytes() as u64)
    }
}

/// How long one round of evictions may take, by `maxmemory-eviction-tenacity`; None for any time.
fn round(tenacity: u32) -> Option<Duration> {
    const EACH: u64 = 50;
    match tenacity {
        0..=10 => Some(Duration::from_micros(EACH * u64::from(tenacity))),
        // 15 % more with each step, as in Redis.
        11..100 => Some(Duration::from_micros((500.0 * 1.15f64.powi(tenacity as i32 - 10)) as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn free_places_of_entries_are_not_in_use() {
        let mut session = Session::new();
        session.run("DEBUG POPULATE 10000");
        let before = session.server.databases.free_bytes();
        for _ in 0..1000 {
            assert!(session.server.databases.evict_one(crate::config::choices::Policy::AllkeysRandom, 5, 0).is_some());
        }
        let free = session.server.databases.free_bytes();
        // More than the header, the key and the value of the shortest have.
        assert!(free >= before + 1000 * 16);
        assert_eq!(session.server.meter.used() - session.server.used_memory(), free as u64);
    }
}
