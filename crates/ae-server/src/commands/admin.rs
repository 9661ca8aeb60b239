//! Commands about the server as a whole: DBSIZE, FLUSHALL, FLUSHDB, SWAPDB, TIME, ROLE.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::discard::discard;
use crate::db::effects::Concerns;
use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

pub fn dbsize(ctx: &mut Context<'_>) -> Outcome {
    let len = ctx.db().len();
    ctx.reply_count(len)
}

pub fn flushdb(ctx: &mut Context<'_>) -> Outcome {
    let background = flush_option(ctx)?;
    let old = ctx.db().take_all();
    discard(vec![old], background);
    // Also if there was nothing: others may have something.
    ctx.tell_request(Concerns::Everybody);
    ctx.reply_ok()
}

pub fn flushall(ctx: &mut Context<'_>) -> Outcome {
    let background = flush_option(ctx)?;
    ctx.server.before_flush();
    let old = ctx.server.databases.take();
    discard(old, background);
    ctx.server.after_flush();
    ctx.tell_request(Concerns::Everybody);
    ctx.reply_ok()
}

fn flush_option(ctx: &Context<'_>) -> Result<bool, Error> {
    match ctx.args.len() {
        1 => Ok(ctx.server.config.memory.lazy_user_flush),
        2 if ctx.arg(1).eq_ignore_ascii_case(b"async") => Ok(true),
        2 if ctx.arg(1).eq_ignore_ascii_case(b"sync") => Ok(false),
        _ => Err(SYNTAX_ERROR.into()),
    }
}

pub fn swapdb(ctx: &mut Context<'_>) -> Outcome {
    const INDEX: RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;
    let one = ctx.integer_in(1, INDEX, "ERR invalid first DB index")?;
    let other = ctx.integer_in(2, INDEX, "ERR invalid second DB index")?;
    let exists = 0..i64::from(ctx.server.config.databases);
    if !exists.contains(&one) || !exists.contains(&other) {
        return Err("ERR DB index is out of range".into());
    }
    ctx.db_of(one as u32).swap(other as usize);
    ctx.reply_ok()
}

pub fn time(ctx: &mut Context<'_>) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut reply = ctx.reply();
    reply.array(2);
    reply.bulk_integer(now.as_secs() as i64);
    reply.bulk_integer(now.subsec_micros().into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::db::door::Ttl;
    use crate::db::event::Event;
    use crate::testing::Session;

    #[test]
    fn the_time_has_microseconds() {
        let mut session = Session::new();
        let mut behind_seconds = || {
            let time = session.run("TIME");
            let behind: u32 = time.rsplit(' ').next().unwrap().parse().unwrap();
            assert!(time.starts_with("*2 $10 ") && behind < 1_000_000, "{time}");
            behind
        };
        // Not always in the first thousandth of a second.
        assert!((0..100_000).any(|_| behind_seconds() >= 1_000));
    }

    #[test]
    fn flushing() {
        Session::new().expect(&[
            ("SET a 1 EX 10", "+OK"),
            ("SELECT 1", "+OK"),
            ("SET b 1", "+OK"),
            ("FLUSHDB", "+OK"),
            ("DBSIZE", ":0"),
            ("SELECT 0", "+OK"),
            ("DBSIZE", ":1"),
            ("FLUSHALL async", "+OK"),
            ("DBSIZE", ":0"),
            ("SET a 1", "+OK"),
            ("FLUSHALL SYNC", "+OK"),
            ("GET a", "$-1"),
            ("CONFIG SET lazyfree-lazy-user-flush yes", "+OK"),
            ("SET a 1", "+OK"),
            ("FLUSHALL", "+OK"),
            ("GET a", "$-1"),
            ("FLUSHALL x", "-ERR syntax error"),
            ("FLUSHDB SYNC x", "-ERR syntax error"),
        ]);
    }

    #[test]
    fn exchanging() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run_as(&mut other, "BLPOP l 0");
        session.expect(&[
            ("SET a 1", "+OK"),
            ("SELECT 1", "+OK"),
            ("RPUSH l x y", ":2"),
            ("SWAPDB 0 1", "+OK"),
            ("GET a", "$1 1"),
            ("SELECT 0", "+OK"),
            ("DBSIZE", ":1"),
            ("SWAPDB 0 0", "+OK"),
            ("EXISTS l", ":1"),
            ("SWAPDB x 0", "-ERR invalid first DB index"),
            ("SWAPDB 0 9999999999", "-ERR invalid second DB index"),
            ("SWAPDB 0 16", "-ERR DB index is out of range"),
        ]);
        assert_eq!(session.received(&mut other), "*2 $1 l $1 x");
    }

    #[test]
    fn a_database_exchanged_with_itself_has_not_changed() {
        let mut session = Session::new();
        session.expect(&[("SET k 1", "+OK"), ("WATCH k", "+OK"), ("SWAPDB 0 0", "+OK"), ("MULTI", "+OK")]);
        session.expect(&[("GET k", "+QUEUED"), ("EXEC", "*1 $1 1")]);
    }

    #[test]
    fn a_large_database_is_freed_in_a_thread() {
        let mut session = Session::new();
        for i in 0..2000u32 {
            let key = i.to_le_bytes();
            session.server.databases.db(0, 0).set_string(&key, b"", Ttl::Clear, Event::SET);
        }
        session.expect(&[("FLUSHALL ASYNC", "+OK"), ("DBSIZE", ":0")]);
    }

    #[test]
    fn odds_and_ends() {
        let mut session = Session::new();
        assert!(session.run("TIME").starts_with("*2 $10 "));
        session.expect(&[("DEBUG SLEEP 0.001", "+OK"), ("DEBUG SLEEP -1", "+OK"), ("DEBUG SLEEP x", "+OK")]);
    }

    #[test]
    fn both_databases_have_to_be_there() {
        let range = "-ERR DB index is out of range";
        Session::new().expect(&[("SWAPDB 16 0", range), ("SWAPDB -1 0", range), ("SWAPDB 0 -1", range)]);
    }
}
