//! Persistence. Of the append-only file, which is still to come, only the settings are kept.

use crate::config::format::{BYTES, Format, INT, int};
use crate::config::parameter::Change::{AnyTime, AtStart, Protected};
use crate::config::parameter::{Access, Parameter, directive, field, fixed, kept};
use crate::config::words;

const NOTHING_SAVED: &str = "it has no append-only file yet";
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
        Access::Words { several: true, get: words::save, set: words::set_save, lines: words::save_lines },
        "[SECONDS CHANGES]...",
        "save after so much time and so many changes, \"\" for never (3600 1 300 100 60 10000)",
    ),
    fixed("appendonly", AnyTime, Format::Switch, "no", NOTHING_SAVED),
    directive(
        "dbfilename",
        Protected,
        field!(saving.file, DB_FILE),
        "NAME",
        "the RDB file in the folder dir (dump.rdb)",
    ),
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
    directive("rdb-key-save-delay", AnyTime, field!(saving.key_save_delay, ANY_INT), "", "").hidden(),
    directive("key-load-delay", AnyTime, field!(saving.key_load_delay, ANY_INT), "", "").hidden(),
    kept(
        "loading-process-events-interval-bytes",
        AnyTime,
        Format::Integer { min: 1024, max: i32::MAX as i128 },
        "2097152",
        "what is loaded is measured in time, not in bytes",
    )
    .hidden(),
    directive(
        "rdbcompression",
        AnyTime,
        field!(saving.compression, Format::Switch),
        "yes|no",
        "compress strings in RDB files (yes)",
    ),
    directive(
        "rdbchecksum",
        AtStart,
        field!(saving.checksum, Format::Switch),
        "yes|no",
        "have RDB files end with a checksum (yes)",
    ),
    directive(
        "rdb-del-sync-files",
        AnyTime,
        field!(saving.delete_sync_files, Format::Switch),
        "yes|no",
        "remove RDB files that were for replication alone (no)",
    ),
    directive(
        "rdb-save-incremental-fsync",
        AnyTime,
        field!(saving.incremental_sync, Format::Switch),
        "yes|no",
        "sync RDB files every few megabytes (yes)",
    ),
    directive(
        "stop-writes-on-bgsave-error",
        AnyTime,
        field!(saving.stop_writes_on_error, Format::Switch),
        "yes|no",
        "refuse writes after a save has failed, until one succeeds (yes)",
    ),
    switch!("no-appendfsync-on-rewrite", AnyTime, "no"),
    switch!("aof-rewrite-incremental-fsync", AnyTime, "yes"),
    switch!("aof-load-truncated", AnyTime, "yes"),
    switch!("aof-use-rdb-preamble", AnyTime, "yes"),
    switch!("aof-timestamp-enabled", AnyTime, "no"),
    switch!("aof-disable-auto-gc", AnyTime, "no"),
];
