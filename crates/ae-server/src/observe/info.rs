//! The sections of INFO.

use super::memory::Usage;
use super::process::{cpu_times, system, thread_cpu_times};
use super::statistics;
use crate::clients::client::Client;
use crate::clients::subscriptions::Kind;
use crate::config::catalog;
use crate::config::settings::REDIS_VERSION;
use crate::memory::background;
use crate::process::is_supervised;
use crate::server::state::Server;
use std::fmt::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bits of the clock by which the use of keys is dated.
const LRU_CLOCK: u64 = (1 << 24) - 1;

/// A part of INFO.
pub struct Section {
    pub name: &'static str,
    /// Whether INFO shows it without being asked.
    pub by_default: bool,
    /// Writes its lines. The client is the one whose request is being answered, which is not in the table.
    pub write: fn(&Server, &Client, &mut String),
}

const fn section(name: &'static str, by_default: bool, write: fn(&Server, &Client, &mut String)) -> Section {
    Section { name, by_default, write }
}

/// In the order of the reply.
pub const SECTIONS: &[Section] = &[
    section("Server", true, |info, _, out| server(info, out)),
    section("Clients", true, clients),
    section("Memory", true, memory),
    section("Persistence", true, |info, _, out| persistence(info, out)),
    section("Stats", true, |info, _, out| stats(info, out)),
    section("Replication", true, super::replication::replication),
    section("CPU", true, |_, _, out| cpu(out)),
    section("Modules", true, |_, _, _| ()),
    section("Commandstats", false, |info, _, out| statistics::commands(info, out)),
    section("Errorstats", true, |info, _, out| statistics::errors(info, out)),
    section("Latencystats", false, |info, _, out| statistics::latencies(info, out)),
    section("Cluster", true, |_, _, out| out.push_str("cluster_enabled:0\r\n")),
    section("Keyspace", true, |info, _, out| keyspace(info, out)),
];

/// Writes `name:value` lines; writing to a string does not fail.
macro_rules! lines {
    ($out:expr, $($name:literal => $value:expr),+ $(,)?) => {
        $(let _ = write!($out, concat!($name, ":{}\r\n"), $value);)+
    };
}

fn since_1970() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn server(server: &Server, out: &mut String) {
    let now = since_1970();
    let uptime = server.started.elapsed().as_secs();
    lines!(out,
        "redis_version" => REDIS_VERSION,
        "redis_git_sha1" => "00000000",
        "redis_git_dirty" => 0,
        "redis_build_id" => "0",
        "redis_mode" => "standalone",
        "ae_server_version" => env!("CARGO_PKG_VERSION"),
        "os" => system(),
        "arch_bits" => usize::BITS,
        "monotonic_clock" => "POSIX clock_gettime",
        "multiplexing_api" => server.backend,
        "atomicvar_api" => "c11-builtin",
        "gcc_version" => "0.0.0",
        "process_id" => std::process::id(),
        "process_supervised" => if is_supervised(&server.config.process) { "systemd" } else { "no" },
        "run_id" => server.run_id,
        "tcp_port" => server.tcp_port,
        "server_time_usec" => now.as_micros(),
        "uptime_in_seconds" => uptime,
        "uptime_in_days" => uptime / 86400,
        "hz" => server.config.hz,
        "configured_hz" => server.config.hz,
        "lru_clock" => now.as_secs() & LRU_CLOCK,
        "executable" => std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
        "config_file" => server.config.file.as_deref().unwrap_or(Path::new("")).display(),
        "io_threads_active" => 0,
    );
    if let Some((_, end)) = server.replication.ending {
        lines!(out, "shutdown_in_milliseconds" => end - server.ticks);
    }
}

fn clients(server: &Server, current: &Client, out: &mut String) {
    let all = || server.clients.iter().chain([current]);
    let largest = |size: fn(&Client) -> usize| all().map(size).max().unwrap_or(0);
    lines!(out,
        "connected_clients" => server.clients.count().saturating_sub(server.replication.replicas.len()),
        "cluster_connections" => 0,
        "maxclients" => server.config.max_clients,
        "client_recent_max_input_buffer" => largest(|client| client.input.as_ref().map_or(0, |input| input.memory())),
        "client_recent_max_output_buffer" => largest(|client| client.output.memory()),
        "blocked_clients" => all().filter(|client| client.waits()).count(),
        "tracking_clients" => server.tracking.clients().len(),
        "clients_in_timeout_table" => server.timeouts.len(),
    );
}

fn memory(server: &Server, current: &Client, out: &mut String) {
    let usage = Usage::of(server, current);
    let max = server.config.memory.max;
    let engine = server.scripting.interpreter.memory() as u64;
    let scripts = server.scripting.scripts.memory() as u64;
    let libraries = &server.scripting.libraries;
    let (functions_engine, functions) = (libraries.interpreter.memory() as u64, libraries.memory() as u64);
    let policy = catalog::find(b"maxmemory-policy").map(|(_, policy)| policy.get(&server.config)).unwrap_or_default();
    let (fragmentation, rss, overhead, all) =
        (usage.allocator_fragmentation(), usage.allocator_rss(), usage.rss_overhead(), usage.fragmentation());
    lines!(out,
        "used_memory" => usage.used,
        "used_memory_human" => human(usage.used),
        "used_memory_rss" => usage.resident,
        "used_memory_rss_human" => human(usage.resident),
        "used_memory_peak" => usage.peak,
        "used_memory_peak_human" => human(usage.peak),
        "used_memory_peak_perc" => format_args!("{:.2}%", usage.peak_percent()),
        "used_memory_overhead" => usage.overhead(),
        "used_memory_startup" => usage.startup,
        "used_memory_dataset" => usage.dataset(),
        "used_memory_dataset_perc" => format_args!("{:.2}%", usage.dataset_percent()),
        "allocator_allocated" => usage.allocator.allocated,
        "allocator_active" => usage.allocator.active,
        "allocator_resident" => usage.allocator.resident,
        "total_system_memory" => usage.system,
        "total_system_memory_human" => human(usage.system),
        "used_memory_lua" => engine,
        "used_memory_vm_eval" => engine,
        "used_memory_lua_human" => human(engine),
        "used_memory_scripts_eval" => scripts,
        "number_of_cached_scripts" => server.scripting.scripts.len(),
        "number_of_functions" => libraries.functions(),
        "number_of_libraries" => libraries.len(),
        "used_memory_vm_functions" => functions_engine,
        "used_memory_vm_total" => engine + functions_engine,
        "used_memory_vm_total_human" => human(engine + functions_engine),
        "used_memory_functions" => functions,
        "used_memory_scripts" => scripts + functions,
        "used_memory_scripts_human" => human(scripts + functions),
        "maxmemory" => max,
        "maxmemory_human" => human(max),
        "maxmemory_policy" => String::from_utf8_lossy(&policy),
        "allocator_frag_ratio" => format_args!("{:.2}", fragmentation.0),
        "allocator_frag_bytes" => fragmentation.1,
        "allocator_rss_ratio" => format_args!("{:.2}", rss.0),
        "allocator_rss_bytes" => rss.1,
        "rss_overhead_ratio" => format_args!("{:.2}", overhead.0),
        "rss_overhead_bytes" => overhead.1,
        "mem_fragmentation_ratio" => format_args!("{:.2}", all.0),
        "mem_fragmentation_bytes" => all.1,
        "mem_not_counted_for_evict" => server.uncounted_memory(),
        "mem_replication_backlog" => usage.backlog,
        "mem_total_replication_buffers" => server.replica_buffers() as u64 + usage.backlog,
        "mem_clients_slaves" => usage.replicas,
        "mem_clients_normal" => usage.clients,
        "mem_cluster_links" => 0,
        "mem_aof_buffer" => server.log_buffers(),
        "mem_allocator" => crate::memory::name(),
        "active_defrag_running" => 0,
        "lazyfree_pending_objects" => background::pending() + server.databases.garbage.len() as u64,
        "lazyfreed_objects" => background::freed(),
    );
}

fn human(bytes: u64) -> String {
    let units = ["B", "K", "M", "G", "T", "P"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 || value >= 1024.0 { format!("{bytes}B") } else { format!("{value:.2}{}", units[unit]) }
}

fn persistence(server: &Server, out: &mut String) {
    let (file, rewrites) = (&server.append_only, &server.append_only.rewrites);
    let status = &server.status;
    let (progress, saving) = (server.snapshot_progress(), server.is_saving());
    let percent = (progress.entries * 10_000).checked_div(progress.total).unwrap_or(0) as f64 / 100.0;
    let current = server.snapshot.as_ref().map(|running| running.started.elapsed().as_secs() as i64);
    let word = |ok| if ok { "ok" } else { "err" };
    lines!(out,
        "loading" => u8::from(server.is_loading()),
        "async_loading" => u8::from(server.is_loading_aside()),
        "current_cow_peak" => 0,
        "current_cow_size" => 0,
        "current_cow_size_age" => 0,
        "current_fork_perc" => format_args!("{percent:.2}"),
        "current_save_keys_processed" => progress.entries,
        "current_save_keys_total" => progress.total,
        "rdb_changes_since_last_save" => server.unsaved_changes(),
        "rdb_bgsave_in_progress" => u8::from(saving),
        "rdb_last_save_time" => status.last_save,
        "rdb_last_bgsave_status" => word(status.last_ok),
        "rdb_last_bgsave_time_sec" => status.last_duration.map_or(-1, |took| took.as_secs() as i64),
        "rdb_current_bgsave_time_sec" => current.filter(|_| saving).unwrap_or(-1),
        "rdb_saves" => status.saves,
        "rdb_last_cow_size" => 0,
        "rdb_last_load_keys_expired" => status.keys_expired,
        "rdb_last_load_keys_loaded" => status.keys_loaded,
        "aof_enabled" => u8::from(file.is_on()),
        "aof_rewrite_in_progress" => u8::from(rewrites.running_since.is_some()),
        "aof_rewrite_scheduled" => u8::from(rewrites.scheduled),
        "aof_last_rewrite_time_sec" => seconds(rewrites.last_duration),
        "aof_current_rewrite_time_sec" => seconds(rewrites.running_since.map(|since| since.elapsed())),
        "aof_last_bgrewrite_status" => word(rewrites.last_ok.unwrap_or(true)),
        "aof_rewrites" => rewrites.count,
        "aof_rewrites_consecutive_failures" => rewrites.failures,
        "aof_last_write_status" => word(file.failure().is_none()),
        "aof_last_cow_size" => 0,
        "module_fork_in_progress" => 0,
        "module_fork_last_cow_size" => 0,
    );
    if let Some(log) = file.log.as_ref().filter(|_| file.is_on()) {
        lines!(out,
            "aof_current_size" => file.len(),
            "aof_base_size" => file.len_at_rewrite,
            "aof_pending_rewrite" => u8::from(rewrites.scheduled),
            "aof_buffer_length" => log.pending() + server.streams.log.bytes.len(),
            "aof_pending_bio_fsync" => log.syncer().running(),
            "aof_delayed_fsync" => log.delayed,
        );
    }
    let of_rdb = server.loading.as_ref().map(|loading| {
        let (read, total) = loading.progress();
        (loading.started, total, read, loading.used_memory())
    });
    let of_log = file.loading.map(|(started, total, read)| (started, total, read, 0));
    if let Some((started, total, read, used)) = of_rdb.or(of_log) {
        let elapsed = started.elapsed().as_secs();
        let left = (elapsed * total.saturating_sub(read)).checked_div(read).unwrap_or(1);
        let percent = (read * 10_000).checked_div(total).unwrap_or(0) as f64 / 100.0;
        lines!(out,
            "loading_start_time" => since_1970().as_secs() - elapsed,
            "loading_total_bytes" => total,
            "loading_rdb_used_mem" => used,
            "loading_loaded_bytes" => read,
            "loading_loaded_perc" => format_args!("{percent:.2}"),
            "loading_eta_seconds" => left,
        );
    }
}

/// Whole seconds; -1 for never.
fn seconds(duration: Option<std::time::Duration>) -> i64 {
    duration.map_or(-1, |duration| duration.as_secs() as i64)
}

fn stats(server: &Server, out: &mut String) {
    let (stats, keys) = (&server.stats, &server.databases.stats);
    let kilobytes = |rate: f64| format!("{:.2}", rate / 1024.0);
    let (tracked, items, prefixes) = server.tracking.counts();
    lines!(out,
        "total_connections_received" => stats.connections,
        "total_commands_processed" => stats.commands,
        "instantaneous_ops_per_sec" => stats.commands_rate.average().round() as u64,
        "total_net_input_bytes" => stats.bytes_in,
        "total_net_output_bytes" => stats.bytes_out,
        "total_net_repl_input_bytes" => stats.repl_bytes_in,
        "total_net_repl_output_bytes" => stats.repl_bytes_out,
        "instantaneous_input_kbps" => kilobytes(stats.input_rate.average()),
        "instantaneous_output_kbps" => kilobytes(stats.output_rate.average()),
        "instantaneous_input_repl_kbps" => kilobytes(stats.repl_input_rate.average()),
        "instantaneous_output_repl_kbps" => kilobytes(stats.repl_output_rate.average()),
        "rejected_connections" => stats.rejected,
        "sync_full" => stats.full_syncs,
        "sync_partial_ok" => stats.partial_syncs,
        "sync_partial_err" => stats.refused_partial_syncs,
        "expired_keys" => keys.expired,
        // What has expired is known exactly, and removed as fast as time allows.
        "expired_stale_perc" => "0.00",
        "expired_time_cap_reached_count" => keys.expire_stopped,
        "expire_cycle_cpu_milliseconds" => stats.expire_time.as_millis(),
        "evicted_keys" => keys.evicted,
        "evicted_clients" => stats.evicted_clients,
        "total_eviction_exceeded_time" => stats.over_limit.total().as_millis(),
        "current_eviction_exceeded_time" => stats.over_limit.current().as_millis(),
        "keyspace_hits" => keys.hits,
        "keyspace_misses" => keys.misses,
        "pubsub_channels" => server.channels.count(Kind::Channel),
        "pubsub_patterns" => server.channels.count(Kind::Pattern),
        "pubsubshard_channels" => server.channels.count(Kind::Shard),
        "latest_fork_usec" => 0,
        "total_forks" => stats.snapshots,
        "migrate_cached_sockets" => server.targets.len(),
        "slave_expires_tracked_keys" => 0,
        "active_defrag_hits" => 0,
        "active_defrag_misses" => 0,
        "active_defrag_key_hits" => 0,
        "active_defrag_key_misses" => 0,
        "total_active_defrag_time" => 0,
        "current_active_defrag_time" => 0,
        "tracking_total_keys" => tracked,
        "tracking_total_items" => items,
        "tracking_total_prefixes" => prefixes,
        "unexpected_error_replies" => 0,
        "total_error_replies" => stats.errors.total,
        "dump_payload_sanitizations" => 0,
        "total_reads_processed" => stats.reads,
        "total_writes_processed" => stats.writes,
        "io_threaded_reads_processed" => 0,
        "io_threaded_writes_processed" => 0,
        "reply_buffer_shrinks" => 0,
        "reply_buffer_expands" => 0,
    );
}

fn cpu(out: &mut String) {
    let (process, thread) = (cpu_times(), thread_cpu_times());
    lines!(out,
        "used_cpu_sys" => format_args!("{:.6}", process.system),
        "used_cpu_user" => format_args!("{:.6}", process.user),
        "used_cpu_sys_children" => format_args!("{:.6}", process.children_system),
        "used_cpu_user_children" => format_args!("{:.6}", process.children_user),
        "used_cpu_sys_main_thread" => format_args!("{:.6}", thread.system),
        "used_cpu_user_main_thread" => format_args!("{:.6}", thread.user),
    );
}

fn keyspace(server: &Server, out: &mut String) {
    for (number, keyspace) in server.databases.iter().enumerate() {
        if !keyspace.is_empty() {
            let _ = write!(
                out,
                "db{number}:keys={},expires={},avg_ttl={}\r\n",
                keyspace.len(),
                keyspace.volatile_len(),
                keyspace.average_ttl(server.now)
            );
        }
    }
}

#[cfg(test)]
#[path = "info_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "info_state_tests.rs"]
mod state_tests;
