//! INFO's section about replication.

use crate::clients::client::Client;
use crate::replication::backlog::Backlog;
use crate::replication::link::{Link, Phase};
use crate::server::state::Server;
use std::fmt::Write;

/// Writes its lines; writing to a string does not fail.
macro_rules! lines {
    ($out:expr, $($name:literal => $value:expr),+ $(,)?) => {
        $(let _ = write!($out, concat!($name, ":{}\r\n"), $value);)+
    };
}

pub fn replication(server: &Server, current: &Client, out: &mut String) {
    let state = &server.replication;
    lines!(out, "role" => if state.link.is_some() { "slave" } else { "master" });
    if let Some(link) = &state.link {
        primary(server, link, out);
    }
    let online = server.replicas(Some(current)).count();
    lines!(out, "connected_slaves" => online);
    let settings = &server.config.replication;
    if settings.min_replicas > 0 && settings.min_replicas_max_lag > 0 {
        lines!(out, "min_slaves_good_slaves" => server.good_replicas());
    }
    for (number, (client, replica)) in server.replicas(Some(current)).enumerate() {
        let (ip, port, state) = (client.replica_ip(), replica.port, replica.state_name());
        let (offset, lag) = (replica.acknowledged, replica.lag(server.ticks));
        let _ = write!(out, "slave{number}:ip={ip},port={port},state={state},offset={offset},lag={lag}\r\n");
    }
    let (second, second_offset) = match &state.second {
        Some((id, offset)) => (id.clone(), *offset as i64),
        None => ("0".repeat(40), -1),
    };
    let backlog = state.backlog.as_ref();
    lines!(out,
        "master_failover_state" => state.failover.as_ref().map_or("no-failover", |failover| failover.state_name()),
        "master_replid" => state.id,
        "master_replid2" => second,
        "master_repl_offset" => server.replication_offset(),
        "second_repl_offset" => second_offset,
        "repl_backlog_active" => i32::from(backlog.is_some()),
        "repl_backlog_size" => settings.backlog_size,
        "repl_backlog_first_byte_offset" => backlog.map_or(0, Backlog::first),
        "repl_backlog_histlen" => backlog.map_or(0, Backlog::len),
    );
}

fn primary(server: &Server, link: &Link, out: &mut String) {
    let settings = &server.config.replication;
    let since = |then: i64| (server.ticks - then) / 1000;
    let is_syncing = matches!(link.phase, Phase::Transfer | Phase::Loading);
    let offset = server.replication.offset;
    lines!(out,
        "master_host" => link.host,
        "master_port" => link.port,
        "master_link_status" => if link.is_up() { "up" } else { "down" },
        "master_last_io_seconds_ago" => if link.is_up() { since(link.heard_at) } else { -1 },
        "master_sync_in_progress" => i32::from(is_syncing),
        "slave_read_repl_offset" => offset,
        "slave_repl_offset" => offset,
    );
    if is_syncing {
        let left = link.copy_len.map(|len| len.saturating_sub(link.copy_read));
        let percent = link.copy_len.map_or(0.0, |len| link.copy_read as f64 * 100.0 / len.max(1) as f64);
        lines!(out,
            "master_sync_total_bytes" => link.copy_len.unwrap_or(0),
            "master_sync_read_bytes" => link.copy_read,
            "master_sync_left_bytes" => left.map_or(-1, |left| left as i64),
            "master_sync_perc" => format_args!("{percent:.2}"),
            "master_sync_last_io_seconds_ago" => since(link.heard_at),
        );
    }
    if !link.is_up() {
        lines!(out, "master_link_down_since_seconds" => link.down_since.map_or(-1, since));
    }
    lines!(out,
        "slave_priority" => settings.priority,
        "slave_read_only" => i32::from(settings.read_only),
        "replica_announced" => i32::from(settings.announced),
    );
}
