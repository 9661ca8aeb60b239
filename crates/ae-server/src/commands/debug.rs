//! DEBUG: what tests need. `enable-debug-command` says who may use it: some of it disturbs every client.

use super::config::write_file;
use super::debug_protocol::protocol;
use super::dump::compression;
use super::help::heading;
use crate::command::context::Context;
use crate::command::error::{NOT_AN_INTEGER, Outcome, try_help};
use crate::config::catalog::find;
use crate::config::format::memory;
use crate::config::rewrite::Extent;
use crate::db::door::Ttl;
use crate::db::event::Event;
use crate::log::{Level, log};
use crate::observe::digest::Digest;
use crate::persist::aof::stage::Stage;
use resp::number;
use std::time::Duration;
use store::{StringRef, ValueRef};

/// What Redis keeps of the time of a use.
const LRU_BITS: u32 = (1 << 24) - 1;
const NO_SUCH_KEY: &str = "ERR no such key";
/// As in Redis, where larger elements of lists are nodes of their own.
const PACKED_THRESHOLD_MAX: i128 = (4 << 30) - (1 << 20);

/// A subcommand: its name, how many arguments it takes behind it, its function, and lines for HELP.
type Subcommand =
    (&'static str, std::ops::RangeInclusive<usize>, fn(&mut Context<'_>) -> Outcome, &'static [&'static str]);

const SUBCOMMANDS: &[Subcommand] = &[
    ("change-repl-id", 0..=0, change_repl_id, &["CHANGE-REPL-ID", "    Gives the data's history another id."]),
    (
        "config-rewrite-force-all",
        0..=0,
        |ctx| write_file(ctx, Extent::All),
        &["CONFIG-REWRITE-FORCE-ALL", "    As CONFIG REWRITE, with every directive."],
    ),
    ("digest", 0..=0, digest, &["DIGEST", "    Shows a number that tells whether data are equal."]),
    (
        "digest-value",
        0..=ANY,
        digest_value,
        &["DIGEST-VALUE <key> [<key> ...]", "    As DIGEST, for every key by itself."],
    ),
    ("error", 1..=1, error, &["ERROR <string>", "    Replies with an error."]),
    ("htstats", 1..=1, table, &["HTSTATS <dbid>", "    Shows how many keys a database has, and how many expire."]),
    (
        "htstats-key",
        1..=1,
        table_of_value,
        &["HTSTATS-KEY <key>", "    Shows how many elements a value has that is kept as a hash table."],
    ),
    ("loadaof", 0..=0, load_log, &["LOADAOF", "    Loads the append-only file in the place of everything."]),
    ("log", 1..=1, write_log, &["LOG <message>", "    Writes a message into the log."]),
    ("object", 1..=2, object, &["OBJECT <key>", "    Shows how a value is kept."]),
    ("populate", 1..=3, populate, &["POPULATE <count> [<prefix>] [<size>]", "    Creates so many strings."]),
    ("protocol", 1..=1, protocol, &["PROTOCOL <type>", "    Replies with a value of that type."]),
    (
        "quicklist-packed-threshold",
        1..=1,
        packed_threshold,
        &[
            "QUICKLIST-PACKED-THRESHOLD <size>",
            "    Checks the size, and changes nothing: lists have no such threshold.",
        ],
    ),
    ("pause-cron", 1..=1, pause_cron, &["PAUSE-CRON <0|1>", "    With 1, nothing is done regularly."]),
    ("reload", 0..=ANY, reload, &["RELOAD [NOSAVE] [NOFLUSH] [MERGE]", "    Saves everything and loads it again."]),
    (
        "replybuffer",
        2..=2,
        reply_buffer,
        &[
            "REPLYBUFFER PEAK-RESET-TIME <never|reset|milliseconds>",
            "REPLYBUFFER RESIZING <0|1>",
            "    Checks the value, and changes nothing: clients have no buffers when there is nothing to send.",
        ],
    ),
    (
        "restart",
        0..=0,
        restart,
        &["RESTART", "    Ends as SHUTDOWN does and starts the program again; whoever connects meanwhile waits."],
    ),
    (
        "set-active-expire",
        1..=1,
        set_active_expire,
        &["SET-ACTIVE-EXPIRE <0|1>", "    With 0, expired keys are removed only when somebody asks for them."],
    ),
    (
        "set-disable-deny-scripts",
        1..=1,
        set_disable_deny_scripts,
        &["SET-DISABLE-DENY-SCRIPTS <0|1>", "    With 1, scripts may call every command."],
    ),
    ("sleep", 1..=1, sleep, &["SLEEP <seconds>", "    Does nothing for so many seconds, for anybody."]),
];
const ANY: usize = usize::MAX;

/// What Redis has beside these: its memory is another, there is no cluster, and nothing here ends the server by force.
const ABSENT: &[&str] = &[
    "aof-flush-sleep",
    "assert",
    "client-eviction",
    "clusterlink",
    "crash-and-recover",
    "drop-cluster-packet-filter",
    "leak",
    "listpack",
    "mallctl",
    "mallctl-str",
    "oom",
    "panic",
    "quicklist",
    "replicate",
    "sdslen",
    "segfault",
    "set-skip-checksum-validation",
    "stringmatch-test",
    "structsize",
];

pub fn debug(ctx: &mut Context<'_>) -> Outcome {
    if ctx.is_word(1, "help") {
        return help(ctx);
    }
    let given = ctx.args.len() - 2;
    match SUBCOMMANDS.iter().find(|(name, args, ..)| ctx.is_word(1, name) && args.contains(&given)) {
        Some((_, _, run, _)) => run(ctx),
        None if ABSENT.iter().any(|name| ctx.is_word(1, name)) => {
            Err(try_help("ERR this server has no DEBUG '", ctx.arg(1), ctx.arg(0)))
        }
        None => Err(ctx.wrong_subcommand()),
    }
}

fn help(ctx: &mut Context<'_>) -> Outcome {
    let heading = heading(ctx);
    let mut lines = vec![heading.as_str()];
    lines.extend(SUBCOMMANDS.iter().flat_map(|(_, _, _, lines)| *lines));
    let mut reply = ctx.reply();
    reply.array(lines.len());
    lines.iter().for_each(|line| reply.simple(line));
    Ok(())
}

/// Blocks the server for every client.
fn sleep(ctx: &mut Context<'_>) -> Outcome {
    let seconds = std::str::from_utf8(ctx.arg(2)).ok().and_then(|text| text.parse::<f64>().ok());
    let duration = Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default();
    std::thread::sleep(duration);
    ctx.server.read_clock();
    ctx.reply_ok()
}

fn restart(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.restart().map_err(|_| "ERR failed to restart the server. Check server logs.".into())
}

fn pause_cron(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.cron_paused = ctx.integer(2)? != 0;
    ctx.reply_ok()
}

fn set_active_expire(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.expires_actively = number::parse(ctx.arg(2)).unwrap_or(0) != 0;
    ctx.reply_ok()
}

fn set_disable_deny_scripts(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.scripting.allows_all = number::parse(ctx.arg(2)).unwrap_or(0) != 0;
    ctx.reply_ok()
}

fn change_repl_id(ctx: &mut Context<'_>) -> Outcome {
    let id = ctx.server.new_history_id();
    ctx.server.replication.begin_history(id);
    ctx.reply_ok()
}

/// When everything is written, before the reply leaves. There may be files although nothing is written to them now.
fn load_log(ctx: &mut Context<'_>) -> Outcome {
    match ctx.server.append_only.stage {
        Stage::On => {}
        Stage::Off => {
            let folder = ctx.server.open_folder().map_err(|error| format!("ERR {error}"))?;
            ctx.server.append_only.folder = Some(folder);
        }
        Stage::WaitsForBase => return Err("ERR the append-only file's first base is not written yet".into()),
    }
    ctx.server.append_only.reload = true;
    ctx.reply_ok()
}

fn write_log(ctx: &mut Context<'_>) -> Outcome {
    log(Level::Warning, format_args!("DEBUG LOG: {}", String::from_utf8_lossy(ctx.arg(2))));
    ctx.reply_ok()
}

/// Not counted: nothing went wrong.
fn error(ctx: &mut Context<'_>) -> Outcome {
    let text = ctx.arg(2);
    ctx.reply().error(text);
    Ok(())
}

/// There are no elements outside of nodes, so there is nothing to set.
fn packed_threshold(ctx: &mut Context<'_>) -> Outcome {
    match memory(ctx.arg(2)) {
        Some(size) if (0..=PACKED_THRESHOLD_MAX).contains(&size) => ctx.reply_ok(),
        _ => Err("ERR argument must be a memory value bigger than 1 and smaller than 4gb".into()),
    }
}

/// Buffers belong to a pool, and have no size of their own to be changed in the course of time.
fn reply_buffer(ctx: &mut Context<'_>) -> Outcome {
    let is_word = ctx.is_word(3, "never") || ctx.is_word(3, "reset");
    if ctx.is_word(2, "resizing") || (ctx.is_word(2, "peak-reset-time") && (is_word || ctx.integer(3).is_ok())) {
        return ctx.reply_ok();
    }
    if ctx.is_word(2, "peak-reset-time") {
        return Err(NOT_AN_INTEGER.into());
    }
    Err(ctx.wrong_subcommand())
}

fn object(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let compression = compression(&ctx.server.config);
    let packed_max = find(b"list-max-listpack-size").map(|(_, parameter)| parameter.get(&ctx.server.config));
    let compressed = ctx.server.config.encodings.list_compress_depth > 0;
    let (databases, now) = (&mut ctx.server.databases, ctx.server.now);
    // It shows what is there, also one whose time has come: at this time no key has expired.
    let long_ago = i64::MIN;
    let noted = databases.db(ctx.client.db as usize, long_ago).noted(key).unwrap_or(0);
    let idle = databases.usage.idle_time(noted, now);
    let Some(value) = databases.db(ctx.client.db as usize, long_ago).peek_any(key) else {
        return Err(NO_SUCH_KEY.into());
    };
    // Without the type, the version and the checksum.
    let serialized = rdb::dump(value, compression).len() - 1 - 2 - 8;
    let address = address(value);
    let mut text = format!(
        "Value at:{address:p} refcount:1 encoding:{} serializedlength:{serialized} lru:{} lru_seconds_idle:{idle}",
        value.encoding(),
        noted & LRU_BITS,
    );
    if let ValueRef::List(list) = value {
        let (nodes, size) = list.nodes(0).fold((0, 0), |(nodes, size), node| (nodes + 1, size + node.size()));
        let average = list.len() as f64 / nodes as f64;
        let max = packed_max.unwrap_or_default();
        text.push_str(&format!(
            " ql_nodes:{nodes} ql_avg_node:{average:.2} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{size}",
            String::from_utf8_lossy(&max),
            u8::from(compressed),
        ));
    }
    ctx.reply().simple(&text);
    Ok(())
}

/// A hash table grows and shrinks bucket by bucket, and has no size or chains as Redis's have.
fn table(ctx: &mut Context<'_>) -> Outcome {
    let number = usize::try_from(ctx.integer(2)?).ok();
    let database = number.and_then(|number| ctx.server.databases.iter().nth(number));
    let Some((keys, volatile)) = database.map(|keys| (keys.len(), keys.volatile_len())) else {
        return Err("ERR Out of range database".into());
    };
    let text = format!("[Dictionary HT]\n{}[Expires HT]\n{}", table_text(keys), table_text(volatile));
    ctx.reply().text(text.as_bytes());
    Ok(())
}

fn table_of_value(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let value = ctx.db().peek_any(key).ok_or(NO_SUCH_KEY)?;
    let len = match (value.encoding(), value) {
        ("hashtable", ValueRef::Set(set)) => set.len(),
        ("hashtable", ValueRef::Hash(hash)) => hash.len(),
        ("skiplist", ValueRef::SortedSet(set)) => set.len(),
        _ => return Err("ERR The value stored at the specified key is not represented using an hash table".into()),
    };
    ctx.reply().text(table_text(len).as_bytes());
    Ok(())
}

fn table_text(len: usize) -> String {
    match len {
        0 => "No stats available for empty dictionaries\n".into(),
        _ => format!(" number of elements: {len}\n"),
    }
}

fn address(value: ValueRef<'_>) -> *const u8 {
    match value {
        ValueRef::String(StringRef::Integer(_)) => std::ptr::null(),
        ValueRef::String(StringRef::Fixed(bytes) | StringRef::Growing(bytes)) => bytes.as_ptr(),
        ValueRef::String(StringRef::Shared(bytes)) => bytes.as_ptr(),
        ValueRef::List(value) => std::ptr::from_ref(value).cast(),
        ValueRef::Set(value) => std::ptr::from_ref(value).cast(),
        ValueRef::Hash(value) => std::ptr::from_ref(value).cast(),
        ValueRef::SortedSet(value) => std::ptr::from_ref(value).cast(),
        ValueRef::Stream(value) => std::ptr::from_ref(value).cast(),
    }
}

fn digest(ctx: &mut Context<'_>) -> Outcome {
    let digest = Digest::of_databases(ctx.server.databases.iter());
    ctx.reply().simple(&digest.to_hex());
    Ok(())
}

fn digest_value(ctx: &mut Context<'_>) -> Outcome {
    let count = ctx.args.len() - 2;
    ctx.reply().array(count);
    for key in ctx.args.from(2) {
        let expires = ctx.db().deadline(key).flatten().is_some();
        let digest = Digest::of_value(ctx.db().peek_any(key).map(|value| (value, expires)));
        ctx.reply().simple(&digest.to_hex());
    }
    Ok(())
}

/// Creates `PREFIX:0`, `PREFIX:1` ..., each unless it is there; with a size, their values are filled with zero bytes.
fn populate(ctx: &mut Context<'_>) -> Outcome {
    const NOT_POSITIVE: &str = "ERR value is out of range, must be positive";
    let max = ctx.server.config.max_bulk as i64;
    let count = number::parse(ctx.arg(2)).filter(|count| *count >= 0).ok_or(NOT_POSITIVE)?;
    let prefix = ctx.args.get(3).unwrap_or(b"key");
    let size = ctx.args.get(4).map(|size| number::parse(size).filter(|size| (0..=max).contains(size)));
    let size = size.map(|size| size.ok_or(NOT_POSITIVE)).transpose()?;
    for i in 0..count {
        let key = [prefix, format!(":{i}").as_bytes()].concat();
        let mut value = format!("value:{i}").into_bytes();
        value.resize(size.map_or(value.len(), |size| size as usize), 0);
        if !ctx.db().exists(&key) {
            ctx.db().set_string(&key, &value[..], Ttl::Clear, Event::UNANNOUNCED);
        }
    }
    // As in Redis, this stays here.
    ctx.no_effect();
    ctx.reply_ok()
}

/// Writes everything into the RDB file and loads it again, while everybody waits. To nobody anything has changed.
fn reload(ctx: &mut Context<'_>) -> Outcome {
    let (mut save, mut flush, mut replace) = (true, true, false);
    for word in ctx.args.from(2) {
        match word.to_ascii_lowercase().as_slice() {
            b"merge" => replace = true,
            b"noflush" => flush = false,
            b"nosave" => save = false,
            _ => return Err("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.".into()),
        }
    }
    let server = &mut ctx.server;
    let path = server.rdb_path();
    if save && server.save().is_err() {
        return Err("ERR".into());
    }
    let changes = server.databases.dirty;
    let loaded = server.load_file(&path, flush, replace);
    server.databases.dirty = changes;
    if let Err(error) = loaded {
        log(Level::Warning, format_args!("DEBUG RELOAD: cannot load {}: {error}", path.display()));
        return Err("ERR Error trying to load the RDB dump, check server logs.".into());
    }
    ctx.server.status.saved_changes = changes;
    ctx.reply_ok()
}

#[cfg(test)]
#[path = "debug_tests.rs"]
mod tests;
