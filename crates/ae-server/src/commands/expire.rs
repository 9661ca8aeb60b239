//! EXPIRE, TTL and their relatives: how long keys live.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, quoting};

pub fn expire(ctx: &mut Context<'_>) -> Outcome {
    let now = ctx.server.now;
    set_deadline(ctx, true, now)
}

pub fn pexpire(ctx: &mut Context<'_>) -> Outcome {
    let now = ctx.server.now;
    set_deadline(ctx, false, now)
}

pub fn expireat(ctx: &mut Context<'_>) -> Outcome {
    set_deadline(ctx, true, 0)
}

pub fn pexpireat(ctx: &mut Context<'_>) -> Outcome {
    set_deadline(ctx, false, 0)
}

/// `base` is what the time counts from. A time in the past deletes the key.
fn set_deadline(ctx: &mut Context<'_>, seconds: bool, base: i64) -> Outcome {
    let condition = Condition::parse(ctx)?;
    let time = ctx.integer(2)?;
    let time = if seconds { time.checked_mul(1000) } else { Some(time) };
    let at = time.and_then(|time| time.checked_add(base)).ok_or_else(|| ctx.invalid_expire())?;
    let key = ctx.arg(1);
    let Some(before) = ctx.db().deadline(key) else {
        return ctx.reply_integer(0);
    };
    if !condition.allows(before, at) {
        return ctx.reply_integer(0);
    }
    ctx.db().set_deadline(key, at);
    let conditions = ctx.args.from(3);
    tell_deadline(ctx, key, at, conditions);
    ctx.reply_integer(1)
}

/// Says that a key has got this deadline, or has gone if it has passed.
pub(super) fn tell_deadline<'a>(
    ctx: &mut Context<'_>,
    key: &[u8],
    at: i64,
    conditions: impl Iterator<Item = &'a [u8]>,
) {
    let has_passed = ctx.db().has_passed(at);
    ctx.effect(|request| match has_passed {
        true => _ = request.arg("DEL").arg(key),
        false => _ = request.arg("PEXPIREAT").arg(key).integer(at).args(conditions),
    });
}

/// NX, XX, GT, LT.
#[derive(Default)]
struct Condition {
    without: bool,
    with: bool,
    later: bool,
    earlier: bool,
}

impl Condition {
    fn parse(ctx: &Context<'_>) -> Result<Condition, Error> {
        let mut condition = Condition::default();
        for word in ctx.args.from(3) {
            let option = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut condition.without,
                b"xx" => &mut condition.with,
                b"gt" => &mut condition.later,
                b"lt" => &mut condition.earlier,
                _ => return Err(quoting("ERR Unsupported option ", word, "")),
            };
            *option = true;
        }
        if condition.without && (condition.with || condition.later || condition.earlier) {
            return Err("ERR NX and XX, GT or LT options at the same time are not compatible".into());
        }
        if condition.later && condition.earlier {
            return Err("ERR GT and LT options at the same time are not compatible".into());
        }
        Ok(condition)
    }

    /// A key without deadline counts as one that lives forever.
    fn allows(&self, before: Option<i64>, at: i64) -> bool {
        !(self.without && before.is_some()
            || self.with && before.is_none()
            || self.later && before.is_none_or(|before| at <= before)
            || self.earlier && before.is_some_and(|before| at >= before))
    }
}

pub fn ttl(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, now| ((at - now).max(0).saturating_add(500)) / 1000)
}

pub fn pttl(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, now| (at - now).max(0))
}

pub fn expiretime(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, _| at.saturating_add(500) / 1000)
}

pub fn pexpiretime(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, _| at)
}

/// -2 for no key, -1 for no deadline.
fn reply_deadline(ctx: &mut Context<'_>, value: impl Fn(i64, i64) -> i64) -> Outcome {
    let (key, now) = (ctx.arg(1), ctx.server.now);
    let reply = match ctx.db().read_deadline(key) {
        None => -2,
        Some(deadline) => deadline.map_or(-1, |at| value(at, now)),
    };
    ctx.reply_integer(reply)
}

pub fn persist(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let cleared = ctx.db().persist(key);
    ctx.reply_integer(cleared.into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn times_to_live() {
        let mut session = Session::new();
        session.expect(&[
            ("TTL k", ":-2"),
            ("PTTL k", ":-2"),
            ("EXPIRETIME k", ":-2"),
            ("EXPIRE k 10", ":0"),
            ("SET k v", "+OK"),
            ("TTL k", ":-1"),
            ("PEXPIRETIME k", ":-1"),
            ("PERSIST k", ":0"),
            ("EXPIRE k 10", ":1"),
            ("PTTL k", ":10000"),
        ]);
        session.wait(8500);
        session.expect(&[("TTL k", ":2")]);
        session.wait(1);
        session.expect(&[
            ("TTL k", ":1"),
            ("PTTL k", ":1499"),
            ("PERSIST k", ":1"),
            ("TTL k", ":-1"),
            ("PEXPIRE k 5", ":1"),
        ]);
        session.wait(5);
        session.expect(&[("GET k", "$1 v"), ("PTTL k", ":0")]);
        session.wait(1);
        session.expect(&[("GET k", "$-1"), ("TTL k", ":-2")]);
    }

    #[test]
    fn absolute_times() {
        Session::new().expect(&[
            ("SET k v", "+OK"),
            ("EXPIREAT k 9999999999", ":1"),
            ("PEXPIRETIME k", ":9999999999000"),
            ("PEXPIREAT k 9999999999999", ":1"),
            ("EXPIRETIME k", ":10000000000"),
            ("EXPIREAT k 1", ":1"),
            ("EXISTS k", ":0"),
        ]);
    }

    #[test]
    fn a_time_in_the_past_deletes() {
        Session::new().expect(&[
            ("MSET a 1 b 2 c 3", "+OK"),
            ("EXPIRE a 0", ":1"),
            ("PEXPIRE b -100", ":1"),
            ("PEXPIREAT c -9223372036854775808", ":1"),
            ("DBSIZE", ":0"),
        ]);
    }

    #[test]
    fn times_out_of_range() {
        let invalid = |name: &str| format!("-ERR invalid expire time in '{name}' command");
        Session::new().expect(&[
            ("SET k v", "+OK"),
            ("EXPIRE k 9223372036854775807", &invalid("expire")),
            ("EXPIRE k -9223372036854775808", &invalid("expire")),
            ("EXPIRE k 9223372036854775", &invalid("expire")),
            ("PEXPIRE k 9223372036854775807", &invalid("pexpire")),
            ("EXPIREAT k 9223372036854776", &invalid("expireat")),
            ("PEXPIREAT k 9223372036854775807", ":1"),
            ("PTTL none", ":-2"),
        ]);
    }

    #[test]
    fn conditions() {
        Session::new().expect(&[
            ("SET k v", "+OK"),
            ("EXPIRE k 10 XX", ":0"),
            ("EXPIRE k 10 GT", ":0"),
            ("EXPIRE k 100 LT", ":1"),
            ("EXPIRE k 10 nx", ":0"),
            ("EXPIRE k 50 GT", ":0"),
            ("EXPIRE k 150 gt", ":1"),
            ("EXPIRE k 200 LT", ":0"),
            ("EXPIRE k 100 XX LT", ":1"),
            ("TTL k", ":100"),
            ("PERSIST k", ":1"),
            ("EXPIRE k 10 NX", ":1"),
            ("EXPIRE k -1 NX", ":0"),
            ("EXPIRE k -1 GT", ":0"),
            ("EXPIRE k 1 NX LT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
            ("PEXPIREAT k 9999999999999", ":1"),
            ("PEXPIREAT k 9999999999999 LT", ":0"),
            ("PEXPIREAT k 9999999999999 GT", ":0"),
            ("EXPIRE k 1 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
            ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
            ("EXPIRE k 1 AB", "-ERR Unsupported option AB"),
            ("EXPIRE none x", "-ERR value is not an integer or out of range"),
        ]);
    }

    /// What a replica that may be written to has of its own expires there by itself: its primary does not know it.
    #[test]
    fn own_keys_of_a_replica_expire_there() {
        for requests in [
            &["SET k v PX 100"][..],
            &["SET k v", "PEXPIRE k 100"],
            &["SET a v PX 100", "RENAME a k"],
            &["SET a v PX 100", "COPY a k", "PERSIST a", "DEL a"],
            &["SELECT 1", "SET k v PX 100", "MOVE k 0", "SELECT 0"],
        ] {
            let mut session = Session::new();
            session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK"), ("CONFIG SET replica-read-only no", "+OK")]);
            requests.iter().for_each(|request| drop(session.run(request)));
            session.expect(&[("DBSIZE", ":1"), ("EXISTS k", ":1")]);
            session.wait(101);
            session.server.expire();
            assert_eq!(session.run("DBSIZE"), ":0", "{requests:?}");
        }
    }

    /// Since then the next primary may have given it a time to live of its own.
    #[test]
    fn what_was_a_replicas_own_is_not_when_it_has_been_a_primary() {
        let mut session = Session::new();
        session.expect(&[
            ("REPLICAOF 127.0.0.1 1", "+OK"),
            ("CONFIG SET replica-read-only no", "+OK"),
            ("SET k v PX 100", "+OK"),
            ("REPLICAOF NO ONE", "+OK"),
            ("REPLICAOF 127.0.0.1 1", "+OK"),
        ]);
        session.wait(101);
        session.server.expire();
        session.expect(&[("DBSIZE", ":1"), ("GET k", "$-1")]);
    }

    #[test]
    fn an_option_is_looked_at_before_the_time() {
        Session::new().expect(&[("EXPIRE k x AB", "-ERR Unsupported option AB")]);
    }

    /// Nobody has removed them, so they still take their memory, but they are not to be found.
    #[test]
    fn what_has_expired_and_is_still_there_takes_memory_and_is_no_random_key() {
        let mut session = Session::new();
        session.expect(&[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK")]);
        for key in 0..150 {
            session.run(&format!("SET key:{key} v PX 1"));
        }
        session.wait(10);
        assert!(session.run("MEMORY USAGE key:0").starts_with(':'));
        session.expect(&[("DBSIZE", ":150"), ("RANDOMKEY", "$-1"), ("DBSIZE", ":0"), ("MEMORY USAGE key:0", "$-1")]);
    }
}
