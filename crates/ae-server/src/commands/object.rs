//! OBJECT: how values are kept, and how keys are used.

use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::db::snapshot::Noted;
use std::ops::Range;
use store::ValueRef;

pub fn encoding(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let (db, mut reply) = ctx.split();
    match db.inspect(key) {
        Some(value) => reply.bulk(value.encoding()),
        None => reply.null(),
    }
    Ok(())
}

/// Redis's own count of references to an integer that all keys share.
const SHARED: i64 = i32::MAX as i64;
/// The integers that Redis shares.
const SHARED_INTEGERS: Range<i64> = 0..10_000;

/// No value is shared here. The count is what Redis would have: it shares small integers, unless it has to note for each
/// key when or how often it is used.
pub fn refcount(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let shares = ctx.server.config.memory.max == 0 || ctx.server.noted() == Noted::Nothing;
    let Some(value) = ctx.db().inspect(key) else { return ctx.reply_null() };
    let integer = match value {
        ValueRef::String(text) if text.encoding() == "int" => text.as_integer(),
        _ => None,
    };
    let is_shared = shares && integer.is_some_and(|integer| SHARED_INTEGERS.contains(&integer));
    ctx.reply_integer(if is_shared { SHARED } else { 1 })
}

const NO_IDLE_TIME: &str = "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
    switching between policies at runtime LRU and LFU data will take some time to adjust.";
const NO_FREQUENCY: &str = "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that \
    when switching between policies at runtime LRU and LFU data will take some time to adjust.";

pub fn idletime(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let Some(idle) = ctx.db().idle_time(key) else { return ctx.reply_null() };
    if ctx.server.databases.usage.frequency {
        return Err(NO_IDLE_TIME.into());
    }
    ctx.reply_integer(idle)
}

pub fn freq(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let Some(frequency) = ctx.db().frequency(key) else { return ctx.reply_null() };
    if !ctx.server.databases.usage.frequency {
        return Err(NO_FREQUENCY.into());
    }
    ctx.reply_integer(frequency.into())
}

#[cfg(test)]
mod tests {
    use super::{NO_FREQUENCY, NO_IDLE_TIME};
    use crate::config::choices::Policy;
    use crate::config::settings::Config;
    use crate::testing::Session;

    #[test]
    fn hits_and_misses() {
        let mut session = Session::new();
        session.run("SET k v");
        for question in ["ENCODING", "IDLETIME", "FREQ", "REFCOUNT"] {
            let count =
                |session: &Session| (session.server.databases.stats.hits, session.server.databases.stats.misses);
            let before = count(&session);
            session.run(&format!("OBJECT {question} k"));
            session.run(&format!("OBJECT {question} nokey"));
            let after = count(&session);
            assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1), "{question}");
        }
    }

    #[test]
    fn types_and_encodings() {
        Session::new().expect(&[
            ("TYPE k", "+none"),
            ("SET k v", "+OK"),
            ("TYPE k", "+string"),
            ("OBJECT ENCODING k", "$6 embstr"),
            ("SET k 12", "+OK"),
            ("OBJECT ENCODING k", "$3 int"),
            ("APPEND k 3", ":3"),
            ("OBJECT ENCODING k", "$3 raw"),
            ("OBJECT ENCODING none", "$-1"),
            ("OBJECT REFCOUNT k", ":1"),
            ("OBJECT NOSUCH k", "-ERR unknown subcommand 'NOSUCH'. Try OBJECT HELP."),
        ]);
    }

    #[test]
    fn references() {
        Session::new().expect(&[
            ("OBJECT REFCOUNT k", "$-1"),
            ("SET k 0", "+OK"),
            ("OBJECT REFCOUNT k", ":2147483647"),
            ("INCRBY k 9999", ":9999"),
            ("OBJECT REFCOUNT k", ":2147483647"),
            ("CONFIG SET maxmemory 1000gb maxmemory-policy volatile-ttl", "+OK"),
            ("OBJECT REFCOUNT k", ":2147483647"),
            ("CONFIG SET maxmemory-policy volatile-lru", "+OK"),
            ("OBJECT REFCOUNT k", ":1"),
            ("CONFIG SET maxmemory 0", "+OK"),
            ("OBJECT REFCOUNT k", ":2147483647"),
            ("INCR k", ":10000"),
            ("OBJECT REFCOUNT k", ":1"),
            ("SET k -1", "+OK"),
            ("OBJECT REFCOUNT k", ":1"),
            ("SET k v", "+OK"),
            ("OBJECT REFCOUNT k", ":1"),
            ("RPUSH l 1", ":1"),
            ("OBJECT REFCOUNT l", ":1"),
        ]);
    }

    #[test]
    fn idle_times() {
        let mut session = Session::new();
        session.expect(&[("OBJECT IDLETIME k", "$-1"), ("SET k v", "+OK"), ("RPUSH l a", ":1")]);
        session.wait(10_000);
        session.expect(&[
            ("OBJECT IDLETIME k", ":10"),
            ("EXISTS k", ":1"),
            ("TYPE k", "+string"),
            ("TTL k", ":-1"),
            ("OBJECT ENCODING k", "$6 embstr"),
            ("OBJECT IDLETIME k", ":10"),
            ("TOUCH k", ":1"),
            ("OBJECT IDLETIME k", ":0"),
            ("OBJECT IDLETIME l", ":10"),
            ("RENAME l m", "+OK"),
            ("OBJECT IDLETIME m", ":10"),
            ("COPY m l", ":1"),
            ("OBJECT IDLETIME l", ":0"),
            ("LPUSH m b", ":2"),
            ("OBJECT IDLETIME m", ":0"),
            ("OBJECT FREQ none", "$-1"),
            ("OBJECT FREQ k", &format!("-{NO_FREQUENCY}")),
        ]);
    }

    #[test]
    fn frequencies() {
        let mut config = Config::default();
        config.memory.policy = Policy::AllkeysLfu;
        let mut session = Session::with(config);
        session.expect(&[
            ("SET k v", "+OK"),
            ("OBJECT FREQ k", ":5"),
            ("GET k", "$1 v"),
            ("OBJECT FREQ k", ":6"),
            ("OBJECT IDLETIME none", "$-1"),
            ("OBJECT IDLETIME k", &format!("-{NO_IDLE_TIME}")),
        ]);
        session.wait(3 * 60_000);
        session.expect(&[("OBJECT FREQ k", ":3"), ("CONFIG SET lfu-log-factor 0", "+OK")]);
        // Each request for a key counts, and a new value does not make it a new key.
        for (request, reply, frequency) in [
            ("SET k w", "+OK", 4),
            ("GET k", "$1 w", 5),
            ("SET k 1", "+OK", 6),
            ("INCR k", ":2", 7),
            ("APPEND k 0", ":2", 8),
        ] {
            session.expect(&[(request, reply), ("OBJECT FREQ k", &format!(":{frequency}"))]);
        }
        for (request, reply, frequency) in [("RPUSH l a", ":1", 5), ("LSET l 0 b", "+OK", 6), ("RPUSH l c", ":2", 7)] {
            session.expect(&[(request, reply), ("OBJECT FREQ l", &format!(":{frequency}"))]);
        }
    }
}
