//! EXPIRE, TTL and their relatives: how long keys live.

use crate::command::context::{Command, Context};
use crate::command::declare::command;
use crate::command::error::{Error, Outcome, quoting};
use crate::command::flag::{FAST, READONLY, WRITE};
use crate::command::spec::ONE_KEY;

const SET: u16 = WRITE | FAST;
const READ: u16 = READONLY | FAST;

pub const COMMANDS: &[Command] = &[
    command("expire", -3, SET, ONE_KEY, "1.0.0", "Sets a key's time to live in seconds.", expire),
    command("pexpire", -3, SET, ONE_KEY, "2.6.0", "Sets a key's time to live in milliseconds.", pexpire),
    command("expireat", -3, SET, ONE_KEY, "1.2.0", "Sets when a key expires, in Unix seconds.", expireat),
    command("pexpireat", -3, SET, ONE_KEY, "2.6.0", "Sets when a key expires, in Unix milliseconds.", pexpireat),
    command("ttl", 2, READ, ONE_KEY, "1.0.0", "Returns a key's time to live in seconds.", ttl),
    command("pttl", 2, READ, ONE_KEY, "2.6.0", "Returns a key's time to live in milliseconds.", pttl),
    command("expiretime", 2, READ, ONE_KEY, "7.0.0", "Returns when a key expires, in Unix seconds.", expiretime),
    command("pexpiretime", 2, READ, ONE_KEY, "7.0.0", "Returns when a key expires, in Unix milliseconds.", pexpiretime),
    command("persist", 2, SET, ONE_KEY, "2.2.0", "Removes a key's time to live.", persist),
];

fn expire(ctx: &mut Context<'_>) -> Outcome {
    let now = ctx.server.now;
    set_deadline(ctx, true, now)
}

fn pexpire(ctx: &mut Context<'_>) -> Outcome {
    let now = ctx.server.now;
    set_deadline(ctx, false, now)
}

fn expireat(ctx: &mut Context<'_>) -> Outcome {
    set_deadline(ctx, true, 0)
}

fn pexpireat(ctx: &mut Context<'_>) -> Outcome {
    set_deadline(ctx, false, 0)
}

/// `base` is what the time counts from. A time in the past deletes the key.
fn set_deadline(ctx: &mut Context<'_>, seconds: bool, base: i64) -> Outcome {
    let condition = Condition::parse(ctx)?;
    let time = ctx.integer(2)?;
    let time = if seconds { time.checked_mul(1000) } else { Some(time) };
    let at = time.and_then(|time| time.checked_add(base)).ok_or_else(|| ctx.invalid_expire())?;
    let Some(id) = ctx.lookup(ctx.arg(1)) else {
        return ctx.reply_integer(0);
    };
    let before = ctx.db().deadline(id);
    if !condition.allows(before, at) {
        return ctx.reply_integer(0);
    }
    if at <= ctx.server.now {
        ctx.db().remove(id);
    } else {
        ctx.db().set_deadline(id, at);
    }
    ctx.reply_integer(1)
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

fn ttl(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, now| ((at - now).max(0).saturating_add(500)) / 1000)
}

fn pttl(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, now| (at - now).max(0))
}

fn expiretime(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, _| at.saturating_add(500) / 1000)
}

fn pexpiretime(ctx: &mut Context<'_>) -> Outcome {
    reply_deadline(ctx, |at, _| at)
}

/// -2 for no key, -1 for no deadline.
fn reply_deadline(ctx: &mut Context<'_>, value: impl Fn(i64, i64) -> i64) -> Outcome {
    let reply = match ctx.lookup_read(ctx.arg(1)) {
        None => -2,
        Some(id) => ctx.db().deadline(id).map_or(-1, |at| value(at, ctx.server.now)),
    };
    ctx.reply_integer(reply)
}

fn persist(ctx: &mut Context<'_>) -> Outcome {
    let cleared = match ctx.lookup(ctx.arg(1)) {
        Some(id) => ctx.db().clear_deadline(id),
        None => false,
    };
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
        session.wait(8501);
        session.expect(&[
            ("TTL k", ":1"),
            ("PTTL k", ":1499"),
            ("PERSIST k", ":1"),
            ("TTL k", ":-1"),
            ("PEXPIRE k 5", ":1"),
        ]);
        session.wait(4);
        session.expect(&[("GET k", "$1 v"), ("TTL k", ":0")]);
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
            ("EXPIRE k 1 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
            ("EXPIRE k 1 GT LT", "-ERR GT and LT options at the same time are not compatible"),
            ("EXPIRE k 1 AB", "-ERR Unsupported option AB"),
            ("EXPIRE none x", "-ERR value is not an integer or out of range"),
        ]);
    }
}
