//! GET, SET and their relatives: whole strings.

use super::expire::tell_deadline;
use super::set_options::{Expire, Options};
use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::db::door::{Ttl, WrongType};
use crate::db::effects::{Concerns, Request};
use crate::db::event::Event;
use store::StringValue;

/// Replies with the string at a key, or null.
fn reply_key(ctx: &mut Context<'_>, key: &[u8]) -> Result<(), WrongType> {
    let (db, mut reply) = ctx.split();
    match db.read::<StringValue>(key)? {
        Some(value) => reply.string(value),
        None => reply.null(),
    }
    Ok(())
}

pub fn get(ctx: &mut Context<'_>) -> Outcome {
    Ok(reply_key(ctx, ctx.arg(1))?)
}

pub fn set(ctx: &mut Context<'_>) -> Outcome {
    let (key, value) = (ctx.arg(1), ctx.content(2));
    if ctx.args.len() == 3 {
        ctx.db().set_string(key, value, Ttl::Clear, Event::SET);
        ctx.tell_request(Concerns::Everybody);
        return ctx.reply_ok();
    }
    let options = Options::parse(ctx, 3, false)?;
    let deadline = options.deadline(ctx)?;
    if options.get {
        reply_key(ctx, key)?;
    }
    let exists = ctx.db().exists(key);
    if (options.not_existing && exists) || (options.existing && !exists) {
        return if options.get { Ok(()) } else { ctx.reply_null() };
    }
    let ttl = match deadline {
        Some(at) => Ttl::At(at),
        None if options.keep_ttl => Ttl::Keep,
        None => Ttl::Clear,
    };
    ctx.db().set_string(key, value, ttl, Event::SET);
    let args = ctx.args;
    ctx.effect(|request| match deadline {
        Some(at) => told_expiring(request, key, args.get(2).unwrap_or_default(), at),
        None => {
            // What was there before is of interest to nobody else.
            let said = args.iter().enumerate().filter(|(at, word)| *at < 3 || !word.eq_ignore_ascii_case(b"get"));
            request.args(said.map(|(_, word)| word));
        }
    });
    if options.get { Ok(()) } else { ctx.reply_ok() }
}

/// A string that lives until a certain time, whenever the request is run.
fn told_expiring(request: &mut Request, key: &[u8], value: &[u8], at: i64) {
    request.arg("SET").arg(key).arg(value).arg("PXAT").integer(at);
}

pub fn setex(ctx: &mut Context<'_>) -> Outcome {
    set_expiring(ctx, Expire::SECONDS)
}

pub fn psetex(ctx: &mut Context<'_>) -> Outcome {
    set_expiring(ctx, Expire::MILLISECONDS)
}

fn set_expiring(ctx: &mut Context<'_>, unit: Expire) -> Outcome {
    let at = unit.deadline(ctx, ctx.arg(2))?;
    let (key, value) = (ctx.arg(1), ctx.content(3));
    ctx.db().set_string(key, value, Ttl::At(at), Event::SET);
    let value = ctx.arg(3);
    ctx.effect(|request| told_expiring(request, key, value, at));
    ctx.reply_ok()
}

pub fn setnx(ctx: &mut Context<'_>) -> Outcome {
    let (key, value) = (ctx.arg(1), ctx.content(2));
    if ctx.db().exists(key) {
        return ctx.reply_integer(0);
    }
    ctx.db().set_string(key, value, Ttl::Clear, Event::SET);
    ctx.reply_integer(1)
}

pub fn getset(ctx: &mut Context<'_>) -> Outcome {
    let (key, value) = (ctx.arg(1), ctx.content(2));
    reply_key(ctx, key)?;
    ctx.db().set_string(key, value, Ttl::Clear, Event::SET);
    let value = ctx.arg(2);
    ctx.effect(|request| _ = request.arg("SET").arg(key).arg(value));
    Ok(())
}

pub fn getdel(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    reply_key(ctx, key)?;
    if ctx.db().remove(key, Event::DEL) {
        ctx.effect(|request| _ = request.arg("DEL").arg(key));
    }
    Ok(())
}

pub fn getex(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let options = Options::parse(ctx, 2, true)?;
    // The time is checked only when there is something to expire, and before the reply.
    if ctx.db().peek::<StringValue>(key)?.is_none() {
        return Ok(reply_key(ctx, key)?);
    }
    let deadline = options.deadline(ctx)?;
    reply_key(ctx, key)?;
    match deadline {
        Some(at) => {
            ctx.db().set_deadline(key, at);
            tell_deadline(ctx, key, at, std::iter::empty());
        }
        None if options.persist && ctx.db().persist(key) => {
            ctx.effect(|request| _ = request.arg("PERSIST").arg(key));
        }
        None => {}
    }
    Ok(())
}

pub fn mget(ctx: &mut Context<'_>) -> Outcome {
    let keys = ctx.args.from(1);
    ctx.reply().array(keys.len());
    for key in keys {
        if reply_key(ctx, key).is_err() {
            ctx.reply().null();
        }
    }
    Ok(())
}

pub fn mset(ctx: &mut Context<'_>) -> Outcome {
    check_pairs(ctx)?;
    set_pairs(ctx);
    ctx.reply_ok()
}

pub fn msetnx(ctx: &mut Context<'_>) -> Outcome {
    check_pairs(ctx)?;
    if ctx.args.from(1).step_by(2).any(|key| ctx.db().exists(key)) {
        return ctx.reply_integer(0);
    }
    set_pairs(ctx);
    ctx.reply_integer(1)
}

fn check_pairs(ctx: &Context<'_>) -> Outcome {
    if ctx.args.len().is_multiple_of(2) {
        return Err(format!("ERR wrong number of arguments for '{}' command", ctx.spec.name).into());
    }
    Ok(())
}

fn set_pairs(ctx: &mut Context<'_>) {
    for at in (1..ctx.args.len()).step_by(2) {
        let (key, value) = (ctx.arg(at), ctx.content(at + 1));
        ctx.db().set_string(key, value, Ttl::Clear, Event::SET);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn a_string_that_is_set_anew_lives_for_ever() {
        for request in ["SET k w", "SET k w GET", "GETSET k w", "MSET a 1 k w"] {
            let mut session = Session::new();
            session.expect(&[("SET k v EX 100", "+OK"), ("TTL k", ":100")]);
            session.run(request);
            session.expect(&[("GET k", "$1 w"), ("TTL k", ":-1")]);
        }
    }

    #[test]
    fn set_and_get() {
        Session::new().expect(&[
            ("GET k", "$-1"),
            ("SET k v", "+OK"),
            ("GET k", "$1 v"),
            ("set k \"\"", "+OK"),
            ("get k", "$0 "),
            ("GET", "-ERR wrong number of arguments for 'get' command"),
            ("GET a b", "-ERR wrong number of arguments for 'get' command"),
            ("SET k", "-ERR wrong number of arguments for 'set' command"),
            ("SET \"\\x00\\xff\" \"\\r\\n\"", "+OK"),
            ("STRLEN \"\\x00\\xff\"", ":2"),
        ]);
    }

    #[test]
    fn set_with_conditions() {
        Session::new().expect(&[
            ("SET k 1 XX", "$-1"),
            ("SET k 1 nx", "+OK"),
            ("SET k 2 NX", "$-1"),
            ("SET k 2 XX", "+OK"),
            ("SET k 3 GET", "$1 2"),
            ("SET k 4 NX GET", "$1 3"),
            ("SET n 4 NX GET", "$-1"),
            ("GET n", "$1 4"),
            ("SET m 4 XX GET", "$-1"),
            ("GET m", "$-1"),
            ("SETNX k 5", ":0"),
            ("SETNX new 5", ":1"),
            ("GETSET k 6", "$1 3"),
            ("GETSET newer 6", "$-1"),
            ("GETDEL newer", "$1 6"),
            ("GETDEL newer", "$-1"),
        ]);
    }

    #[test]
    fn set_with_expiry() {
        let mut session = Session::new();
        session.expect(&[
            ("SET k v EX 10", "+OK"),
            ("PTTL k", ":10000"),
            ("SET k w KEEPTTL", "+OK"),
            ("PTTL k", ":10000"),
            ("SET k w KEEPTTL KEEPTTL", "+OK"),
            ("PTTL k", ":10000"),
            ("SET k w", "+OK"),
            ("PTTL k", ":-1"),
            ("SET k w PX 1500", "+OK"),
            ("PTTL k", ":1500"),
            ("SET k w EXAT 9999999999", "+OK"),
            ("EXPIRETIME k", ":9999999999"),
            ("SET k w PXAT 9999999999999", "+OK"),
            ("PEXPIRETIME k", ":9999999999999"),
            ("SET k w EX 10 EX 20", "+OK"),
            ("TTL k", ":20"),
            ("SETEX k 7 v", "+OK"),
            ("TTL k", ":7"),
            ("PSETEX k 7 v", "+OK"),
            ("PTTL k", ":7"),
            ("SET gone v EXAT 1", "+OK"),
            ("GET gone", "$-1"),
        ]);
        session.wait(8);
        session.expect(&[("GET k", "$-1"), ("SET k v NX", "+OK")]);
    }

    #[test]
    fn expiry_that_makes_no_sense() {
        let invalid = "-ERR invalid expire time in 'set' command";
        let not_a_number = "-ERR value is not an integer or out of range";
        Session::new().expect(&[
            ("SET k v EX 0", invalid),
            ("SET k v PX -1", invalid),
            ("SET k v EXAT 0", invalid),
            ("SET k v EX 9223372036854775807", invalid),
            ("SET k v EX 9223372036854775", invalid),
            ("SET k v EX 18446744073709552", invalid),
            ("SET k v PX 9223372036854775807", invalid),
            ("SET k v EXAT 9223372036854776", invalid),
            ("SET k v EX abc", not_a_number),
            ("SET k v EX 99999999999999999999", not_a_number),
            ("SET k v EX 0 GET", invalid),
            ("SETEX k 0 v", "-ERR invalid expire time in 'setex' command"),
            ("PSETEX k 0 v", "-ERR invalid expire time in 'psetex' command"),
            ("SETEX k x v", not_a_number),
            ("GET k", "$-1"),
            ("SET k v PXAT 9223372036854775807", "+OK"),
            ("PEXPIRETIME k", ":9223372036854775807"),
            ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ]);
    }

    #[test]
    fn options_that_exclude_each_other() {
        for options in [
            "NX XX",
            "XX NX",
            "EX",
            "EX 1 PX 1",
            "EX 1 EXAT 1",
            "PX 1 PXAT 1",
            "KEEPTTL EX 1",
            "EX 1 KEEPTTL",
            "PERSIST",
            "XYZ",
            "GET NX XX",
            "EX 1 2",
        ] {
            assert_eq!(Session::new().run(&format!("SET k v {options}")), "-ERR syntax error", "{options}");
        }
        for options in ["NX", "GET", "KEEPTTL", "PERSIST EX 1", "EX 1 PERSIST", "EX", "EX 1 PX 1"] {
            assert_eq!(Session::new().run(&format!("GETEX k {options}")), "-ERR syntax error", "{options}");
        }
    }

    #[test]
    fn getex() {
        let mut session = Session::new();
        session.expect(&[
            ("GETEX k EX 0", "$-1"),
            ("SET k v", "+OK"),
            ("GETEX k", "$1 v"),
            ("TTL k", ":-1"),
            ("GETEX k EX 10", "$1 v"),
            ("TTL k", ":10"),
            ("GETEX k", "$1 v"),
            ("TTL k", ":10"),
            ("GETEX k PERSIST PERSIST", "$1 v"),
            ("TTL k", ":-1"),
            ("GETEX k PXAT 1", "$1 v"),
            ("EXISTS k", ":0"),
        ]);
        assert_eq!(session.server.databases[0].len(), 0);
    }

    #[test]
    fn another_type_is_refused() {
        let mut session = Session::new();
        session.run("RPUSH l a");
        for line in ["GET l", "GETDEL l", "GETEX l", "GETSET l v", "SET l v GET", "SET l v NX GET"] {
            assert_eq!(
                session.run(line),
                "-WRONGTYPE Operation against a key holding the wrong kind of value",
                "{line}"
            );
        }
        session.expect(&[("LRANGE l 0 -1", "*1 $1 a")]);
    }

    #[test]
    fn several_keys() {
        Session::new().expect(&[
            ("MSET a 1 b 2 a 3", "+OK"),
            ("MGET a none b", "*3 $1 3 $-1 $1 2"),
            ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
            ("MSET a", "-ERR wrong number of arguments for 'mset' command"),
            ("MSETNX c 1 b 2", ":0"),
            ("EXISTS c", ":0"),
            ("MSETNX c 1 d 2", ":1"),
            ("MSETNX e 1 f", "-ERR wrong number of arguments for 'msetnx' command"),
            ("MGET c d", "*2 $1 1 $1 2"),
        ]);
    }

    #[test]
    fn several_keys_at_once() {
        Session::new().expect(&[
            ("MSETNX a 1 b a", ":1"),
            ("MSETNX c b d a", ":1"),
            ("MSETNX e 1 a 2", ":0"),
            ("RPUSH l x", ":1"),
            ("MGET a l none d", "*4 $1 1 $-1 $-1 $1 a"),
            ("HELLO 3", &Session::new().run("HELLO 3")),
            ("MGET a l none d", "*4 $1 1 _ _ $1 a"),
        ]);
    }
}
