//! Memory, expiry and what is freed in the background.

use crate::config::choices::POLICY;
use crate::config::format::{Format, INT, MIB, int};
use crate::config::parameter::Change::{AnyTime, AtStart};
use crate::config::parameter::{Parameter, directive, field, kept};

const ALWAYS_LAZY: &str = "large values are always freed piece by piece";
const NO_DEFRAGMENTATION: &str = "there is no active defragmentation";
const BYTES_FROM_1: Format = Format::Memory { min: 1, max: i64::MAX as u64 };
const PERCENT: Format = Format::Integer { min: 1, max: 99 };
const UP_TO_1000: Format = Format::Integer { min: 0, max: 1000 };
const FIELDS: Format = Format::Integer { min: 1, max: i64::MAX as i128 };

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "maxmemory",
        AnyTime,
        field!(memory.max, Format::Memory { min: 0, max: u64::MAX }),
        "BYTES",
        "limit on memory (0: none)",
    ),
    directive("maxmemory-policy", AnyTime, field!(memory.policy, POLICY), "NAME", "what is evicted (noeviction)"),
    directive("maxmemory-samples", AnyTime, field!(memory.samples, int(1)), "N", "keys compared at an eviction (5)"),
    directive(
        "maxmemory-eviction-tenacity",
        AnyTime,
        field!(memory.eviction_tenacity, Format::Integer { min: 0, max: 100 }),
        "N",
        "how long evictions may hold up others (10 of 100)",
    ),
    directive(
        "script-memory-limit",
        AnyTime,
        field!(memory.scripts, Format::Memory { min: MIB, max: i64::MAX as u64 }),
        "BYTES",
        "for scripts, and again for functions (1gb)",
    ),
    directive("lfu-log-factor", AnyTime, field!(memory.lfu_log_factor, INT), "N", "how slowly LFU counts (10)"),
    directive("lfu-decay-time", AnyTime, field!(memory.lfu_decay_time, INT), "MINUTES", "how fast LFU forgets (1)"),
    directive(
        "active-expire-effort",
        AnyTime,
        field!(memory.expire_effort, Format::Integer { min: 1, max: 10 }),
        "N",
        "effort to expire keys that nobody asks for, from 1 (the default) to 10",
    ),
    kept("lazyfree-lazy-eviction", AnyTime, Format::Switch, "no", ALWAYS_LAZY),
    kept("lazyfree-lazy-expire", AnyTime, Format::Switch, "no", ALWAYS_LAZY),
    kept("lazyfree-lazy-server-del", AnyTime, Format::Switch, "no", ALWAYS_LAZY),
    kept("lazyfree-lazy-user-del", AnyTime, Format::Switch, "no", ALWAYS_LAZY),
    directive(
        "lazyfree-lazy-user-flush",
        AnyTime,
        field!(memory.lazy_user_flush, Format::Switch),
        "yes|no",
        "FLUSHALL and FLUSHDB are ASYNC by default (no)",
    ),
    kept("activedefrag", AnyTime, Format::Switch, "no", NO_DEFRAGMENTATION),
    kept("active-defrag-ignore-bytes", AnyTime, BYTES_FROM_1, "104857600", NO_DEFRAGMENTATION),
    kept("active-defrag-threshold-lower", AnyTime, UP_TO_1000, "10", NO_DEFRAGMENTATION),
    kept("active-defrag-threshold-upper", AnyTime, UP_TO_1000, "100", NO_DEFRAGMENTATION),
    kept("active-defrag-cycle-min", AnyTime, PERCENT, "1", NO_DEFRAGMENTATION),
    kept("active-defrag-cycle-max", AnyTime, PERCENT, "25", NO_DEFRAGMENTATION),
    kept("active-defrag-max-scan-fields", AnyTime, FIELDS, "1000", NO_DEFRAGMENTATION),
    kept("jemalloc-bg-thread", AnyTime, Format::Switch, "yes", "jemalloc's background thread always runs"),
    kept("disable-thp", AtStart, Format::Switch, "yes", "ae-server leaves transparent huge pages as they are"),
    kept("activerehashing", AnyTime, Format::Switch, "yes", "tables never need it"),
];
