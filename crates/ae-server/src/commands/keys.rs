//! Commands for keys of any type: DEL, EXISTS, RENAME, TYPE, OBJECT.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome};
use crate::db::event::Event;
use store::Value;

pub fn del(ctx: &mut Context<'_>) -> Outcome {
    let mut count = 0;
    for key in ctx.args.from(1) {
        count += i64::from(ctx.db().remove(key, Event::DEL));
    }
    ctx.reply_integer(count)
}

pub fn exists(ctx: &mut Context<'_>) -> Outcome {
    let mut count = 0;
    for key in ctx.args.from(1) {
        count += i64::from(ctx.db().read_any(key).is_some());
    }
    ctx.reply_integer(count)
}

pub fn type_of(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let name = ctx.db().peek_any(key).map_or("none", Value::type_name);
    ctx.reply().simple(name);
    Ok(())
}

pub fn rename(ctx: &mut Context<'_>) -> Outcome {
    rename_key(ctx, false)?;
    ctx.reply_ok()
}

pub fn renamenx(ctx: &mut Context<'_>) -> Outcome {
    let renamed = rename_key(ctx, true)?;
    ctx.reply_integer(renamed.into())
}

fn rename_key(ctx: &mut Context<'_>, only_to_new: bool) -> Result<bool, Error> {
    let (from, to) = (ctx.arg(1), ctx.arg(2));
    if !ctx.db().exists(from) {
        return Err("ERR no such key".into());
    }
    if from == to {
        return Ok(!only_to_new);
    }
    if only_to_new && ctx.db().exists(to) {
        return Ok(false);
    }
    ctx.db().rename(from, to);
    Ok(true)
}

pub fn randomkey(ctx: &mut Context<'_>) -> Outcome {
    let (db, mut reply) = ctx.split();
    match db.random_key() {
        Some(key) => reply.bulk(key),
        None => reply.null(),
    }
    Ok(())
}

pub fn encoding(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let (db, mut reply) = ctx.split();
    match db.peek_any(key) {
        Some(value) => reply.bulk(value.encoding()),
        None => reply.null(),
    }
    Ok(())
}

/// Values are not shared.
pub fn refcount(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    if ctx.db().exists(key) { ctx.reply_integer(1) } else { ctx.reply_null() }
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn deleting_and_counting() {
        Session::new().expect(&[
            ("MSET a 1 b 2 c 3", "+OK"),
            ("EXISTS a b none a", ":3"),
            ("DEL a none a", ":1"),
            ("UNLINK b c", ":2"),
            ("DBSIZE", ":0"),
            ("DEL", "-ERR wrong number of arguments for 'del' command"),
        ]);
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
    fn renaming() {
        Session::new().expect(&[
            ("RENAME a b", "-ERR no such key"),
            ("SET a 1 EX 100", "+OK"),
            ("SET b 2 EX 10", "+OK"),
            ("RENAME a b", "+OK"),
            ("MGET a b", "*2 $-1 $1 1"),
            ("TTL b", ":100"),
            ("RENAME b b", "+OK"),
            ("RENAMENX b b", ":0"),
            ("SET c 3", "+OK"),
            ("RENAMENX b c", ":0"),
            ("RENAMENX b d", ":1"),
            ("RENAME c d", "+OK"),
            ("TTL d", ":-1"),
            ("RENAME none none", "-ERR no such key"),
        ]);
    }

    #[test]
    fn some_key() {
        Session::new().expect(&[("RANDOMKEY", "$-1"), ("SET k v", "+OK"), ("RANDOMKEY", "$1 k")]);
    }
}
