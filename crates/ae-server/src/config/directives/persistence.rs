//! Persistence.

use crate::config::choices::FSYNC;
use crate::config::format::{BYTES, Format, INT, int};
use crate::config::parameter::Change::{AnyTime, AtStart, Protected};
use crate::config::parameter::{Access, Parameter, directive, field, kept};
use crate::config::words;

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

pub const DIRECTIVES: &[Parameter] = &[
    directive(
        "save",
        AnyTime,
        Access::Words { several: true, get: words::save, set: words::set_save, lines: words::save_lines },
        "[SECONDS CHANGES]...",
        "save after so much time and so many changes, \"\" for never (3600 1 300 100 60 10000)",
    ),
    directive(
        "appendonly",
        AnyTime,
        field!(append_only.on, Format::Switch),
        "yes|no",
        "write every change to the append-only file (no)",
    ),
    directive(
        "dbfilename",
        Protected,
        field!(saving.file, DB_FILE),
        "NAME",
        "the RDB file in the folder dir (dump.rdb)",
    ),
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
        "compress strings in RDB files and DUMP (yes)",
    ),
    directive(
        "rdbchecksum",
        AtStart,
        field!(saving.checksum, Format::Switch),
        "yes|no",
        "have RDB files end with a checksum (yes)",
    ),
    kept("rdb-del-sync-files", AnyTime, Format::Switch, "no", "RDB files that are for replication alone never stay"),
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
