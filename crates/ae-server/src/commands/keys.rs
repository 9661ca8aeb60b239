//! Commands for keys of any type: DEL, EXISTS, RENAME, COPY, MOVE, TYPE.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use store::ValueRef;

pub fn del(ctx: &mut Context<'_>) -> Outcome {
    let mut count = 0;
    for key in ctx.args.from(1) {
        count += i64::from(ctx.db().remove(key, Event::DEL));
    }
    ctx.reply_integer(count)
}

pub fn exists(ctx: &mut Context<'_>) -> Outcome {
    let keys = ctx.args.from(1);
    let count = keys.filter(|key| ctx.db().look_at(key).is_some()).count();
    ctx.reply_count(count)
}

/// As EXISTS, but the keys count as used.
pub fn touch(ctx: &mut Context<'_>) -> Outcome {
    let keys = ctx.args.from(1);
    let count = keys.filter(|key| ctx.db().read_any(key).is_some()).count();
    ctx.reply_count(count)
}

pub fn type_of(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let name = ctx.db().look_at(key).map_or("none", ValueRef::type_name);
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

const SAME: &str = "ERR source and destination objects are the same";

pub fn copy(ctx: &mut Context<'_>) -> Outcome {
    let (from, to) = (ctx.arg(1), ctx.arg(2));
    let (mut db, mut replace) = (ctx.client.db, false);
    let mut at = 3;
    while at < ctx.args.len() {
        if ctx.is_word(at, "replace") {
            replace = true;
        } else if ctx.is_word(at, "db") && at + 1 < ctx.args.len() {
            db = ctx.database(at + 1)?;
            at += 1;
        } else {
            return Err(SYNTAX_ERROR.into());
        }
        at += 1;
    }
    if db == ctx.client.db && from == to {
        return Err(SAME.into());
    }
    if ctx.db().read_any(from).is_none() || !replace && ctx.db_of(db).exists(to) {
        return ctx.reply_integer(0);
    }
    ctx.db().copy_to(from, db as usize, to);
    ctx.reply_integer(1)
}

pub fn move_key(ctx: &mut Context<'_>) -> Outcome {
    let (key, db) = (ctx.arg(1), ctx.database(2)?);
    if db == ctx.client.db {
        return Err(SAME.into());
    }
    if !ctx.db().exists(key) || ctx.db_of(db).exists(key) {
        return ctx.reply_integer(0);
    }
    ctx.db().move_to(key, db as usize);
    ctx.reply_integer(1)
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn a_new_name_is_told_before_the_renaming() {
        let mut session = Session::new();
        let mut listener = session.other();
        session.run("CONFIG SET notify-keyspace-events AEn");
        session.run_as(&mut listener, "PSUBSCRIBE *");
        for lines in [["SET a 1", "RENAME a b"], ["SET a 1", "RENAME a b"]] {
            session.run(lines[0]);
            session.received(&mut listener);
            session.run(lines[1]);
            let told = session.received(&mut listener);
            let events: Vec<&str> = told.split(' ').filter_map(|word| word.strip_prefix("__keyevent@0__:")).collect();
            assert_eq!(events, ["new", "rename_from", "rename_to"]);
        }
    }

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
    fn copying() {
        Session::new().expect(&[
            ("COPY a b", ":0"),
            ("COPY a a", "-ERR source and destination objects are the same"),
            ("RPUSH a 1 2", ":2"),
            ("EXPIRE a 100", ":1"),
            ("COPY a b", ":1"),
            ("COPY a b", ":0"),
            ("RPUSH b 3", ":3"),
            ("TTL b", ":100"),
            ("COPY b a REPLACE replace", ":1"),
            ("RPUSH a 4", ":4"),
            ("COPY b a DB 1", ":1"),
            ("COPY b b DB 1 REPLACE", ":1"),
            ("COPY b b DB 1 REPLACE", ":1"),
            ("COPY b b REPLACE DB 1", ":1"),
            ("COPY b a DB 1", ":0"),
            ("COPY b a DB 16", "-ERR DB index is out of range"),
            ("COPY b a DB x", "-ERR value is not an integer or out of range"),
            ("COPY b a DB 9999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
            ("COPY b a DB", "-ERR syntax error"),
            ("COPY b b DB 0", "-ERR source and destination objects are the same"),
            ("SELECT 1", "+OK"),
            ("DBSIZE", ":2"),
            ("RPUSH a x", ":4"),
        ]);
    }

    #[test]
    fn moving() {
        Session::new().expect(&[
            ("MOVE a 1", ":0"),
            ("MOVE a 0", "-ERR source and destination objects are the same"),
            ("MOVE a 16", "-ERR DB index is out of range"),
            ("MOVE a -1", "-ERR DB index is out of range"),
            ("SET a 1 EX 100", "+OK"),
            ("MOVE a 1", ":1"),
            ("SET a 2", "+OK"),
            ("MOVE a 1", ":0"),
            ("SELECT 1", "+OK"),
            ("TTL a", ":100"),
        ]);
    }

    #[test]
    fn some_key() {
        Session::new().expect(&[("RANDOMKEY", "$-1"), ("SET k v", "+OK"), ("RANDOMKEY", "$1 k")]);
    }

    #[test]
    fn only_touch_uses_a_key() {
        let mut session = Session::new();
        session.run("SET k v");
        session.wait(10_000);
        session.expect(&[
            ("EXISTS k", ":1"),
            ("TYPE k", "+string"),
            ("TYPE none", "+none"),
            ("OBJECT IDLETIME k", ":10"),
            ("TOUCH k", ":1"),
            ("OBJECT IDLETIME k", ":0"),
        ]);
        // What is copied is read.
        session.wait(10_000);
        session.expect(&[("OBJECT IDLETIME k", ":10"), ("COPY k other", ":1"), ("OBJECT IDLETIME k", ":0")]);
    }

    #[test]
    fn the_same_name_changes_nothing() {
        let mut session = Session::new();
        assert_eq!(session.events(&["SET k v", "RENAME k k", "RENAMENX k k"]), ["set"]);
        assert_eq!(session.server.databases.dirty, 1);
    }
}
