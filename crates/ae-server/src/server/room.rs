//! Keeping within `maxmemory`.

use super::state::Server;
use crate::memory::Meter;
use std::time::{Duration, Instant};

/// Small keys evicted between two looks at the clock.
const BATCH: u64 = 16;

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
        let room = self.evict();
        self.stats.over_limit.note(room != Room::Enough);
        room
    }

    fn evict(&mut self) -> Room {
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
        for turn in 1.. {
            let before = self.used_memory();
            // Another key goes only when all is freed of those that have gone.
            let is_left = self.databases.garbage.free();
            freed += before.saturating_sub(self.used_memory());
            if !is_left && freed < excess {
                let before = self.used_memory();
                let Some(evicted) = self.databases.evict_one(policy, samples, self.now) else { break };
                freed += (before + evicted.key.len() as u64).saturating_sub(self.used_memory());
                self.databases.tell_evicted(evicted);
            }
            if freed >= excess || self.used_memory() <= max {
                return Room::Enough;
            }
            if (is_left || turn % BATCH == 0) && limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Room::Soon;
            }
        }
        if self.used_memory() <= max { Room::Enough } else { Room::None }
    }

    /// Bytes that do not count for `maxmemory`: what waits for replicas and for the append-only file. Evictions would only
    /// make more of it.
    pub fn uncounted_memory(&self) -> usize {
        self.replica_buffers() + self.log_buffers()
    }

    /// Memory that holds what the append-only file has yet to get.
    pub fn log_buffers(&self) -> usize {
        self.append_only.buffered() + self.streams.log.bytes.capacity()
    }

    /// Bytes of memory that hold what waits for replicas.
    pub fn replica_buffers(&self) -> usize {
        let (mut own, mut shared) = (0, 0);
        for (client, replica) in self.replicas(None) {
            let (output, held) = (client.output.stream_memory(), replica.held.stream_memory());
            own += output.0 + held.0;
            shared = shared.max(output.1 + held.1);
        }
        own + shared + self.streams.replicas.bytes.capacity()
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
    use super::{Duration, Meter, Room, round};
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

    #[test]
    fn nothing_is_evicted_while_clients_are_paused() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG POPULATE 100", "+OK"),
            // However long it takes.
            ("CONFIG SET maxmemory-policy allkeys-random maxmemory-eviction-tenacity 100", "+OK"),
            ("CLIENT PAUSE 100000 WRITE", "+OK"),
            ("CONFIG SET maxmemory 1", "+OK"),
        ]);
        session.server.cron();
        session.expect(&[("DBSIZE", ":100"), ("CLIENT UNPAUSE", "+OK")]);
        session.server.cron();
        session.expect(&[("DBSIZE", ":0")]);
    }

    /// Replicas have what they are sent together.
    #[test]
    fn what_waits_for_several_replicas_counts_once() {
        let mut session = Session::new();
        let replicas = [(); 2].map(|()| session.replica("REPLCONF capa psync2"));
        session.request(&[b"SET".into(), b"k".into(), vec![b'v'; 1 << 20]]);
        session.server.feed_replicas();
        let bytes = session.server.replica_buffers();
        assert!((1 << 20..3 << 19).contains(&bytes), "{bytes} bytes for {}", replicas.len());
    }

    #[test]
    fn rounds_of_evictions_are_as_long_as_they_may_be() {
        let micros = |tenacity| round(tenacity).map(|round| round.as_micros());
        assert_eq!([0, 1, 10, 11, 100].map(micros), [Some(0), Some(50), Some(500), Some(575), None]);
        assert!(micros(99).is_some_and(|micros| micros > 100_000_000));
    }

    #[test]
    fn a_server_that_is_still_evicting_is_over_its_limit() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG POPULATE 1000", "+OK"),
            ("CONFIG SET maxmemory-policy allkeys-random maxmemory-eviction-tenacity 0", "+OK"),
        ]);
        session.server.config.memory.max = 1;
        assert_eq!(session.server.make_room(), Room::Soon);
        let noted = std::time::Instant::now();
        while noted.elapsed().is_zero() {}
        assert!(!session.server.stats.over_limit.current().is_zero());
    }

    /// Evictions would only make more of it.
    #[test]
    fn what_waits_for_the_append_only_file_does_not_count() {
        const WAITS: usize = 1 << 32;
        let mut session = Session::new();
        session.expect(&[("SET k v", "+OK"), ("CONFIG SET maxmemory-policy allkeys-random", "+OK")]);
        // Memory that nobody touches is none of the machine's.
        session.server.streams.log.bytes = Vec::with_capacity(WAITS);
        session.server.config.memory.max = (WAITS / 2) as u64;
        assert_eq!(session.server.make_room(), Room::Enough);
        session.server.streams.log.bytes = Vec::new();
        // Nor does what another thread has freed, as one does that frees large values.
        let freed = Vec::<u8>::with_capacity(WAITS);
        session.server.meter = Meter::new();
        std::thread::spawn(move || drop(freed)).join().unwrap();
        assert_eq!(session.server.make_room(), Room::Enough);
        session.server.config.memory.max = 0;
        session.expect(&[("GET k", "$1 v")]);
    }

    #[test]
    fn evictions_are_no_part_of_the_time_that_a_command_takes() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG POPULATE 1000", "+OK"),
            ("CONFIG SET maxmemory-policy allkeys-random maxmemory-eviction-tenacity 100", "+OK"),
        ]);
        session.server.config.memory.max = 1;
        session.server.read_clock();
        let looked = std::time::Instant::now();
        while looked.elapsed() < Duration::from_millis(1) {}
        let before = session.server.clock.mark();
        session.server.make_room();
        let begun = session.server.clock.begin();
        let command = session.server.clock.since(begun);
        assert!(command < session.server.clock.since(before));
    }

    #[test]
    fn nothing_is_evicted_while_the_data_are_loaded() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG POPULATE 100", "+OK"),
            ("CONFIG SET maxmemory-policy allkeys-random maxmemory-eviction-tenacity 100", "+OK"),
        ]);
        session.server.config.memory.max = 1;
        for (starting, keys) in [(true, 100), (false, 0)] {
            session.server.status.starting = starting;
            session.server.cron();
            assert_eq!(session.server.databases[0].len(), keys);
        }
    }
}
