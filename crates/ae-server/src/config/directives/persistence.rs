//! Persistence, which is still to come: what would save is refused, how it would be done is kept.

use crate::config::format::{BYTES, Format, INT, int};
use crate::config::parameter::Change::{AnyTime, AtStart, Protected};
use crate::config::parameter::{Access, Parameter, directive, fixed, kept};
use crate::config::words;

const NOTHING_SAVED: &str = "it has no persistence yet";
const ANY_INT: Format = int(i32::MIN as i128);

const DB_FILE: Format = Format::Text(|name| words::base_name(name, "dbfilename can't be a path, just a filename"));

const AOF_FILE: Format = Format::Text(|name| match name {
    "" => Err("appendfilename can't be empty"),
    _ => words::base_name(name, "appendfilename can't be a path, just a filename"),
});

const AOF_DIR: Format = Format::Text(|name| match name {
    "" => Err("appenddirname can't be empty"),
    _ => words::base_name(name, "appenddirname can't be a path, just a dirname"),
});

macro_rules! switch {
    ($name:literal, $change:ident, $default:literal) => {
        kept($name, $change, Format::Switch, $default, NOTHING_SAVED)
    };
}

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "save",
        AnyTime,
        Access::Words { several: true, get: |_| Vec::new(), set: words::set_save, lines: |_| vec![b"\"\"".into()] },
        "\"\"",
        "nothing is saved yet",
    ),
    fixed("appendonly", AnyTime, Format::Switch, "no", NOTHING_SAVED),
    kept("dbfilename", Protected, DB_FILE, "dump.rdb", NOTHING_SAVED),
    kept("appendfilename", AtStart, AOF_FILE, "appendonly.aof", NOTHING_SAVED),
    kept("appenddirname", AtStart, AOF_DIR, "appendonlydir", NOTHING_SAVED),
    kept(
        "appendfsync",
        AnyTime,
        Format::Choice(&[("everysec", 0), ("always", 1), ("no", 2)]),
        "everysec",
        NOTHING_SAVED,
    ),
    kept("auto-aof-rewrite-percentage", AnyTime, INT, "100", NOTHING_SAVED),
    kept("auto-aof-rewrite-min-size", AnyTime, BYTES, "67108864", NOTHING_SAVED),
    kept("rdb-key-save-delay", AnyTime, ANY_INT, "0", NOTHING_SAVED).hidden(),
    kept("key-load-delay", AnyTime, ANY_INT, "0", NOTHING_SAVED).hidden(),
    kept(
        "loading-process-events-interval-bytes",
        AnyTime,
        Format::Integer { min: 1024, max: i32::MAX as i128 },
        "2097152",
        NOTHING_SAVED,
    )
    .hidden(),
    switch!("rdbcompression", AnyTime, "yes"),
    switch!("rdbchecksum", AtStart, "yes"),
    switch!("rdb-del-sync-files", AnyTime, "no"),
    switch!("rdb-save-incremental-fsync", AnyTime, "yes"),
    switch!("stop-writes-on-bgsave-error", AnyTime, "yes"),
    switch!("no-appendfsync-on-rewrite", AnyTime, "no"),
    switch!("aof-rewrite-incremental-fsync", AnyTime, "yes"),
    switch!("aof-load-truncated", AnyTime, "yes"),
    switch!("aof-use-rdb-preamble", AnyTime, "yes"),
    switch!("aof-timestamp-enabled", AnyTime, "no"),
    switch!("aof-disable-auto-gc", AnyTime, "no"),
];
