//! Replication, which is still to come: what would start it or depend on it is refused, the rest is kept.

use crate::config::format::{Format, INT, LONG, PORT, TEXT, int};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Access, Parameter, directive, fixed, kept};
use crate::config::words;

const NO_REPLICATION: &str = "it has no replication yet";

macro_rules! switch {
    ($name:literal, $default:literal) => {
        kept($name, AnyTime, Format::Switch, $default, NO_REPLICATION)
    };
}

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "replicaof",
        AtStart,
        Access::Words { several: true, get: |_| Vec::new(), set: words::set_replicaof, lines: |_| Vec::new() },
        "no one",
        "there is no replication yet",
    )
    .alias("slaveof"),
    // With a number of replicas to wait for, no write could be accepted.
    fixed("min-replicas-to-write", AnyTime, INT, "0", NO_REPLICATION).alias("min-slaves-to-write"),
    kept("min-replicas-max-lag", AnyTime, INT, "10", NO_REPLICATION).alias("min-slaves-max-lag"),
    kept("masterauth", AnyTime, Format::Bytes, "", NO_REPLICATION),
    kept("masteruser", AnyTime, TEXT, "", NO_REPLICATION),
    kept("replica-announce-ip", AnyTime, TEXT, "", NO_REPLICATION).alias("slave-announce-ip"),
    kept("replica-announce-port", AnyTime, PORT, "0", NO_REPLICATION).alias("slave-announce-port"),
    kept("replica-priority", AnyTime, INT, "100", NO_REPLICATION).alias("slave-priority"),
    switch!("replica-announced", "yes"),
    switch!("replica-serve-stale-data", "yes").alias("slave-serve-stale-data"),
    switch!("replica-read-only", "yes").alias("slave-read-only"),
    switch!("replica-lazy-flush", "no").alias("slave-lazy-flush"),
    switch!("replica-ignore-maxmemory", "yes").alias("slave-ignore-maxmemory"),
    switch!("replica-ignore-disk-write-errors", "no"),
    switch!("repl-disable-tcp-nodelay", "no"),
    switch!("repl-diskless-sync", "yes"),
    kept("repl-diskless-sync-delay", AnyTime, INT, "5", NO_REPLICATION),
    kept("repl-diskless-sync-max-replicas", AnyTime, INT, "0", NO_REPLICATION),
    kept(
        "repl-diskless-load",
        AnyTime,
        Format::Choice(&[("disabled", 0), ("on-empty-db", 1), ("swapdb", 2)]),
        "disabled",
        NO_REPLICATION,
    ),
    kept("repl-timeout", AnyTime, int(1), "60", NO_REPLICATION),
    kept("repl-ping-replica-period", AnyTime, int(1), "10", NO_REPLICATION).alias("repl-ping-slave-period"),
    kept("repl-backlog-size", AnyTime, Format::Memory { min: 1, max: i64::MAX as u64 }, "1048576", NO_REPLICATION),
    kept("repl-backlog-ttl", AnyTime, LONG, "3600", NO_REPLICATION),
    kept(
        "propagation-error-behavior",
        AnyTime,
        Format::Choice(&[("ignore", 0), ("panic", 1), ("panic-on-replicas", 2)]),
        "ignore",
        NO_REPLICATION,
    ),
];
