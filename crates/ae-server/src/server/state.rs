//! The state that all clients share, and what is done regularly to it.

use crate::clients::client::Clients;
use crate::config::settings::Config;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::Keyspace;

/// How long one round of active expiry may take, and the pause after a round that did not finish: together at most a
/// fifth of the time goes to expiry, and no request waits longer than a round.
const EXPIRE_ROUND: Duration = Duration::from_micros(500);
const EXPIRE_PAUSE: Duration = Duration::from_micros(2000);
/// Keys removed between two looks at the clock.
const EXPIRE_BATCH: usize = 32;
/// How long one cron run may spend on moving hash buckets, and how many steps between two looks at the clock.
const REHASH_ROUND: Duration = Duration::from_millis(1);
const REHASH_BATCH: usize = 100;

pub struct Server {
    pub config: Config,
    pub databases: Vec<Keyspace>,
    pub clients: Clients,
    pub stats: Stats,
    /// Unix time in milliseconds as of the current event. One reading serves all commands of a pipeline.
    pub now: i64,
    /// Milliseconds since the server started, as of the current event: for ages and idle times, which must not change
    /// when somebody sets the clock.
    pub ticks: i64,
    pub started: Instant,
    /// Distinguishes this run of the server from any other: 40 hexadecimal digits.
    pub run_id: String,
    /// What the server listens on and with, for INFO.
    pub tcp_port: u16,
    pub backend: &'static str,
    /// SHUTDOWN was called.
    pub shutdown: bool,
    /// The event loop is to have room for so many descriptors.
    pub wanted_set_size: Option<usize>,
    /// The most memory that was in use when the cron looked.
    pub peak_memory: u64,
    random: u64,
    /// The database that the next round of expiry begins with, so that a full one does not starve the others.
    expire_next: usize,
    /// Active expiry rests until then.
    expire_after: Instant,
    sampled: (Instant, u64),
}

#[derive(Default)]
pub struct Stats {
    pub connections: u64,
    pub rejected: u64,
    pub commands: u64,
    pub hits: u64,
    pub misses: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub errors: u64,
    /// Rounds of active expiry that ran out of time.
    pub expire_stopped: u64,
    /// Commands per second, smoothed.
    pub ops: f64,
}

impl Server {
    pub fn new(config: Config) -> Server {
        let databases = (0..config.databases).map(|_| Keyspace::new()).collect();
        let now = Instant::now();
        let seed = ahash::RandomState::new();
        let run_id = (0..3u8).map(|part| format!("{:016x}", seed.hash_one(part))).collect::<String>()[..40].to_string();
        let mut server = Server {
            databases,
            clients: Clients::new(),
            stats: Stats::default(),
            now: 0,
            ticks: 0,
            started: now,
            run_id,
            tcp_port: config.port,
            backend: "",
            shutdown: false,
            wanted_set_size: None,
            peak_memory: 0,
            random: seed.hash_one(4u8) | 1,
            expire_next: 0,
            expire_after: now,
            sampled: (now, 0),
            config,
        };
        server.read_clock();
        server
    }

    /// Changes parameters while running. Nothing changes if that fails. With `reload_tls` the files that TLS parameters name
    /// are read again.
    pub fn reconfigure(&mut self, config: Config, reload_tls: bool) -> Result<(), String> {
        if config.set_size() > self.config.set_size() {
            let room = crate::files::make_room(config.max_clients, config.handshakes())?;
            if room < config.max_clients {
                return Err(format!("The operating system has room for only {room} clients"));
            }
            self.wanted_set_size = Some(config.set_size());
        }
        if config.tls_port != 0 && reload_tls {
            config.apply_tls().map_err(|error| format!("Unable to update TLS configuration: {error}"))?;
        }
        crate::log::set_level(config.log_level);
        self.config = config;
        Ok(())
    }

    pub fn read_clock(&mut self) {
        // A clock before 1970 is the operator's problem; deadlines then count from there.
        self.now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64);
        self.ticks = self.started.elapsed().as_millis() as i64;
    }

    /// A key of database `db` picked at random; expired ones that come up are removed and passed over.
    pub fn random_key(&mut self, db: usize) -> Option<u32> {
        loop {
            let Server { databases, random, now, .. } = self;
            let keyspace = &mut databases[db];
            let id = keyspace.random(|| next_random(random))?;
            if keyspace.deadline(id).is_none_or(|at| at > *now) {
                return Some(id);
            }
            keyspace.expire_one(id);
        }
    }

    /// Removes keys whose time has come, for a bounded time. True if some may be left.
    pub fn expire(&mut self) -> bool {
        if self.databases.iter().all(|keyspace| keyspace.first_deadline().is_none_or(|at| at > self.now)) {
            return false;
        }
        let start = Instant::now();
        if start < self.expire_after {
            return true;
        }
        let count = self.databases.len();
        for i in 0..count {
            let db = (self.expire_next + i) % count;
            while self.databases[db].expire(self.now, EXPIRE_BATCH) == EXPIRE_BATCH {
                if start.elapsed() >= EXPIRE_ROUND {
                    self.expire_next = db + 1;
                    self.expire_after = Instant::now() + EXPIRE_PAUSE;
                    self.stats.expire_stopped += 1;
                    return true;
                }
            }
        }
        false
    }

    /// What is done a few times per second. Returns when it wants to run again.
    pub fn cron(&mut self) -> Duration {
        self.read_clock();
        self.sample();
        self.rehash();
        if self.expire() { EXPIRE_PAUSE } else { self.cron_interval() }
    }

    pub fn cron_interval(&self) -> Duration {
        Duration::from_millis(u64::from(1000 / self.config.hz.clamp(1, 500)))
    }

    /// Goes on with resizes of hash tables that have no traffic to move them.
    fn rehash(&mut self) {
        let start = Instant::now();
        for keyspace in &mut self.databases {
            while (0..REHASH_BATCH).all(|_| keyspace.step()) {
                if start.elapsed() >= REHASH_ROUND {
                    return;
                }
            }
        }
    }

    /// Statistics of the last tenth of a second or more.
    fn sample(&mut self) {
        let (then, commands) = self.sampled;
        let elapsed = then.elapsed();
        if elapsed >= Duration::from_millis(100) {
            let rate = self.stats.commands.saturating_sub(commands) as f64 / elapsed.as_secs_f64();
            // About the average of the last 16 samples.
            self.stats.ops += (rate - self.stats.ops) / 16.0;
            self.sampled = (Instant::now(), self.stats.commands);
            self.peak_memory = self.peak_memory.max(crate::memory::used());
        }
    }
}

/// xorshift64: `state` is never 0.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_bounded_and_gets_done() {
        let mut server = Server::new(Config::default());
        for db in [0, 7] {
            for i in 0..50_000u32 {
                let id = server.databases[db].set_string(&i.to_le_bytes(), b"", false);
                server.databases[db].set_deadline(id, server.now - 1 + i64::from(i % 10) / 9 * 100_000);
            }
        }
        let mut rounds = 0;
        while server.expire() {
            rounds += 1;
            std::thread::sleep(Duration::from_micros(100));
        }
        assert!(rounds > 1, "100 000 keys went in a single round");
        assert_eq!((server.databases[0].len(), server.databases[7].len()), (5_000, 5_000));
        assert_eq!(server.databases[0].expired, 45_000);
    }

    #[test]
    fn random_keys_are_alive() {
        let mut server = Server::new(Config::default());
        assert_eq!(server.random_key(0), None);
        for i in 0..100u8 {
            let id = server.databases[0].set_string(&[i], b"", false);
            if i != 42 {
                server.databases[0].set_deadline(id, server.now - 1);
            }
        }
        let id = server.random_key(0).unwrap();
        assert_eq!(server.databases[0].key(id), [42]);
    }

    #[test]
    fn a_run_has_an_id() {
        let (one, other) = (Server::new(Config::default()), Server::new(Config::default()));
        assert_eq!(one.run_id.len(), 40);
        assert_ne!(one.run_id, other.run_id);
    }
}
