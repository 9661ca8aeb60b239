//! The state that all clients share, and what is done regularly to it.

use super::clock::Clock;
use super::listening::Listen;
use super::pause::Pause;
use super::stats::{LastSample, Stats};
use super::streams::{Framing, Streams};
use super::targets::Targets;
use super::timeouts::Timeouts;
use super::under_way::{Ended, LoadedFile, Loading, Running};
use crate::acl::denials::Denials;
use crate::acl::users::Users;
use crate::clients::client::ClientRef;
use crate::clients::table::Clients;
use crate::command::renames::Renames;
use crate::config::choices::Policy;
use crate::config::groups::Memory;
use crate::config::settings::Config;
use crate::db::databases::{Databases, EXPIRE_PAUSE};
use crate::db::usage::Usage;
use crate::memory::Meter;
use crate::persist::aof::state::AppendOnlyFile;
use crate::persist::status::Status;
use crate::persist::waker::Waker;
use crate::process;
use crate::pubsub::channels::Channels;
use crate::record::latency::{Latencies, event};
use crate::record::slowlog::SlowLog;
use crate::replication::state::Replication;
use crate::scripting::state::Scripting;
use crate::tracking::table::TrackingTable;
use ae::EventLoop;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What is done when a snapshot has ended. Another one can be begun then.
pub type WhenEnded = Box<dyn FnOnce(&mut Server, Ended)>;

/// What is done when everything is loaded, or cannot be; the error says why, with the offset. Of what was not put
/// aside, parts are there then.
pub type WhenLoaded = Box<dyn FnOnce(&mut Server, Result<LoadedFile, String>)>;

/// Handles the events of other clients in the midst of one's own.
pub trait ServeOthers {
    /// Handles what has arrived, without waiting. `server` is the whole server, and lent.
    fn serve(&mut self, server: &mut Server);
}

/// What commands read and change beside the client that sent them.
pub struct Server {
    pub config: Config,
    pub users: Users,
    /// What they were refused lately.
    pub denials: Denials,
    pub renames: Renames,
    pub databases: Databases,
    /// To whom changes are told.
    pub streams: Streams,
    pub append_only: AppendOnlyFile,
    /// Clients whose changes are not in the append-only file yet, if they are to be there before any reply.
    pub unlogged: Vec<ClientRef>,
    pub clients: Clients,
    /// Who has subscribed to what.
    pub channels: Channels,
    /// For tests: nothing is done regularly.
    pub cron_paused: bool,
    /// Who keeps copies of values.
    pub tracking: TrackingTable,
    /// Who is to be told after the running request that a key has changed, or (None) all keys.
    pub invalidations: Vec<(ClientRef, Option<Box<[u8]>>)>,
    pub pause: Pause,
    /// How much memory is used.
    pub meter: Meter,
    /// When clients have waited long enough.
    pub timeouts: Timeouts,
    pub stats: Stats,
    pub slow_log: SlowLog,
    pub latencies: Latencies,
    /// The clients that see every request: MONITOR.
    pub monitors: Vec<ClientRef>,
    /// False while keys whose time has come are left alone until somebody asks for them: DEBUG SET-ACTIVE-EXPIRE.
    pub expires_actively: bool,
    pub last_sample: LastSample,
    /// Unix time in milliseconds as of the current event. One reading serves all commands of a pipeline.
    pub now: i64,
    /// Milliseconds since the server started, as of the current event: for ages and idle times, which must not change
    /// when somebody sets the clock.
    pub ticks: i64,
    pub started: Instant,
    pub clock: Clock,
    /// Distinguishes this run of the server from any other: 40 hexadecimal digits.
    pub run_id: String,
    /// The history of the data, and who shares it.
    pub replication: Replication,
    /// What opens and closes its sockets; None for a server of tests.
    pub listeners: Option<Box<dyn Listen>>,
    /// Whether it may end for the same program to go on in its place, and whether it does.
    pub may_restart: bool,
    pub restarts: bool,
    /// What the server listens on and with, for INFO.
    pub tcp_port: u16,
    pub backend: &'static str,
    /// The snapshot under way.
    pub snapshot: Option<Running<WhenEnded>>,
    /// What is being loaded.
    pub loading: Option<Loading<WhenLoaded>>,
    /// What is known of saving and loading.
    pub status: Status,
    /// For threads to wake the loop.
    pub waker: Waker,
    pub scripting: Scripting,
    /// What serves others while a script takes long; None for a server of tests.
    pub others: Option<Box<dyn ServeOthers>>,
    /// Where MIGRATE has sent keys to.
    pub targets: Targets,
    /// For connections with others that a command makes; None for a server of tests.
    pub el: Option<EventLoop>,
    /// SHUTDOWN was called.
    pub shutdown: bool,
    /// Why the server has to end.
    pub failure: Option<String>,
    /// The event loop is to have room for so many descriptors.
    pub wanted_set_size: Option<usize>,
}

impl Server {
    pub fn new(config: Config) -> Server {
        let seed = ahash::RandomState::new();
        let id = |parts: Range<u8>| -> String {
            parts.map(|part| format!("{:016x}", seed.hash_one(part))).collect::<String>()[..40].into()
        };
        let mut server = Server {
            users: Users::new(),
            denials: Denials::default(),
            renames: Renames::default(),
            streams: Streams::default(),
            append_only: AppendOnlyFile::default(),
            unlogged: Vec::new(),
            databases: Databases::new(config.databases, seed.hash_one(4u8) | 1),
            clients: Clients::new(),
            channels: Channels::default(),
            cron_paused: false,
            tracking: TrackingTable::default(),
            invalidations: Vec::new(),
            pause: Pause::default(),
            meter: Meter::new(),
            timeouts: Timeouts::default(),
            stats: Stats::default(),
            slow_log: SlowLog::default(),
            latencies: Latencies::default(),
            monitors: Vec::new(),
            expires_actively: true,
            last_sample: LastSample::new(),
            now: 0,
            ticks: 0,
            started: Instant::now(),
            clock: Clock::new(),
            run_id: id(0..3),
            replication: Replication::new(id(10..13)),
            listeners: None,
            may_restart: false,
            restarts: false,
            tcp_port: config.port,
            backend: "",
            snapshot: None,
            loading: None,
            status: Status::new(0),
            waker: Waker::default(),
            scripting: Scripting::default(),
            others: None,
            targets: Targets::default(),
            el: None,
            shutdown: false,
            failure: None,
            wanted_set_size: None,
            config,
        };
        server.databases.observers.set_events(server.config.keyspace_events);
        server.databases.usage = usage(&server.config.memory);
        server.databases.expire_effort = server.config.memory.expire_effort;
        server.scripting.limit_memory(server.config.memory.scripts as usize);
        if !server.config.password.is_empty() {
            server.users.set_default_password(&server.config.password);
        }
        server.read_clock();
        server.status = Status::new(server.now);
        server
    }

    /// Changes directives while running. Nothing changes if that fails; the error is the directive's name and what is
    /// wrong. With `reload_tls` the files that TLS directives name are read again.
    pub fn reconfigure(&mut self, config: Config, reload_tls: bool) -> Result<(), (&'static str, String)> {
        if config.set_size() > self.config.set_size() {
            let room = crate::files::make_room(config.max_clients, config.handshakes());
            let room = room.map_err(|error| ("maxclients", error))?;
            if room < config.max_clients {
                let able = "The operating system is not able to handle the specified number of clients";
                return Err(("maxclients", format!("{able}, try with {room}")));
            }
            self.wanted_set_size = Some(config.set_size());
        }
        if reload_tls {
            let applied = config.apply_tls();
            applied.map_err(|error| ("tls-cert-file", format!("Unable to update TLS configuration: {error}")))?;
        }
        let (old, new) = (&self.config.process, &config.process);
        if (old.oom_score, old.oom_score_values) != (new.oom_score, new.oom_score_values) {
            process::apply_oom_score(new).map_err(|error| ("oom-score-adj", error))?;
        }
        let moved = self.config.dir != config.dir;
        let entered = if moved { process::enter(&config).map_err(|error| ("dir", error)) } else { Ok(()) };
        if let Err(error) = entered.and_then(|()| self.listen_elsewhere(&config)) {
            // Back to what it was; if that fails, it is logged.
            let _ = process::apply_oom_score(&self.config.process);
            if moved {
                let _ = process::enter(&self.config);
            }
            return Err(error);
        }
        if self.config.port != config.port {
            self.tcp_port = config.port;
        }
        crate::log::set_level(config.log_level);
        self.databases.observers.set_events(config.keyspace_events);
        self.databases.usage = usage(&config.memory);
        self.databases.expire_effort = config.memory.expire_effort;
        self.scripting.limit_memory(config.memory.scripts as usize);
        if self.config.password != config.password {
            self.users.set_default_password(&config.password);
        }
        if let Some(backlog) = &mut self.replication.backlog {
            backlog.resize(config.replication.backlog_size);
        }
        let log_on = config.append_only.on;
        self.config = config;
        let limits = self.config.output_limits;
        self.clients.iter_mut().for_each(|client| client.limit_output(&limits));
        self.set_log(log_on).map_err(|error| ("appendonly", error))
    }

    /// Listens on what the new configuration says.
    fn listen_elsewhere(&mut self, new: &Config) -> Result<(), (&'static str, String)> {
        let old = &self.config;
        if (old.port, old.tls_port, &old.bind) == (new.port, new.tls_port, &new.bind) {
            return Ok(());
        }
        self.listeners.as_mut().map_or(Ok(()), |listeners| listeners.change(old, new))
    }

    /// Says on which port it listens, if the system picked it.
    pub fn set_port(&mut self, port: u16) {
        self.config.port = port;
        self.config.system_port = false;
        self.tcp_port = port;
    }

    /// Sees what time it is. What the system's clock says is asked for by the cron, which is often enough.
    /// While a script runs it stays the same time for keys, whoever else is served meanwhile.
    pub fn read_clock(&mut self) {
        let (now, ticks) = self.clock.look();
        self.ticks = ticks;
        if self.scripting.running.is_none() {
            self.now = now;
        }
    }

    /// Removes keys whose time has come, for a bounded time. True if some may be left.
    pub fn expire(&mut self) -> bool {
        // Nothing may change while nobody may change anything.
        let may = self.pause.which().is_none() && self.expires_actively && !self.is_loading();
        let is_replica = self.replication.link.is_some();
        let more = may && !is_replica && self.databases.expires(self.now) && self.expire_now();
        if may && is_replica {
            self.databases.expire_own(self.now);
            self.propagate(Framing::Separate);
        }
        if self.has_news() {
            self.tell_news(None);
        }
        more
    }

    fn expire_now(&mut self) -> bool {
        let started = Instant::now();
        let more = self.databases.expire(self.now);
        self.propagate(Framing::Separate);
        let took = started.elapsed();
        self.stats.expire_time += took;
        self.latencies.note(event::EXPIRE_CYCLE, took, self.config.observation.latency_threshold, self.now);
        more
    }

    /// What is done a few times per second. Returns when it wants to run again.
    pub fn cron(&mut self) -> Duration {
        self.clock.set();
        self.read_clock();
        if self.cron_paused {
            return self.cron_interval();
        }
        self.last_sample.renew(&mut self.stats, &mut self.meter);
        self.shrink_tracking(None);
        let keeps_within = self.replication.link.is_none() || !self.config.replication.ignores_max_memory;
        if keeps_within && !self.is_loading() {
            self.make_room();
        }
        self.rewrite_when_due();
        self.save_when_due();
        self.targets.close_unused(self.ticks);
        let garbage_left = self.databases.garbage.free();
        if self.expire() || garbage_left { EXPIRE_PAUSE } else { self.cron_interval() }
    }

    pub fn cron_interval(&self) -> Duration {
        Duration::from_millis(u64::from(1000 / self.config.hz.clamp(1, 500)))
    }
}

/// How uses of keys are noted, so that eviction can go by it.
fn usage(memory: &Memory) -> Usage {
    let frequency = matches!(memory.policy, Policy::AllkeysLfu | Policy::VolatileLfu);
    Usage { frequency, log_factor: memory.lfu_log_factor, decay_time: memory.lfu_decay_time }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::door::Ttl;
    use crate::db::event::Event;
    use crate::scripting::running::Running;
    use crate::testing::Session;
    use store::StringValue;

    #[test]
    fn a_run_has_an_id() {
        let (one, other) = (Server::new(Config::default()), Server::new(Config::default()));
        assert_eq!(one.run_id.len(), 40);
        assert_ne!(one.run_id, other.run_id);
    }

    #[test]
    fn while_a_script_runs_it_stays_the_same_time_for_keys() {
        let mut session = Session::new();
        let started = session.server.clock.mark();
        session.server.scripting.running = Some(Running::new(false, b"", started));
        session.server.now = 5;
        session.server.read_clock();
        assert_eq!(session.server.now, 5);
    }

    /// The file may say later on that it stays, or the primary.
    #[test]
    fn nothing_expires_while_the_server_begins() {
        let mut session = Session::new();
        session.run("SET k v PX 1");
        session.wait(10);
        session.server.status.starting = true;
        session.server.expire();
        assert_eq!(session.server.databases[0].len(), 1);
        session.server.status.starting = false;
        session.server.expire();
        assert_eq!(session.server.databases[0].len(), 0);
    }

    #[test]
    fn nothing_expires_while_writes_are_paused() {
        let mut session = Session::new();
        session.expect(&[("SET k v PX 1", "+OK"), ("CLIENT PAUSE 100000 WRITE", "+OK")]);
        session.wait(10);
        session.server.expire();
        // It cannot be seen any more, but it is there.
        session.expect(&[("GET k", "$-1"), ("DBSIZE", ":1"), ("CLIENT UNPAUSE", "+OK")]);
        session.server.expire();
        assert_eq!(session.server.databases[0].len(), 0);
    }

    #[test]
    fn large_values_that_have_gone_are_freed_in_time() {
        let mut session = Session::new();
        let members = (0..1000).map(|member| format!("{member:01000}").into_bytes());
        session.request(&[b"RPUSH".to_vec(), b"l".to_vec()].into_iter().chain(members).collect::<Vec<_>>());
        session.expect(&[("UNLINK l", ":1")]);
        assert_eq!(session.server.databases.garbage.len(), 1);
        testkit::eventually("it is freed", || {
            session.server.cron();
            (session.server.databases.garbage.len() == 0).then_some(())
        });
    }

    #[test]
    fn where_it_listens_and_for_how_many_changes_with_the_configuration() {
        let mut session = Session::new();
        session.expect(&[("CONFIG SET port 7777", "+OK")]);
        assert_eq!(session.number("tcp_port"), 7777);
        session.expect(&[("CONFIG SET maxclients 10001", "+OK")]);
        assert_eq!(session.server.wanted_set_size, Some(session.server.config.set_size()));
    }

    #[test]
    fn what_is_left_of_expiry_is_gone_on_with_soon() {
        let mut session = Session::new();
        for key in 0..5000 {
            session.server.databases.db(0, 0).set(
                format!("{key}").as_bytes(),
                StringValue::new(b"v"),
                Ttl::At(1),
                Event::SET,
            );
        }
        assert_eq!(session.server.cron(), EXPIRE_PAUSE);
        assert!(!session.server.stats.expire_time.is_zero());
        testkit::eventually("all have expired", || (session.server.cron() > EXPIRE_PAUSE).then_some(()));
        assert!(session.server.databases[0].is_empty());
    }

    /// It is freed piece by piece.
    #[test]
    fn what_is_left_of_a_large_value_is_freed_soon() {
        let mut session = Session::new();
        let members = (0..100_000).map(|member| format!("{member}").into_bytes());
        session.request(&[b"SADD".to_vec(), b"s".to_vec()].into_iter().chain(members).collect::<Vec<_>>());
        session.expect(&[("UNLINK s", ":1")]);
        assert_eq!(session.server.databases.garbage.len(), 1);
        testkit::eventually("it is freed", || {
            let goes_on = session.server.cron() == EXPIRE_PAUSE;
            let left = session.server.databases.garbage.len();
            assert_eq!(goes_on, left > 0);
            (left == 0).then_some(())
        });
    }

    #[test]
    fn limits_of_the_configuration_hold_from_the_start() {
        let mut config = Config::default();
        (config.memory.expire_effort, config.memory.scripts) = (7, 1 << 20);
        let mut session = Session::with(config);
        assert_eq!(session.server.databases.expire_effort, 7);
        let reply = session.run("EVAL \"return #string.rep('x', 4000000)\" 0");
        assert!(reply.contains("not enough memory"), "{reply}");
    }

    /// Somebody may have set the system's clock.
    #[test]
    fn the_cron_looks_at_the_systems_clock() {
        let mut session = Session::new();
        let right = session.server.now;
        session.server.clock.shift(-3_600_000);
        session.server.read_clock();
        assert!(session.server.now < right);
        session.server.cron();
        assert!(session.server.now >= right);
    }
}
