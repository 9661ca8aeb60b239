//! Clients, and the limits on each.

use crate::config::format::{Format, INT, LONG, MIB};
use crate::config::parameter::Change::AnyTime;
use crate::config::parameter::{Access, Parameter, directive, field};
use crate::config::words;

const LIMIT: Format = Format::Memory { min: MIB, max: i64::MAX as u64 };

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "maxclients",
        AnyTime,
        field!(max_clients, Format::Integer { min: 1, max: u32::MAX as i128 }),
        "N",
        "clients served at the same time (10000)",
    ),
    directive("timeout", AnyTime, field!(timeout, INT), "SECONDS", "close clients idle for so long (0: never)"),
    directive("proto-max-bulk-len", AnyTime, field!(max_bulk, LIMIT), "BYTES", "longest argument and value (512mb)"),
    directive(
        "client-query-buffer-limit",
        AnyTime,
        field!(query_buffer_limit, LIMIT),
        "BYTES",
        "longest unfinished request (1gb)",
    ),
    directive(
        "client-output-buffer-limit",
        AnyTime,
        Access::Words {
            several: true,
            get: |c| c.output_limits.show(),
            set: |c, words| c.output_limits.set(words),
            lines: |c| c.output_limits.lines(),
        },
        "CLASS HARD SOFT SECONDS...",
        "replies that may wait for a client of the class normal, replica or pubsub",
    ),
    directive(
        "maxmemory-clients",
        AnyTime,
        field!(memory.max_clients, Format::MemoryOrPercent),
        "BYTES",
        "memory of all clients together (0: no limit), or percent of maxmemory",
    ),
    directive(
        "tracking-table-max-keys",
        AnyTime,
        field!(tracking_max_keys, LONG),
        "N",
        "keys remembered for clients that track (1000000); 0 for any number",
    ),
    directive(
        "notify-keyspace-events",
        AnyTime,
        Access::Words {
            several: false,
            get: |c| c.keyspace_events.letters(),
            set: words::set_keyspace_events,
            lines: |c| vec![crate::config::format::quoted(&c.keyspace_events.letters())],
        },
        "CLASSES",
        "events of keys that are published (none)",
    ),
];
