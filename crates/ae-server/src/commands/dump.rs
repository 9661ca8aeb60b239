//! DUMP and RESTORE: values as bytes that another server understands.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::config::settings::Config;
use crate::db::effects::Concerns;
use crate::db::event::Event;
use rdb::Compression;

pub fn dump(ctx: &mut Context<'_>) -> Outcome {
    let (key, compression) = (ctx.arg(1), compression(&ctx.server.config));
    let (db, mut reply) = ctx.split();
    match db.read_any(key) {
        Some(value) => reply.bulk(rdb::dump(value, compression)),
        None => reply.null(),
    }
    Ok(())
}

/// How strings are written, by `rdbcompression`.
pub fn compression(config: &Config) -> Compression {
    if config.saving.compression { Compression::Lzf } else { Compression::Off }
}

pub fn restore(ctx: &mut Context<'_>) -> Outcome {
    let options = Options::parse(ctx)?;
    let key = ctx.arg(1);
    if !options.replace && ctx.db().exists(key) {
        return Err("BUSYKEY Target key name already exists.".into());
    }
    let time = ctx.integer(2)?;
    if time < 0 {
        return Err("ERR Invalid TTL value, must be >= 0".into());
    }
    let limits = ctx.server.rdb_limits();
    let value = rdb::restore(ctx.arg(3), &limits).map_err(|error| match error.is_of_frame() {
        true => "ERR DUMP payload version or checksum are wrong",
        false => "ERR Bad data format",
    })?;
    let now = ctx.server.now;
    // A time that is too large is in the past, as in Redis.
    let at = if options.absolute { time } else { time.wrapping_add(now) };
    let deadline = (time > 0).then_some(at);
    if deadline.is_some_and(|at| ctx.db().has_passed(at)) {
        // What would be gone at once is not even created.
        if ctx.db().remove(key, Event::DEL) {
            ctx.effect(|request| _ = request.arg("DEL").arg(key));
        }
        return ctx.reply_ok();
    }
    ctx.db().restore(key, value, deadline);
    match deadline {
        Some(at) if !options.absolute => {
            let args = ctx.args;
            ctx.effect(|request| {
                request.args(args.iter().take(2)).integer(at).args(args.from(3)).arg("ABSTTL");
            });
        }
        _ => ctx.tell_request(Concerns::Everybody),
    }
    ctx.db().set_usage(key, options.idle, options.frequency);
    ctx.reply_ok()
}

#[derive(Default)]
struct Options {
    replace: bool,
    /// The time to live is a Unix time.
    absolute: bool,
    /// Seconds.
    idle: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(ctx: &Context<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut at = 4;
        while at < ctx.args.len() {
            let has_value = at + 1 < ctx.args.len();
            if ctx.is_word(at, "replace") {
                options.replace = true;
            } else if ctx.is_word(at, "absttl") {
                options.absolute = true;
            } else if ctx.is_word(at, "idletime") && has_value && options.frequency.is_none() {
                at += 1;
                let idle = Some(ctx.integer(at)?).filter(|idle| *idle >= 0);
                options.idle = Some(idle.ok_or("ERR Invalid IDLETIME value, must be >= 0")?);
            } else if ctx.is_word(at, "freq") && has_value && options.idle.is_none() {
                at += 1;
                let frequency = u8::try_from(ctx.integer(at)?);
                options.frequency = Some(frequency.map_err(|_| "ERR Invalid FREQ value, must be >= 0 and <= 255")?);
            } else {
                return Err(SYNTAX_ERROR.into());
            }
            at += 1;
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    /// The payload that DUMP replies.
    fn dumped(session: &mut Session, key: &str) -> Vec<u8> {
        let reply = session.raw(&format!("DUMP {key}"));
        let head = reply.iter().position(|c| *c == b'\n').unwrap() + 1;
        reply[head..reply.len() - 2].to_vec()
    }

    fn restore(session: &mut Session, words: &[&str], payload: &[u8], options: &[&str]) -> String {
        let bytes = |words: &[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        let request = [bytes(&["RESTORE"]), bytes(words), vec![payload.to_vec()], bytes(options)].concat();
        let reply = session.request(&request);
        String::from_utf8(reply).unwrap().trim_end().into()
    }

    #[test]
    fn what_is_dumped_is_restored() {
        let mut session = Session::new();
        session.expect(&[
            ("DUMP none", "$-1"),
            ("SET s hello", "+OK"),
            ("RPUSH l a b", ":2"),
            ("ZADD z 1 a 2.5 b", ":2"),
        ]);
        for key in ["s", "l", "z"] {
            let payload = dumped(&mut session, key);
            for time in ["0", "-1", "x"] {
                let reply = restore(&mut session, &[key, time], &payload, &[]);
                assert_eq!(reply, "-BUSYKEY Target key name already exists.");
            }
            assert_eq!(restore(&mut session, &[key, "0"], &payload, &["REPLACE"]), "+OK");
            assert_eq!(restore(&mut session, &["copy", "5000"], &payload, &["replace"]), "+OK");
            assert_eq!(dumped(&mut session, "copy"), payload);
        }
        session.expect(&[("ZSCORE copy b", "$3 2.5"), ("PTTL copy", ":5000"), ("TTL z", ":-1")]);
    }

    #[test]
    fn compression_can_be_switched_off() {
        let mut session = Session::new();
        session.run(&format!("SET s {}", "a".repeat(1000)));
        assert!(dumped(&mut session, "s").len() < 100);
        session.expect(&[("CONFIG SET rdbcompression no", "+OK")]);
        let payload = dumped(&mut session, "s");
        assert!(payload.len() > 1000);
        assert_eq!(restore(&mut session, &["s", "0"], &payload, &["REPLACE"]), "+OK");
    }

    #[test]
    fn times() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        assert_eq!(restore(&mut session, &["a", "9999999999999"], &payload, &["ABSTTL"]), "+OK");
        assert_eq!(restore(&mut session, &["b", "1"], &payload, &["ABSTTL"]), "+OK");
        assert_eq!(restore(&mut session, &["s", "1"], &payload, &["ABSTTL", "REPLACE"]), "+OK");
        session.expect(&[("PEXPIRETIME a", ":9999999999999"), ("EXISTS b s", ":0")]);
        let bad = "-ERR Invalid TTL value, must be >= 0";
        assert_eq!(restore(&mut session, &["c", "-1"], &payload, &[]), bad);
        assert_eq!(restore(&mut session, &["c", "9223372036854775807"], &payload, &[]), "+OK");
        session.expect(&[("EXISTS c", ":0")]);
    }

    #[test]
    fn without_a_time_a_key_lives_forever_however_it_is_counted() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        assert_eq!(restore(&mut session, &["a", "0"], &payload, &["ABSTTL"]), "+OK");
        session.expect(&[("GET a", "$1 v"), ("TTL a", ":-1")]);
    }

    #[test]
    fn what_is_replaced_gets_the_usage_of_what_is_restored() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        assert_eq!(restore(&mut session, &["s", "0"], &payload, &["REPLACE", "IDLETIME", "1000"]), "+OK");
        session.expect(&[("OBJECT IDLETIME s", ":1000")]);
    }

    #[test]
    fn usage_is_restored() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        assert_eq!(restore(&mut session, &["a", "0"], &payload, &["IDLETIME", "1000"]), "+OK");
        session.expect(&[("OBJECT IDLETIME a", ":1000")]);
        for (options, error) in [
            (&["IDLETIME", "-1"][..], "-ERR Invalid IDLETIME value, must be >= 0"),
            (&["FREQ", "256"], "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
            (&["FREQ", "x"], "-ERR value is not an integer or out of range"),
            (&["FREQ", "1", "IDLETIME", "1"], "-ERR syntax error"),
            (&["IDLETIME"], "-ERR syntax error"),
            (&["WHAT"], "-ERR syntax error"),
        ] {
            assert_eq!(restore(&mut session, &["b", "0"], &payload, options), error);
        }
    }

    #[test]
    fn what_is_restored_has_just_been_used() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        assert_eq!(restore(&mut session, &["a", "0"], &payload, &[]), "+OK");
        session.expect(&[("OBJECT IDLETIME a", ":0"), ("CONFIG SET maxmemory-policy allkeys-lfu", "+OK")]);
        assert_eq!(restore(&mut session, &["b", "0"], &payload, &[]), "+OK");
        session.expect(&[("OBJECT FREQ b", ":5")]);
        // What is said of another policy means nothing here.
        assert_eq!(restore(&mut session, &["c", "0"], &payload, &["IDLETIME", "77"]), "+OK");
        session.expect(&[("OBJECT FREQ c", ":5"), ("CONFIG SET maxmemory-policy volatile-lfu", "+OK")]);
        session.expect(&[("OBJECT FREQ c", ":5")]);
    }

    #[test]
    fn bad_payloads() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        let frame = "-ERR DUMP payload version or checksum are wrong";
        assert_eq!(restore(&mut session, &["a", "0"], b"", &[]), frame);
        assert_eq!(restore(&mut session, &["a", "0"], &payload[2..], &[]), frame);
        let mut changed = payload[..payload.len() - 8].to_vec();
        changed[0] = 99;
        changed.extend(rdb::crc64(0, &changed).to_le_bytes());
        assert_eq!(restore(&mut session, &["a", "0"], &changed, &[]), "-ERR Bad data format");
        session.expect(&[("EXISTS a", ":0")]);
    }

    #[test]
    fn a_time_to_live_is_counted_from_now_or_is_a_time() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        let at = session.server.now + 5_000;
        assert_eq!(restore(&mut session, &["a", "5000"], &payload, &[]), "+OK");
        assert_eq!(restore(&mut session, &["b", &at.to_string()], &payload, &["ABSTTL"]), "+OK");
        session.expect(&[("PTTL a", ":5000"), ("PTTL b", ":5000")]);
    }

    #[test]
    fn a_key_has_an_idle_time_or_a_frequency() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        for options in [["IDLETIME", "1", "FREQ", "2"], ["FREQ", "2", "IDLETIME", "1"]] {
            assert_eq!(restore(&mut session, &["a", "0"], &payload, &options), "-ERR syntax error");
        }
    }

    #[test]
    fn the_last_frequency_counts() {
        let mut session = Session::new();
        session.expect(&[("SET s v", "+OK"), ("CONFIG SET maxmemory-policy allkeys-lfu", "+OK")]);
        let payload = dumped(&mut session, "s");
        assert_eq!(restore(&mut session, &["a", "0"], &payload, &["FREQ", "7", "FREQ", "77"]), "+OK");
        session.expect(&[("OBJECT FREQ a", ":77")]);
    }

    #[test]
    fn what_would_be_gone_at_once_is_not_created() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        for (time, options) in [("9223372036854775807", &[][..]), ("1", &["ABSTTL"])] {
            assert_eq!(restore(&mut session, &["a", time], &payload, options), "+OK");
            session.expect(&[("DBSIZE", ":1")]);
        }
    }

    #[test]
    fn what_is_replaced_by_something_that_has_expired_is_deleted() {
        let mut session = Session::new();
        session.run("SET s v");
        let payload = dumped(&mut session, "s");
        session.run("CONFIG SET notify-keyspace-events KA");
        let mut listener = session.other();
        session.run_as(&mut listener, "SUBSCRIBE __keyspace@0__:s");
        session.received(&mut listener);
        assert_eq!(restore(&mut session, &["s", "1"], &payload, &["ABSTTL", "REPLACE"]), "+OK");
        assert_eq!(session.received(&mut listener), "*3 $7 message $16 __keyspace@0__:s $3 del");
    }

    #[test]
    fn a_dump_is_a_read() {
        let mut session = Session::new();
        session.run("SET s v");
        session.wait(10_000);
        session.run("DUMP s");
        session.run("DUMP none");
        assert_eq!((session.number("keyspace_hits"), session.number("keyspace_misses")), (1, 1));
        session.expect(&[("OBJECT IDLETIME s", ":0")]);
    }

    #[test]
    fn an_idle_time_may_be_zero() {
        let mut session = Session::new();
        let payload = rdb::dump(&store::Value::from(store::StringValue::new(b"v")), rdb::Compression::Off);
        let restore = |idle: &str| {
            let words = [&b"RESTORE"[..], b"k", b"0", &payload, b"REPLACE", b"IDLETIME", idle.as_bytes()];
            words.map(<[u8]>::to_vec)
        };
        assert_eq!(session.request(&restore("0")), b"+OK\r\n");
        assert_eq!(session.request(&restore("-1")), b"-ERR Invalid IDLETIME value, must be >= 0\r\n");
    }
}
