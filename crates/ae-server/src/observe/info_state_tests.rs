//! As in info_tests.rs: the fields about memory, files and replicas.

use super::human;
use super::tests::{
    After, Elsewhere, Fields, Is, Such, With, about, ago, check, fields, nothing, number, one_with_much_to_read,
};
use crate::memory::{self, background};
use crate::replication::failover::Failover;
use crate::replication::link::Phase;
use crate::testing::Session;
use crate::testing::saving::session;
use std::time::Duration;

/// A replica, a script, a function and a key with a time to live.
fn something(session: &mut Session) {
    session.run("CONFIG SET repl-backlog-size 100000");
    session.replica("REPLCONF capa eof");
    session.run("SET k v PX 100000");
    session.run("EVAL 'return 1' 0");
    let library = "#!lua name=l\nredis.register_function('f', function() return 1 end)\n\
                   redis.register_function('g', function() return 1 end)";
    session.request(&[b"FUNCTION".to_vec(), b"LOAD".to_vec(), library.into()]);
    session.server.last_sample.startup_memory = 1000;
}

/// One is of the other, with two digits.
fn is_ratio(fields: &Fields, ratio: &str, more: &str, less: &str) -> bool {
    fields[ratio] == format!("{:.2}", number(fields, more) / number(fields, less))
}

fn is_difference(fields: &Fields, difference: &str, more: &str, less: &str) -> bool {
    number(fields, difference) == number(fields, more) - number(fields, less)
}

fn is_percent(fields: &Fields, percent: &str, part: f64, whole: f64) -> bool {
    fields[percent] == format!("{:.2}%", part * 100.0 / whole)
}

fn is_human(fields: &Fields, name: &str) -> bool {
    fields[&format!("{name}_human")] == human(number(fields, name) as u64)
}

fn sum(fields: &Fields, names: &[&str]) -> f64 {
    names.iter().map(|name| number(fields, name)).sum()
}

const OVERHEAD: [&str; 6] = [
    "used_memory_startup",
    "mem_clients_normal",
    "mem_clients_slaves",
    "mem_replication_backlog",
    "used_memory_scripts",
    "used_memory_vm_total",
];

fn tables(session: &Session) -> f64 {
    session
        .server
        .databases
        .iter()
        .filter(|keys| !keys.is_empty())
        .map(|keys| keys.allocated())
        .map(|(a, b)| a + b)
        .sum::<usize>() as f64
}

#[test]
#[rustfmt::skip]
fn memory_of_the_process() {
    const PEAK: fn(&mut Session) = |session| session.server.last_sample.peak_memory = 1 << 50;
    check("memory", &[
        ("used_memory", Such(something, |fields, session| number(fields, "used_memory") + session.server.databases.free_bytes() as f64 == number(fields, "allocator_allocated"))),
        ("used_memory_human", Such(nothing, |fields, _| is_human(fields, "used_memory"))),
        ("used_memory_rss", Such(nothing, |fields, _| number(fields, "used_memory_rss") > 1e6)),
        ("used_memory_rss_human", Such(nothing, |fields, _| is_human(fields, "used_memory_rss"))),
        ("used_memory_peak", With(PEAK, "1125899906842624")),
        ("used_memory_peak_human", With(PEAK, "1.00P")),
        ("used_memory_peak_perc", Such(|session| session.server.last_sample.peak_memory = 1 << 31, |fields, _| is_percent(fields, "used_memory_peak_perc", number(fields, "used_memory"), number(fields, "used_memory_peak")))),
        ("used_memory_overhead", Such(something, |fields, session| number(fields, "used_memory_overhead") == sum(fields, &OVERHEAD) + tables(session))),
        ("used_memory_startup", With(|session| session.server.last_sample.startup_memory = 1000, "1000")),
        ("used_memory_dataset", Such(something, |fields, _| is_difference(fields, "used_memory_dataset", "used_memory", "used_memory_overhead"))),
        ("used_memory_dataset_perc", Such(something, |fields, _| is_percent(fields, "used_memory_dataset_perc", number(fields, "used_memory_dataset"), number(fields, "used_memory") - 1000.0))),
        ("allocator_allocated", Such(nothing, |fields, _| number(fields, "allocator_allocated") > 1e4)),
        ("allocator_active", Such(nothing, |fields, _| number(fields, "allocator_active") >= number(fields, "allocator_allocated"))),
        ("allocator_resident", Such(nothing, |fields, _| number(fields, "allocator_resident") >= number(fields, "allocator_active"))),
        ("total_system_memory", Such(nothing, |fields, _| number(fields, "total_system_memory") == crate::observe::process::system_memory() as f64)),
        ("total_system_memory_human", Such(nothing, |fields, _| is_human(fields, "total_system_memory"))),
        ("used_memory_lua", Such(something, |fields, _| fields["used_memory_lua"] == fields["used_memory_vm_eval"])),
        ("used_memory_vm_eval", Such(something, |fields, session| number(fields, "used_memory_vm_eval") == session.server.scripting.interpreter.memory() as f64)),
        ("used_memory_lua_human", Such(something, |fields, _| is_human(fields, "used_memory_lua"))),
        ("used_memory_scripts_eval", Such(|session| drop(session.run("EVAL 'return 1' 0")), |fields, _| number(fields, "used_memory_scripts_eval") > 0.0 && fields["used_memory_scripts"] == fields["used_memory_scripts_eval"])),
        ("number_of_cached_scripts", After(&["EVAL 'return 1' 0", "SCRIPT LOAD 'return 2'"], "2")),
        ("number_of_functions", With(something, "2")),
        ("number_of_libraries", With(something, "1")),
        ("used_memory_vm_functions", Such(something, |fields, session| number(fields, "used_memory_vm_functions") == session.server.scripting.libraries.interpreter.memory() as f64 && number(fields, "used_memory_vm_functions") > 0.0)),
        ("used_memory_vm_total", Such(something, |fields, _| number(fields, "used_memory_vm_total") == sum(fields, &["used_memory_vm_eval", "used_memory_vm_functions"]))),
        ("used_memory_vm_total_human", Such(something, |fields, _| is_human(fields, "used_memory_vm_total"))),
        ("used_memory_functions", Such(something, |fields, session| number(fields, "used_memory_functions") == session.server.scripting.libraries.memory() as f64 && number(fields, "used_memory_functions") > 0.0)),
        ("used_memory_scripts", Such(something, |fields, _| number(fields, "used_memory_scripts") == sum(fields, &["used_memory_scripts_eval", "used_memory_functions"]))),
        ("used_memory_scripts_human", Such(something, |fields, _| is_human(fields, "used_memory_scripts"))),
        ("maxmemory", After(&["CONFIG SET maxmemory 1gb"], "1073741824")),
        ("maxmemory_human", After(&["CONFIG SET maxmemory 1gb"], "1.00G")),
        ("maxmemory_policy", After(&["CONFIG SET maxmemory-policy allkeys-lfu"], "allkeys-lfu")),
        ("allocator_frag_ratio", Such(nothing, |fields, _| is_ratio(fields, "allocator_frag_ratio", "allocator_active", "allocator_allocated"))),
        ("allocator_frag_bytes", Such(nothing, |fields, _| is_difference(fields, "allocator_frag_bytes", "allocator_active", "allocator_allocated"))),
        ("allocator_rss_ratio", Such(nothing, |fields, _| is_ratio(fields, "allocator_rss_ratio", "allocator_resident", "allocator_active"))),
        ("allocator_rss_bytes", Such(nothing, |fields, _| is_difference(fields, "allocator_rss_bytes", "allocator_resident", "allocator_active"))),
        ("rss_overhead_ratio", Such(nothing, |fields, _| is_ratio(fields, "rss_overhead_ratio", "used_memory_rss", "allocator_resident"))),
        ("rss_overhead_bytes", Such(nothing, |fields, _| is_difference(fields, "rss_overhead_bytes", "used_memory_rss", "allocator_resident"))),
        ("mem_fragmentation_ratio", Such(nothing, |fields, _| is_ratio(fields, "mem_fragmentation_ratio", "used_memory_rss", "used_memory"))),
        ("mem_fragmentation_bytes", Such(nothing, |fields, _| is_difference(fields, "mem_fragmentation_bytes", "used_memory_rss", "used_memory"))),
        ("mem_not_counted_for_evict", Such(|session| session.server.streams.log.bytes.reserve(100_000), |fields, session| number(fields, "mem_not_counted_for_evict") == session.server.streams.log.bytes.capacity() as f64)),
        ("mem_replication_backlog", Such(something, |fields, session| number(fields, "mem_replication_backlog") == session.server.replication.backlog.as_ref().unwrap().memory() as f64 && number(fields, "mem_replication_backlog") > 0.0)),
        ("mem_total_replication_buffers", Such(something, |fields, session| number(fields, "mem_total_replication_buffers") == number(fields, "mem_replication_backlog") + session.server.replica_buffers() as f64)),
        ("mem_clients_slaves", Such(something, |fields, session| number(fields, "mem_clients_slaves") == session.server.clients.iter().map(|client| client.memory()).sum::<usize>() as f64)),
        ("mem_clients_normal", Such(one_with_much_to_read, |fields, _| number(fields, "mem_clients_normal") > 100_000.0)),
        ("mem_cluster_links", Is("0")),
        ("mem_aof_buffer", Such(|session| session.server.streams.log.bytes.reserve(100_000), |fields, session| number(fields, "mem_aof_buffer") == session.server.streams.log.bytes.capacity() as f64)),
        ("mem_allocator", Such(nothing, |fields, _| fields["mem_allocator"] == memory::name())),
        ("active_defrag_running", Is("0")),
        ("lazyfree_pending_objects", Such(unlink_much, |fields, session| number(fields, "lazyfree_pending_objects") >= session.server.databases.garbage.len() as f64 && session.server.databases.garbage.len() > 0)),
        ("lazyfreed_objects", Such(nothing, |fields, _| number(fields, "lazyfreed_objects") >= 0.0)),
    ]);
}

/// What is too large to be freed at once.
fn unlink_much(session: &mut Session) {
    for i in 0..2000 {
        session.run(&format!("RPUSH l {i:01000}"));
    }
    session.run("UNLINK l");
}

/// Other tests free something, too, or reset the counter.
#[test]
fn what_is_freed_in_the_background_is_counted() {
    let mut session = Session::new();
    testkit::eventually("the counter is more than zero", || {
        session.run("DEBUG POPULATE 2000");
        session.run("FLUSHALL ASYNC");
        let shown = number(&fields(&mut session, "memory"), "lazyfreed_objects");
        (shown > 0.0 && background::freed() > 0).then_some(())
    });
}

/// Three keys, one of which is written already since it has changed.
fn saves(session: &mut Session) {
    ["MSET a 1 b 2 c 3", "BGSAVE", "SET a 4"].iter().for_each(|request| _ = session.run(request));
}

/// The append-only file is on, and complete.
fn logs(session: &mut Session) {
    ["MSET a 1 b 2 c 3", "CONFIG SET appendonly yes"].iter().for_each(|request| _ = session.run(request));
    crate::server::rewriting::tests::finish(session);
}

/// A third of it, in a million seconds.
fn loads(session: &mut Session) {
    session.server.append_only.loading = Some((ago(1_000_000), 300, 100));
}

#[test]
#[rustfmt::skip]
fn persistence() {
    check("persistence", &[
        ("loading", With(|session| session.server.status.starting = true, "1")),
        ("async_loading", Elsewhere("0")),
        ("current_cow_peak", Is("0")),
        ("current_cow_size", Is("0")),
        ("current_cow_size_age", Is("0")),
        ("current_fork_perc", With(saves, "33.33")),
        ("current_save_keys_processed", With(saves, "1")),
        ("current_save_keys_total", With(saves, "3")),
        ("rdb_changes_since_last_save", After(&["MSET a 1 b 2", "DEL a"], "3")),
        ("rdb_bgsave_in_progress", With(saves, "1")),
        ("rdb_last_save_time", With(|session| session.server.status.last_save = 7, "7")),
        ("rdb_last_bgsave_status", With(|session| session.server.status.last_ok = false, "err")),
        ("rdb_last_bgsave_time_sec", With(|session| session.server.status.last_duration = Some(Duration::from_secs(7)), "7")),
        ("rdb_current_bgsave_time_sec", Such(saves_for_long, |fields, _| about(number(fields, "rdb_current_bgsave_time_sec"), 100.0))),
        ("rdb_saves", After(&["SAVE", "SAVE"], "2")),
        ("rdb_last_cow_size", Is("0")),
        ("rdb_last_load_keys_expired", With(|session| session.server.status.keys_expired = 7, "7")),
        ("rdb_last_load_keys_loaded", With(|session| session.server.status.keys_loaded = 7, "7")),
        ("aof_enabled", With(logs, "1")),
        ("aof_rewrite_in_progress", With(|session| session.server.append_only.rewrites.running_since = Some(ago(0)), "1")),
        ("aof_rewrite_scheduled", With(|session| session.server.append_only.rewrites.scheduled = true, "1")),
        ("aof_last_rewrite_time_sec", With(|session| session.server.append_only.rewrites.last_duration = Some(Duration::from_secs(7)), "7")),
        ("aof_current_rewrite_time_sec", Such(|session| session.server.append_only.rewrites.running_since = Some(ago(100)), |fields, _| about(number(fields, "aof_current_rewrite_time_sec"), 100.0))),
        ("aof_last_bgrewrite_status", With(|session| session.server.append_only.rewrites.last_ok = Some(false), "err")),
        ("aof_rewrites", With(|session| session.server.append_only.rewrites.count = 7, "7")),
        ("aof_rewrites_consecutive_failures", With(|session| session.server.append_only.rewrites.failures = 7, "7")),
        // Where the disk fails: append_only_tests.rs.
        ("aof_last_write_status", Elsewhere("ok")),
        ("aof_last_cow_size", Is("0")),
        ("module_fork_in_progress", Is("0")),
        ("module_fork_last_cow_size", Is("0")),
        // While it is on.
        ("aof_current_size", Such(logs, |fields, session| number(fields, "aof_current_size") == session.server.append_only.len() as f64 && number(fields, "aof_current_size") > 0.0)),
        ("aof_base_size", With(|session| { logs(session); session.server.append_only.len_at_rewrite = 7; }, "7")),
        ("aof_pending_rewrite", With(|session| { logs(session); session.server.append_only.rewrites.scheduled = true; }, "1")),
        ("aof_buffer_length", With(|session| { logs(session); session.server.streams.log.bytes.extend_from_slice(b"1234567"); }, "7")),
        ("aof_pending_bio_fsync", With(logs, "0")),
        ("aof_delayed_fsync", With(|session| { logs(session); session.server.append_only.log.as_mut().unwrap().delayed = 7; }, "7")),
        // While something is loaded.
        ("loading_start_time", Such(loads, |fields, _| about(super::since_1970().as_secs_f64(), number(fields, "loading_start_time") + 999_999.0))),
        ("loading_total_bytes", With(loads, "300")),
        ("loading_rdb_used_mem", With(loads, "0")),
        ("loading_loaded_bytes", With(loads, "100")),
        ("loading_loaded_perc", With(loads, "33.33")),
        ("loading_eta_seconds", Such(loads, |fields, _| about(number(fields, "loading_eta_seconds"), 2_000_000.0))),
    ]);
}

fn saves_for_long(session: &mut Session) {
    saves(session);
    session.server.snapshot.as_mut().unwrap().started = ago(100);
}

/// It is no save.
#[test]
fn a_rewrite_is_no_save() {
    let (mut session, _folder) = session();
    ["SET k v", "CONFIG SET appendonly yes"].iter().for_each(|request| _ = session.run(request));
    crate::server::rewriting::tests::round(&mut session);
    let fields = fields(&mut session, "persistence");
    let shown = ["rdb_bgsave_in_progress", "rdb_current_bgsave_time_sec", "aof_rewrite_in_progress"];
    assert_eq!(shown.map(|name| fields[name].as_str()), ["0", "-1", "1"]);
}

/// Two replicas, one of which has not said yet how far it is.
fn replicas(session: &mut Session) {
    session.replica("REPLCONF listening-port 7 ip-address h capa eof");
    let (mut other, _) = session.replica("REPLCONF listening-port 8 ip-address i capa eof");
    session.run("SET k v");
    session.fed(&mut other);
    session.run_as(&mut other, "REPLCONF ACK 20");
    session.wait(3000);
}

fn of_primary(session: &mut Session, phase: Phase) {
    session.run("REPLICAOF h 7");
    session.wait(10_000);
    let link = session.server.replication.link.as_mut().unwrap();
    (link.phase, link.heard_at) = (phase, session.server.ticks - 3000);
    (link.copy_len, link.copy_read, link.down_since) = (Some(300), 100, Some(session.server.ticks - 5000));
    session.server.replication.offset = 12;
}

fn connected(session: &mut Session) {
    of_primary(session, Phase::Connected);
}

fn copied(session: &mut Session) {
    of_primary(session, Phase::Transfer);
}

fn fails_over(session: &mut Session) {
    session.server.replication.failover = Some(Failover { target: None, force: false, deadline: None, told: false });
}

const OTHER_ID: &str = "0123456789012345678901234567890123456789";

#[test]
#[rustfmt::skip]
fn replication() {
    check("replication", &[
        ("role", After(&["REPLICAOF h 1"], "slave")),
        ("connected_slaves", With(replicas, "2")),
        ("min_slaves_good_slaves", With(|session| { replicas(session); session.run("CONFIG SET min-replicas-to-write 1"); }, "1")),
        ("slave0", With(replicas, "ip=h,port=7,state=online,offset=0,lag=3")),
        ("slave1", With(replicas, "ip=i,port=8,state=online,offset=20,lag=3")),
        ("master_failover_state", With(fails_over, "waiting-for-sync")),
        ("master_replid", With(|session| session.server.replication.id = OTHER_ID.into(), OTHER_ID)),
        ("master_replid2", With(|session| session.server.replication.second = Some((OTHER_ID.into(), 7)), OTHER_ID)),
        ("master_repl_offset", With(replicas, "50")),
        ("second_repl_offset", With(|session| session.server.replication.second = Some((OTHER_ID.into(), 7)), "7")),
        ("repl_backlog_active", With(replicas, "1")),
        ("repl_backlog_size", After(&["CONFIG SET repl-backlog-size 20000"], "20000")),
        ("repl_backlog_first_byte_offset", With(replicas, "1")),
        ("repl_backlog_histlen", With(replicas, "50")),
        // Of a replica.
        ("master_host", With(connected, "h")),
        ("master_port", With(connected, "7")),
        ("master_link_status", With(connected, "up")),
        ("master_last_io_seconds_ago", With(connected, "3")),
        ("master_sync_in_progress", With(copied, "1")),
        ("slave_read_repl_offset", With(connected, "12")),
        ("slave_repl_offset", With(connected, "12")),
        ("master_sync_total_bytes", With(copied, "300")),
        ("master_sync_read_bytes", With(copied, "100")),
        ("master_sync_left_bytes", With(copied, "200")),
        ("master_sync_perc", With(copied, "33.33")),
        ("master_sync_last_io_seconds_ago", With(copied, "3")),
        ("master_link_down_since_seconds", With(copied, "5")),
        ("slave_priority", With(|session| { connected(session); session.run("CONFIG SET replica-priority 7"); }, "7")),
        ("slave_read_only", With(connected, "1")),
        ("replica_announced", With(connected, "1")),
    ]);
}

#[test]
fn a_replica_is_told_from_a_primary() {
    let mut session = Session::new();
    copied(&mut session);
    ["CONFIG SET replica-read-only no", "CONFIG SET replica-announced no"]
        .iter()
        .for_each(|line| _ = session.run(line));
    let fields_of = |session: &mut Session, names: [&str; 4]| {
        let all = fields(session, "replication");
        names.map(|name| all.get(name).cloned().unwrap_or_default())
    };
    let names = ["master_link_status", "master_last_io_seconds_ago", "slave_read_only", "replica_announced"];
    assert_eq!(fields_of(&mut session, names), ["down", "-1", "0", "0"]);
    connected(&mut session);
    let names = ["master_link_down_since_seconds", "master_sync_perc", "master_sync_in_progress", "role"];
    assert_eq!(fields_of(&mut session, names), ["", "", "0", "slave"]);
    // The copy has arrived and is being loaded.
    of_primary(&mut session, Phase::Loading);
    assert_eq!(fields_of(&mut session, names), ["5", "33.33", "1", "slave"]);
}

#[test]
fn what_is_there_before_anything_has_happened() {
    let mut session = Session::new();
    let all = fields(&mut session, "replication");
    assert_eq!((all["master_replid2"].as_str(), all["second_repl_offset"].as_str()), (&*"0".repeat(40), "-1"));
    session.server.status.starting = true;
    let all = fields(&mut session, "persistence");
    assert_eq!((all["loading"].as_str(), all["async_loading"].as_str()), ("1", "0"));
}
