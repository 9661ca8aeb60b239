//! Replication: the server among its replicas, and as a replica itself.

use crate::config::choices::{DISKLESS_LOAD, Field};
use crate::config::format::{Format, INT, LONG, PORT, TEXT, int};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Access, Parameter, directive, field, kept};
use crate::config::words;

/// The smallest backlog, in bytes.
const BACKLOG_MIN: u64 = 16 * 1024;

macro_rules! own {
    ($name:literal, $field:ident, $format:expr) => {
        directive($name, AnyTime, field!(replication.$field, $format), "", "")
    };
}

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "replicaof",
        AtStart,
        Access::Words {
            several: true,
            get: words::replicaof,
            set: words::set_replicaof,
            lines: words::replicaof_lines,
        },
        "HOST PORT",
        "be a replica of that server",
    )
    .alias("slaveof"),
    own!("min-replicas-to-write", min_replicas, INT).alias("min-slaves-to-write"),
    own!("min-replicas-max-lag", min_replicas_max_lag, INT).alias("min-slaves-max-lag"),
    own!("masterauth", primary_password, Format::Bytes),
    own!("masteruser", primary_user, TEXT),
    own!("replica-announce-ip", announce_ip, TEXT).alias("slave-announce-ip"),
    own!("replica-announce-port", announce_port, PORT).alias("slave-announce-port"),
    own!("replica-priority", priority, INT).alias("slave-priority"),
    own!("replica-announced", announced, Format::Switch),
    own!("replica-serve-stale-data", serves_stale, Format::Switch).alias("slave-serve-stale-data"),
    own!("replica-read-only", read_only, Format::Switch).alias("slave-read-only"),
    kept(
        "replica-lazy-flush",
        AnyTime,
        Format::Switch,
        "no",
        "large values are always freed piece by piece, and whole databases in a thread",
    )
    .alias("slave-lazy-flush"),
    own!("replica-ignore-maxmemory", ignores_max_memory, Format::Switch).alias("slave-ignore-maxmemory"),
    kept(
        "replica-ignore-disk-write-errors",
        AnyTime,
        Format::Switch,
        "no",
        "a replica always does what its primary sends",
    ),
    own!("repl-disable-tcp-nodelay", disables_no_delay, Format::Switch),
    own!("repl-diskless-sync", diskless, Format::Switch),
    own!("repl-diskless-sync-delay", diskless_delay, INT),
    own!("repl-diskless-sync-max-replicas", diskless_max_replicas, INT),
    own!("repl-diskless-load", diskless_load, DISKLESS_LOAD),
    own!("repl-timeout", timeout, int(1)),
    own!("repl-ping-replica-period", ping_period, int(1)).alias("repl-ping-slave-period"),
    directive(
        "repl-backlog-size",
        AnyTime,
        Access::Field {
            format: Format::Memory { min: 1, max: i64::MAX as u64 },
            get: |config| Field::value(&config.replication.backlog_size),
            set: |config, value| {
                let size = &mut config.replication.backlog_size;
                Field::assign(size, value);
                // As in Redis: with less no replica would ever go on where it was.
                *size = (*size).max(BACKLOG_MIN);
            },
        },
        "",
        "",
    ),
    own!("repl-backlog-ttl", backlog_ttl, LONG),
    kept(
        "propagation-error-behavior",
        AnyTime,
        Format::Choice(&[("ignore", 0), ("panic", 1), ("panic-on-replicas", 2)]),
        "ignore",
        "a request of the primary that fails is logged, and the next one runs",
    ),
];
