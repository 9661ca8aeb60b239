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
        if memory.max == 0 || self.meter.used() <= memory.max {
            return Room::Enough;
        }
        let (policy, samples, max, tenacity) = (memory.policy, memory.samples, memory.max, memory.eviction_tenacity);
        // Other threads may have freed something.
        self.renew_meter();
        if self.meter.used() <= max {
            return Room::Enough;
        }
        let (start, limit) = (Instant::now(), round(tenacity));
        loop {
            for _ in 0..BATCH {
                if !self.databases.evict_one(policy, samples, self.now) {
                    // What has been removed already may be waiting to be freed.
                    return if self.databases.garbage.free() { Room::Soon } else { self.room(max) };
                }
            }
            self.databases.garbage.free();
            if self.meter.used() <= max {
                return Room::Enough;
            }
            if limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Room::Soon;
            }
        }
    }

    fn room(&self, max: u64) -> Room {
        if self.meter.used() <= max { Room::Enough } else { Room::None }
    }

    /// Looks at how much memory is used, as the allocator says.
    pub fn renew_meter(&mut self) {
        self.meter = Meter::new();
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
