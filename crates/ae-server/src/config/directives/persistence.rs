//! Persistence. RDB files are still to come: only their settings are kept.

use crate::config::choices::FSYNC;
use crate::config::format::{BYTES, Format, INT, int};
use crate::config::parameter::Change::{AnyTime, AtStart, Protected};
use crate::config::parameter::{Access, Parameter, directive, field, kept};
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
    directive(
        "appendonly",
        AnyTime,
        field!(append_only.on, Format::Switch),
        "yes|no",
        "write every change to the append-only file (no)",
    ),
    kept("dbfilename", Protected, DB_FILE, "dump.rdb", NOTHING_SAVED),
    directive(
        "appendfilename",
        AtStart,
        field!(append_only.name, AOF_FILE),
        "NAME",
        "what the names of the append-only file's parts begin with (appendonly.aof)",
    ),
    directive(
        "appenddirname",
        AtStart,
        field!(append_only.folder, AOF_DIR),
        "NAME",
        "the folder in dir that they are in (appendonlydir)",
    ),
    directive(
        "appendfsync",
        AnyTime,
        field!(append_only.fsync, FSYNC),
        "everysec|always|no",
        "when what is written is synced (everysec); always: before any reply",
    ),
    directive(
        "auto-aof-rewrite-percentage",
        AnyTime,
        field!(append_only.rewrite_percentage, INT),
        "N",
        "rewrite the append-only file when it has grown so much, 0 for never (100)",
    ),
    directive(
        "auto-aof-rewrite-min-size",
        AnyTime,
        field!(append_only.rewrite_min_size, BYTES),
        "BYTES",
        "and has at least this size (64mb)",
    ),
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
    directive(
        "no-appendfsync-on-rewrite",
        AnyTime,
        field!(append_only.no_fsync_on_rewrite, Format::Switch),
        "yes|no",
        "sync nothing while a rewrite is running (no)",
    ),
    directive(
        "aof-rewrite-incremental-fsync",
        AnyTime,
        field!(append_only.incremental_fsync, Format::Switch),
        "yes|no",
        "sync what is rewritten every few megabytes (yes)",
    ),
    directive(
        "aof-load-truncated",
        AnyTime,
        field!(append_only.load_truncated, Format::Switch),
        "yes|no",
        "cut a torn end of the append-only file off (yes)",
    ),
    directive(
        "aof-use-rdb-preamble",
        AnyTime,
        field!(append_only.rdb_preamble, Format::Switch),
        "yes|no",
        "rewrite to the RDB format, not to requests (yes)",
    ),
    directive(
        "aof-timestamp-enabled",
        AnyTime,
        field!(append_only.timestamps, Format::Switch),
        "yes|no",
        "write the time into the append-only file (no)",
    ),
    directive(
        "aof-disable-auto-gc",
        AnyTime,
        field!(append_only.keep_history, Format::Switch),
        "yes|no",
        "keep files that a rewrite has replaced (no)",
    ),
];
