//! GET, SET and their relatives: whole strings.

use super::set_options::{Expire, Options};
use crate::command::context::{Command, Context};
use crate::command::declare::command;
use crate::command::error::{Outcome, WRONG_TYPE};
use crate::command::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::{ALL_KEYS, ONE_KEY};
use resp::writer;
use store::{Bytes, Digits, EntryId, StringValue, Value};

pub const COMMANDS: &[Command] = &[
    command("get", 2, READONLY | FAST, ONE_KEY, "1.0.0", "Returns the string at a key.", get),
    command("set", -3, WRITE | DENYOOM, ONE_KEY, "1.0.0", "Sets a key to a string, whatever it held.", set),
    command("setex", 4, WRITE | DENYOOM, ONE_KEY, "2.0.0", "Sets a string that expires in seconds.", setex),
    command("psetex", 4, WRITE | DENYOOM, ONE_KEY, "2.6.0", "Sets a string that expires in milliseconds.", psetex),
    command("setnx", 3, WRITE | DENYOOM | FAST, ONE_KEY, "1.0.0", "Sets a key that does not exist.", setnx),
    command("getset", 3, WRITE | DENYOOM | FAST, ONE_KEY, "1.0.0", "Sets a key and returns its old string.", getset),
    command("getdel", 2, WRITE | FAST, ONE_KEY, "6.2.0", "Returns the string at a key and deletes the key.", getdel),
    command("getex", -2, WRITE | FAST, ONE_KEY, "6.2.0", "Returns a string and sets when it expires.", getex),
    command("mget", -2, READONLY | FAST, ALL_KEYS, "1.0.0", "Returns the strings at several keys.", mget),
    command("mset", -3, WRITE | DENYOOM, (1, -1, 2), "1.0.1", "Sets several keys.", mset),
    command("msetnx", -3, WRITE | DENYOOM, (1, -1, 2), "1.0.1", "Sets several keys if none exists.", msetnx),
];

/// Replies with the string of an entry.
fn reply_string(ctx: &mut Context<'_>, id: EntryId) -> Outcome {
    let Context { server, client, .. } = ctx;
    let value = server.databases[client.db as usize].value(id).and_then(Value::as_string).ok_or(WRONG_TYPE)?;
    let output = &mut client.output;
    match value {
        StringValue::Integer(value) => writer::bulk_integer(&mut output.bytes, *value),
        StringValue::Fixed(Bytes::Shared(content)) => {
            writer::bulk_head(&mut output.bytes, content.len());
            output.attach(content.clone());
            writer::bulk_end(&mut output.bytes);
        }
        value => writer::bulk(&mut output.bytes, value.as_slice(&mut Digits::new())),
    }
    Ok(())
}

/// Replies with the string at a key, or null.
fn reply_key(ctx: &mut Context<'_>, key: &[u8]) -> Outcome {
    match ctx.lookup_read(key) {
        Some(id) => reply_string(ctx, id),
        None => ctx.reply_null(),
    }
}

fn get(ctx: &mut Context<'_>) -> Outcome {
    reply_key(ctx, ctx.arg(1))
}

fn set(ctx: &mut Context<'_>) -> Outcome {
    let (key, value) = (ctx.arg(1), ctx.content(2));
    if ctx.args.len() == 3 {
        ctx.db().set_string(key, value, false);
        return ctx.reply_ok();
    }
    let options = Options::parse(ctx, 3, false)?;
    let deadline = options.deadline(ctx)?;
    if options.get {
        reply_key(ctx, key)?;
    }
    let exists = ctx.lookup(key).is_some();
    if (options.not_existing && exists) || (options.existing && !exists) {
        return if options.get { Ok(()) } else { ctx.reply_null() };
    }
    let id = ctx.db().set_string(key, value, options.keep_ttl);
    if let Some(at) = deadline {
        ctx.db().set_deadline(id, at);
    }
    if options.get { Ok(()) } else { ctx.reply_ok() }
}

fn setex(ctx: &mut Context<'_>) -> Outcome {
    set_expiring(ctx, Expire::SECONDS)
}

fn psetex(ctx: &mut Context<'_>) -> Outcome {
    set_expiring(ctx, Expire::MILLISECONDS)
}

fn set_expiring(ctx: &mut Context<'_>, unit: Expire) -> Outcome {
    let at = unit.deadline(ctx, ctx.arg(2))?;
    let (key, value) = (ctx.arg(1), ctx.content(3));
    let id = ctx.db().set_string(key, value, true);
    ctx.db().set_deadline(id, at);
    ctx.reply_ok()
}

fn setnx(ctx: &mut Context<'_>) -> Outcome {
    let (key, value) = (ctx.arg(1), ctx.content(2));
    if ctx.lookup(key).is_some() {
        return ctx.reply_integer(0);
    }
    ctx.db().set_string(key, value, false);
    ctx.reply_integer(1)
}

fn getset(ctx: &mut Context<'_>) -> Outcome {
    let (key, value) = (ctx.arg(1), ctx.content(2));
    reply_key(ctx, key)?;
    ctx.db().set_string(key, value, false);
    Ok(())
}

fn getdel(ctx: &mut Context<'_>) -> Outcome {
    let Some(id) = ctx.lookup_read(ctx.arg(1)) else {
        return ctx.reply_null();
    };
    reply_string(ctx, id)?;
    ctx.db().remove(id);
    Ok(())
}

fn getex(ctx: &mut Context<'_>) -> Outcome {
    let options = Options::parse(ctx, 2, true)?;
    let Some(id) = ctx.lookup_read(ctx.arg(1)) else {
        return ctx.reply_null();
    };
    // The time is checked only when there is something to expire, and before the reply.
    ctx.db().value(id).and_then(Value::as_string).ok_or(WRONG_TYPE)?;
    let deadline = options.deadline(ctx)?;
    reply_string(ctx, id)?;
    match deadline {
        Some(at) if at <= ctx.server.now => _ = ctx.db().remove(id),
        Some(at) => ctx.db().set_deadline(id, at),
        None if options.persist => _ = ctx.db().clear_deadline(id),
        None => {}
    }
    Ok(())
}

fn mget(ctx: &mut Context<'_>) -> Outcome {
    let keys = ctx.args.from(1);
    writer::array(ctx.out(), keys.len());
    for key in keys {
        if reply_key(ctx, key).is_err() {
            ctx.reply_null()?;
        }
    }
    Ok(())
}

fn mset(ctx: &mut Context<'_>) -> Outcome {
    check_pairs(ctx)?;
    set_pairs(ctx);
    ctx.reply_ok()
}

fn msetnx(ctx: &mut Context<'_>) -> Outcome {
    check_pairs(ctx)?;
    if ctx.args.from(1).step_by(2).any(|key| ctx.lookup(key).is_some()) {
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
        ctx.db().set_string(key, value, false);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

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
        session.wait(7);
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
            ("SET k v PX 9223372036854775807", invalid),
            ("SET k v EXAT 9223372036854776", invalid),
            ("SET k v EX abc", not_a_number),
            ("SET k v EX 99999999999999999999", not_a_number),
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
            ("GETEX k PERSIST", "$1 v"),
            ("TTL k", ":-1"),
            ("GETEX k PXAT 1", "$1 v"),
            ("EXISTS k", ":0"),
        ]);
        assert_eq!(session.server.databases[0].len(), 0);
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
}
