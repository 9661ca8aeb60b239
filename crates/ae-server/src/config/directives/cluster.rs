//! Cluster mode, which there is not.

use crate::config::format::{Format, INT, LONG, PORT, TEXT};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Parameter, fixed, kept};

const NO_CLUSTER: &str = "it has no cluster mode";

const HOSTNAME: Format = Format::Text(|name| {
    if name.len() >= 256 {
        return Err("Hostnames must be less than 256 characters");
    }
    let valid = name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.');
    if valid { Ok(()) } else { Err("Hostnames may only contain alphanumeric characters, hyphens or dots") }
});

macro_rules! switch {
    ($name:literal, $default:literal) => {
        kept($name, AnyTime, Format::Switch, $default, NO_CLUSTER)
    };
}

pub const DIRECTIVES: &[Parameter] = &[
    fixed("cluster-enabled", AtStart, Format::Switch, "no", NO_CLUSTER),
    kept("cluster-config-file", AtStart, TEXT, "nodes.conf", NO_CLUSTER),
    kept("cluster-port", AtStart, PORT, "0", NO_CLUSTER),
    kept("cluster-announce-ip", AnyTime, TEXT, "", NO_CLUSTER),
    kept("cluster-announce-hostname", AnyTime, HOSTNAME, "", NO_CLUSTER),
    kept("cluster-announce-port", AnyTime, PORT, "0", NO_CLUSTER),
    kept("cluster-announce-tls-port", AnyTime, PORT, "0", NO_CLUSTER),
    kept("cluster-announce-bus-port", AnyTime, PORT, "0", NO_CLUSTER),
    kept("cluster-node-timeout", AnyTime, LONG, "15000", NO_CLUSTER),
    kept("cluster-migration-barrier", AnyTime, INT, "1", NO_CLUSTER),
    kept("cluster-replica-validity-factor", AnyTime, INT, "10", NO_CLUSTER).alias("cluster-slave-validity-factor"),
    kept("cluster-link-sendbuf-limit", AnyTime, Format::Memory { min: 0, max: u64::MAX }, "0", NO_CLUSTER),
    kept(
        "cluster-preferred-endpoint-type",
        AnyTime,
        Format::Choice(&[("ip", 0), ("hostname", 1), ("unknown-endpoint", 2)]),
        "ip",
        NO_CLUSTER,
    ),
    switch!("cluster-replica-no-failover", "no").alias("cluster-slave-no-failover"),
    switch!("cluster-allow-replica-migration", "yes"),
    switch!("cluster-require-full-coverage", "yes"),
    switch!("cluster-allow-reads-when-down", "no"),
    switch!("cluster-allow-pubsubshard-when-down", "yes"),
];
