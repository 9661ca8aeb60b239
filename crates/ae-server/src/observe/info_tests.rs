//! Every field of INFO: what it is, or how requests move it. A field without a row fails.

use super::human;
use crate::testing::Session;
use std::collections::{BTreeMap, BTreeSet};

/// The fields of a section.
pub type Fields = BTreeMap<String, String>;

/// What a field shows.
pub enum Shows {
    /// Always the same here.
    Is(&'static str),
    /// This after these requests, and something else before.
    After(&'static [&'static str], &'static str),
    /// This when the server is in this state, and something else before.
    With(fn(&mut Session), &'static str),
    /// What is true of it beside the other fields, when the server is in this state.
    Such(fn(&mut Session), fn(&Fields, &Session) -> bool),
    /// What only a connection can move.
    Elsewhere(&'static str),
}

pub use Shows::{After, Elsewhere, Is, Such, With};

pub type Row = (&'static str, Shows);

pub fn fields(session: &mut Session, section: &str) -> Fields {
    let text = String::from_utf8(session.raw(&format!("INFO {section}"))).unwrap();
    let fields = text.lines().skip(2).filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// A number among the fields, whatever stands behind it.
pub fn number(fields: &Fields, name: &str) -> f64 {
    let value = fields.get(name).unwrap_or_else(|| panic!("there is no {name}"));
    value.trim_end_matches('%').parse().unwrap_or_else(|_| panic!("{name}: {value}"))
}

/// Checks the rows of a section, in a server of its own each.
pub fn check(section: &str, rows: &[Row]) {
    let mut seen = BTreeSet::new();
    for (name, shows) in rows {
        let (mut session, _folder) = crate::testing::saving::session();
        let before = fields(&mut session, section);
        match shows {
            Is(_) | Elsewhere(_) => {}
            After(requests, _) => requests.iter().for_each(|request| {
                let reply = session.run(request);
                assert!(!reply.starts_with('-'), "{request}: {reply}");
            }),
            With(prepare, _) | Such(prepare, _) => prepare(&mut session),
        }
        let after = fields(&mut session, section);
        match shows {
            Is(value) | Elsewhere(value) => assert_eq!(after.get(*name).map(String::as_str), Some(*value), "{name}"),
            After(_, value) | With(_, value) => {
                assert_eq!(after.get(*name).map(String::as_str), Some(*value), "{name}");
                assert_ne!(before.get(*name), after.get(*name), "{name}");
            }
            Such(_, holds) => assert!(holds(&after, &session), "{name}: {after:?}"),
        }
        seen.extend(before.into_keys().chain(after.into_keys()));
    }
    let rows: BTreeSet<String> = rows.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(&seen - &rows, BTreeSet::new(), "fields without a row");
}

/// A client beside the one that asks for INFO.
fn other(session: &mut Session, request: &str) {
    let mut other = session.other();
    session.run_as(&mut other, request);
}

/// A client that is sent more than it reads.
pub fn one_with_much_to_read(session: &mut Session) {
    other(session, "SUBSCRIBE c");
    session.request(&[b"PUBLISH".to_vec(), b"c".to_vec(), vec![b'x'; 100_000]]);
}

pub fn nothing(_: &mut Session) {}

fn unix_time() -> f64 {
    super::since_1970().as_secs_f64()
}

/// A time so long ago, in seconds.
pub fn ago(seconds: u64) -> std::time::Instant {
    std::time::Instant::now() - std::time::Duration::from_secs(seconds)
}

/// Whether a number is this one or a little more, as is time that has gone on.
pub fn about(number: f64, least: f64) -> bool {
    (least..least + 3600.0).contains(&number)
}

#[test]
#[rustfmt::skip]
fn server() {
    check("server", &[
        ("redis_version", Is("7.0.15")),
        ("redis_git_sha1", Is("00000000")),
        ("redis_git_dirty", Is("0")),
        ("redis_build_id", Is("0")),
        ("redis_mode", Is("standalone")),
        ("ae_server_version", Is(env!("CARGO_PKG_VERSION"))),
        ("os", Such(nothing, |fields, _| fields["os"] == crate::observe::process::system())),
        ("arch_bits", Such(nothing, |fields, _| number(fields, "arch_bits") == f64::from(usize::BITS))),
        ("monotonic_clock", Is("POSIX clock_gettime")),
        ("multiplexing_api", With(|session| session.server.backend = "poll", "poll")),
        ("atomicvar_api", Is("c11-builtin")),
        ("gcc_version", Is("0.0.0")),
        ("process_id", Such(nothing, |fields, _| number(fields, "process_id") == f64::from(std::process::id()))),
        ("process_supervised", Elsewhere("no")),
        ("run_id", Such(nothing, |fields, session| fields["run_id"] == session.server.run_id && fields["run_id"].len() == 40)),
        ("tcp_port", After(&["CONFIG SET port 7"], "7")),
        ("server_time_usec", Such(nothing, |fields, _| about(unix_time(), number(fields, "server_time_usec") / 1e6 - 1.0))),
        ("uptime_in_seconds", Such(|session| session.server.started = ago(100), |fields, _| about(number(fields, "uptime_in_seconds"), 100.0))),
        ("uptime_in_days", With(|session| session.server.started = ago(2 * 86400 + 3600), "2")),
        ("hz", After(&["CONFIG SET hz 50"], "50")),
        ("configured_hz", After(&["CONFIG SET hz 50"], "50")),
        ("lru_clock", Such(nothing, |fields, _| about(unix_time(), number(fields, "lru_clock") + (unix_time() as u64 >> 24 << 24) as f64))),
        ("executable", Such(nothing, |fields, _| *fields["executable"] == *std::env::current_exe().unwrap().to_str().unwrap())),
        ("config_file", With(|session| session.server.config.file = Some("/a/redis.conf".into()), "/a/redis.conf")),
        ("io_threads_active", Is("0")),
        ("shutdown_in_milliseconds", With(|session| session.server.replication.ending = Some((0, session.server.ticks + 1500)), "1500")),
    ]);
}

#[test]
#[rustfmt::skip]
fn clients() {
    check("clients", &[
        ("connected_clients", With(|session| (0..3).for_each(|_| other(session, "PING")), "3")),
        ("cluster_connections", Is("0")),
        ("maxclients", After(&["CONFIG SET maxclients 20"], "20")),
        ("client_recent_max_input_buffer", Elsewhere("0")),
        ("client_recent_max_output_buffer", Such(one_with_much_to_read, |fields, _| number(fields, "client_recent_max_output_buffer") > 100_000.0)),
        ("blocked_clients", With(|session| other(session, "BLPOP l 0"), "1")),
        ("tracking_clients", After(&["CLIENT TRACKING ON"], "1")),
        ("clients_in_timeout_table", With(|session| other(session, "BLPOP l 10"), "1")),
    ]);
}

/// Each is a time of this process or thread between a look before and one behind.
#[test]
fn cpu() {
    use crate::observe::process::{CpuTimes, cpu_times, thread_cpu_times};
    let mut session = Session::new();
    let all = |process: CpuTimes, thread: CpuTimes| {
        [
            ("used_cpu_sys", process.system),
            ("used_cpu_user", process.user),
            ("used_cpu_sys_children", process.children_system),
            ("used_cpu_user_children", process.children_user),
            ("used_cpu_sys_main_thread", thread.system),
            ("used_cpu_user_main_thread", thread.user),
        ]
    };
    let before = all(cpu_times(), thread_cpu_times());
    let fields = fields(&mut session, "cpu");
    let behind = all(cpu_times(), thread_cpu_times());
    assert_eq!(fields.len(), before.len());
    for ((name, least), (_, most)) in before.into_iter().zip(behind) {
        assert!((least..=most).contains(&number(&fields, name)), "{name}: {fields:?}");
    }
}

#[test]
fn cluster_modules_and_keyspace() {
    check("cluster", &[("cluster_enabled", Is("0"))]);
    check("modules", &[]);
    const FOUR_KEYS: &[&str] = &["MSET a 1 b 2 c 3", "SET d 4 PX 3000", "SET e 5 PX 1000", "SELECT 3", "SET k v"];
    check(
        "keyspace",
        &[
            ("db0", After(FOUR_KEYS, "keys=5,expires=2,avg_ttl=2000")),
            ("db3", After(FOUR_KEYS, "keys=1,expires=0,avg_ttl=0")),
        ],
    );
}

/// A key that is gone before anybody asks.
fn expire(session: &mut Session) {
    session.run("SET k v PX 1");
    session.wait(2);
    session.run("GET k");
}

fn replica(session: &mut Session) {
    session.replica("REPLCONF capa eof capa psync2");
}

#[test]
#[rustfmt::skip]
fn stats() {
    check("stats", &[
        ("total_connections_received", With(|session| session.server.stats.connections = 7, "7")),
        ("total_commands_processed", After(&["PING", "PING", "PING"], "4")),
        ("instantaneous_ops_per_sec", With(|session| session.server.stats.commands_rate.look(168, 1.0), "11")),
        ("total_net_input_bytes", With(|session| session.server.stats.bytes_in = 7, "7")),
        ("total_net_output_bytes", With(|session| session.server.stats.bytes_out = 7, "7")),
        ("total_net_repl_input_bytes", With(|session| session.server.stats.repl_bytes_in = 7, "7")),
        ("total_net_repl_output_bytes", With(|session| session.server.stats.repl_bytes_out = 7, "7")),
        ("instantaneous_input_kbps", With(|session| session.server.stats.input_rate.look(24 * 1024, 1.0), "1.50")),
        ("instantaneous_output_kbps", With(|session| session.server.stats.output_rate.look(24 * 1024, 1.0), "1.50")),
        ("instantaneous_input_repl_kbps", With(|session| session.server.stats.repl_input_rate.look(24 * 1024, 1.0), "1.50")),
        ("instantaneous_output_repl_kbps", With(|session| session.server.stats.repl_output_rate.look(24 * 1024, 1.0), "1.50")),
        ("rejected_connections", With(|session| session.server.stats.rejected = 7, "7")),
        ("sync_full", With(replica, "1")),
        ("sync_partial_ok", With(|session| session.server.stats.partial_syncs = 7, "7")),
        ("sync_partial_err", With(|session| session.server.stats.refused_partial_syncs = 7, "7")),
        ("expired_keys", With(expire, "1")),
        ("expired_stale_perc", Is("0.00")),
        ("expired_time_cap_reached_count", With(|session| session.server.databases.stats.expire_stopped = 7, "7")),
        ("expire_cycle_cpu_milliseconds", With(|session| session.server.stats.expire_time = std::time::Duration::from_millis(1500), "1500")),
        ("evicted_keys", With(|session| session.server.databases.stats.evicted = 7, "7")),
        ("evicted_clients", With(|session| session.server.stats.evicted_clients = 7, "7")),
        ("total_eviction_exceeded_time", Is("0")),
        ("current_eviction_exceeded_time", Is("0")),
        ("keyspace_hits", After(&["MSET a 1 b 2", "MGET a b c"], "2")),
        ("keyspace_misses", After(&["MSET a 1 b 2", "MGET a b c d e"], "3")),
        ("pubsub_channels", With(|session| other(session, "SUBSCRIBE a b"), "2")),
        ("pubsub_patterns", With(|session| other(session, "PSUBSCRIBE a b"), "2")),
        ("pubsubshard_channels", With(|session| other(session, "SSUBSCRIBE a b"), "2")),
        ("latest_fork_usec", Is("0")),
        ("total_forks", With(replica, "1")),
        ("migrate_cached_sockets", Elsewhere("0")),
        ("slave_expires_tracked_keys", Is("0")),
        ("active_defrag_hits", Is("0")),
        ("active_defrag_misses", Is("0")),
        ("active_defrag_key_hits", Is("0")),
        ("active_defrag_key_misses", Is("0")),
        ("total_active_defrag_time", Is("0")),
        ("current_active_defrag_time", Is("0")),
        ("tracking_total_keys", With(two_readers, "2")),
        ("tracking_total_items", With(two_readers, "3")),
        ("tracking_total_prefixes", After(&["CLIENT TRACKING ON BCAST PREFIX a PREFIX b"], "2")),
        ("unexpected_error_replies", Is("0")),
        ("total_error_replies", With(|session| drop(session.run("GET")), "1")),
        ("dump_payload_sanitizations", Is("0")),
        ("total_reads_processed", With(|session| session.server.stats.reads = 7, "7")),
        ("total_writes_processed", With(|session| session.server.stats.writes = 7, "7")),
        ("io_threaded_reads_processed", Is("0")),
        ("io_threaded_writes_processed", Is("0")),
        ("reply_buffer_shrinks", Is("0")),
        ("reply_buffer_expands", Is("0")),
    ]);
}

/// Two clients that keep copies of two keys, one of which both have.
fn two_readers(session: &mut Session) {
    for keys in ["a b", "a"] {
        let mut other = session.other();
        session.run_as(&mut other, "CLIENT TRACKING ON");
        session.run_as(&mut other, &format!("MGET {keys}"));
    }
}

/// In milliseconds.
#[test]
fn more_memory_than_there_may_be() {
    let mut session = Session::new();
    let before = std::time::Instant::now();
    session.server.stats.over_limit.note(true);
    let since = std::time::Instant::now();
    let mut least = 0;
    while least < 2 {
        least = since.elapsed().as_millis();
    }
    let while_over = fields(&mut session, "stats");
    session.server.stats.over_limit.note(false);
    let most = before.elapsed().as_millis() as f64;
    let behind = fields(&mut session, "stats");
    for (fields, name) in [
        (&while_over, "current_eviction_exceeded_time"),
        (&while_over, "total_eviction_exceeded_time"),
        (&behind, "total_eviction_exceeded_time"),
    ] {
        assert!((least as f64..=most).contains(&number(fields, name)), "{name}");
    }
    assert_eq!(behind["current_eviction_exceeded_time"], "0");
}

#[test]
fn sizes_for_people() {
    assert_eq!([0, 1023, 1024, 1536 * 1024].map(human), ["0B", "1023B", "1.00K", "1.50M"].map(String::from));
    // As Redis has it.
    assert_eq!([1 << 59, 1 << 60].map(human), ["512.00P", "1152921504606846976B"].map(String::from));
}
