//! The sections of INFO.

use crate::clients::client::Client;
use crate::server::state::Server;
use std::fmt::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The Redis whose behaviour clients may expect. They choose features by it.
pub const REDIS_VERSION: &str = "7.2.4";

/// Writes a section's lines.
pub type Section = fn(&Server, &mut String);

/// In the order of the reply.
pub const SECTIONS: &[(&str, Section)] = &[
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", |_, out| out.push_str("loading:0\r\nasync_loading:0\r\naof_enabled:0\r\n")),
    ("Stats", stats),
    ("Replication", |_, out| out.push_str("role:master\r\nconnected_slaves:0\r\n")),
    ("CPU", cpu),
    ("Cluster", |_, out| out.push_str("cluster_enabled:0\r\n")),
    ("Keyspace", keyspace),
];

/// Writes `name:value` lines; writing to a string does not fail.
macro_rules! lines {
    ($out:expr, $($name:literal => $value:expr),+ $(,)?) => {
        $(let _ = write!($out, concat!($name, ":{}\r\n"), $value);)+
    };
}

fn server(server: &Server, out: &mut String) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let uptime = server.started.elapsed().as_secs();
    lines!(out,
        "redis_version" => REDIS_VERSION,
        "ae_server_version" => env!("CARGO_PKG_VERSION"),
        "redis_mode" => "standalone",
        "os" => std::env::consts::OS,
        "arch_bits" => usize::BITS,
        "multiplexing_api" => server.backend,
        "process_id" => std::process::id(),
        "run_id" => server.run_id,
        "tcp_port" => server.tcp_port,
        "server_time_usec" => now.as_micros(),
        "uptime_in_seconds" => uptime,
        "uptime_in_days" => uptime / 86400,
        "hz" => server.config.hz,
        "configured_hz" => server.config.hz,
        "executable" => std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
        "config_file" => server.config.file.as_deref().unwrap_or(Path::new("")).display(),
    );
}

fn clients(server: &Server, out: &mut String) {
    let largest = |size: fn(&Client) -> usize| server.clients.iter().map(size).max().unwrap_or(0);
    lines!(out,
        "connected_clients" => server.clients.count(),
        "cluster_connections" => 0,
        "maxclients" => server.config.max_clients,
        "client_recent_max_input_buffer" => largest(|client| client.input.as_ref().map_or(0, |input| input.memory())),
        "client_recent_max_output_buffer" => largest(|client| client.output.memory()),
        "blocked_clients" => 0,
        "tracking_clients" => 0,
        "clients_in_timeout_table" => 0,
    );
}

fn memory(server: &Server, out: &mut String) {
    let (used, peak) = (crate::memory::used(), server.last_sample.peak_memory);
    let peak = peak.max(used);
    let resident = resident_memory();
    lines!(out,
        "used_memory" => used,
        "used_memory_human" => human(used),
        "used_memory_rss" => resident,
        "used_memory_rss_human" => human(resident),
        "used_memory_peak" => peak,
        "used_memory_peak_human" => human(peak),
        "maxmemory" => 0,
        "maxmemory_human" => "0B",
        "maxmemory_policy" => "noeviction",
        "mem_allocator" => crate::memory::NAME,
        "lazyfree_pending_objects" => 0,
    );
}

/// As the kernel counts it, in bytes.
fn resident_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn human(bytes: u64) -> String {
    let units = ["B", "K", "M", "G", "T"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{value:.2}{}", units[unit]) }
}

fn stats(server: &Server, out: &mut String) {
    let stats = &server.stats;
    lines!(out,
        "total_connections_received" => stats.connections,
        "total_commands_processed" => stats.commands,
        "instantaneous_ops_per_sec" => stats.ops.round() as u64,
        "total_net_input_bytes" => stats.bytes_in,
        "total_net_output_bytes" => stats.bytes_out,
        "rejected_connections" => stats.rejected,
        "expired_keys" => server.databases.stats.expired,
        "expired_time_cap_reached_count" => server.databases.stats.expire_stopped,
        "evicted_keys" => server.databases.stats.evicted,
        "keyspace_hits" => server.databases.stats.hits,
        "keyspace_misses" => server.databases.stats.misses,
        "total_error_replies" => stats.errors,
    );
}

fn cpu(_: &Server, out: &mut String) {
    // Fields 14 and 15, counted behind the name, which may hold spaces; in ticks, of which Linux has 100 a second.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let seconds = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) / 100.0;
    lines!(out,
        "used_cpu_sys" => format_args!("{:.6}", seconds(12)),
        "used_cpu_user" => format_args!("{:.6}", seconds(11)),
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
mod tests {
    use super::human;

    #[test]
    fn sizes_for_people() {
        assert_eq!([0, 1023, 1024, 1536 * 1024].map(human), ["0B", "1023B", "1.00K", "1.50M"].map(String::from));
    }
}
