//! SLOWLOG: requests that took long.

use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::record::slowlog::SlowRequest;
use resp::number;

/// How many GET shows if it is not told.
const SHOWN: usize = 10;

pub fn get(ctx: &mut Context<'_>) -> Outcome {
    let count = match ctx.args.len() {
        2 => SHOWN,
        3 => match number::parse(ctx.arg(2)) {
            Some(-1) => usize::MAX,
            Some(count) if count >= 0 => count as usize,
            _ => return Err("ERR count should be greater than or equal to -1".into()),
        },
        _ => return Err(ctx.wrong_subcommand()),
    };
    let Context { server, client, .. } = ctx;
    let mut reply = client.reply();
    reply.array(count.min(server.slow_log.len()));
    for SlowRequest { id, time, micros, args, address, name } in server.slow_log.iter().take(count) {
        reply.array(6);
        reply.integer(*id as i64);
        reply.integer(*time);
        reply.integer(*micros as i64);
        reply.strings(args);
        reply.bulk(address);
        reply.bulk(name);
    }
    Ok(())
}

pub fn len(ctx: &mut Context<'_>) -> Outcome {
    ctx.reply_count(ctx.server.slow_log.len())
}

pub fn reset(ctx: &mut Context<'_>) -> Outcome {
    ctx.server.slow_log.clear();
    ctx.reply_ok()
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn slow_requests_are_shown() {
        let mut session = Session::new();
        session.server.now = 1_700_000_000_123;
        session.expect(&[
            ("SLOWLOG LEN", ":0"),
            ("CONFIG SET slowlog-log-slower-than 0", "+OK"),
            ("CLIENT SETNAME me", "+OK"),
            (
                "AUTH secret",
                "-ERR AUTH <password> called without any password configured for the default user. Are you sure \
                             your configuration is correct?",
            ),
            ("CONFIG SET slowlog-log-slower-than -1", "+OK"),
            ("SLOWLOG LEN", ":3"),
            ("SLOWLOG GET 0", "*0"),
            ("SLOWLOG GET -2", "-ERR count should be greater than or equal to -1"),
            ("SLOWLOG GET x", "-ERR count should be greater than or equal to -1"),
            ("SLOWLOG GET 1 2", "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP."),
        ]);
        let last = session.run("SLOWLOG GET 1");
        let (before, rest) = last.split_once(" *2 ").unwrap();
        assert!(
            before.starts_with("*1 *6 :2 :1700000000 :") && rest == "$4 AUTH $10 (redacted) $3 ?:0 $2 me",
            "{last}"
        );
        assert!(session.run("SLOWLOG GET -1").starts_with("*3 *6 :2 "));
        session.expect(&[
            ("CONFIG SET slowlog-max-len 2 slowlog-log-slower-than 0", "+OK"),
            ("PING", "+PONG"),
            ("SLOWLOG LEN", ":2"),
            ("SLOWLOG RESET", "+OK"),
            // The reset itself is slow as well.
            ("SLOWLOG LEN", ":1"),
        ]);
    }

    #[test]
    fn a_user_and_its_rules_are_not_shown() {
        let mut session = Session::new();
        session.run("CONFIG SET slowlog-log-slower-than 0");
        session.run("ACL SETUSER somebody on >secret");
        let shown = session.run("SLOWLOG GET 1");
        assert!(shown.contains("$10 (redacted) $10 (redacted) $10 (redacted)"), "{shown}");
        assert!(!shown.contains("somebody"), "{shown}");
    }

    #[test]
    fn a_request_that_waits_takes_no_time_until_it_is_served() {
        let mut session = Session::new();
        let mut other = session.other();
        session.expect(&[("CONFIG SET slowlog-log-slower-than 0", "+OK"), ("SLOWLOG RESET", "+OK")]);
        let slow = |session: &Session| session.server.slow_log.iter().filter(|slow| slow.args[0] == b"BLPOP").count();
        session.run_as(&mut other, "BLPOP l 0");
        assert_eq!(slow(&session), 0);
        session.run("RPUSH l a");
        assert_eq!((session.received(&mut other).as_str(), slow(&session)), ("*2 $1 l $1 a", 1));
    }

    #[test]
    fn a_script_calls_from_nowhere() {
        let mut session = Session::new();
        session.expect(&[
            ("CLIENT SETNAME me", "+OK"),
            ("CONFIG SET slowlog-log-slower-than 0", "+OK"),
            ("SLOWLOG RESET", "+OK"),
            ("EVAL \"return redis.call('ping')\" 0", "+PONG"),
            ("CONFIG SET slowlog-log-slower-than -1", "+OK"),
        ]);
        let slow = |at: usize| session.server.slow_log.iter().nth(at).unwrap();
        assert_eq!((slow(0).args[0].as_slice(), slow(0).name.as_slice()), (&b"EVAL"[..], &b"me"[..]));
        assert_eq!((slow(1).address.as_str(), slow(1).name.as_slice()), ("?:0", &b""[..]));
    }

    #[test]
    fn a_transaction_shows_its_parts() {
        let mut session = Session::new();
        session.expect(&[
            ("CONFIG SET slowlog-log-slower-than 0", "+OK"),
            ("SLOWLOG RESET", "+OK"),
            ("MULTI", "+OK"),
            ("SET k v", "+QUEUED"),
            ("EXEC", "*1 +OK"),
            ("CONFIG SET slowlog-log-slower-than -1", "+OK"),
        ]);
        let names: Vec<Vec<u8>> = session.server.slow_log.iter().map(|slow| slow.args[0].clone()).collect();
        assert_eq!(names, [&b"SET"[..], b"MULTI", b"SLOWLOG"]);
    }

    #[test]
    fn ten_are_shown_if_nobody_says_how_many() {
        let mut session = Session::new();
        session.run("CONFIG SET slowlog-log-slower-than 0");
        (0..14).for_each(|_| drop(session.run("PING")));
        for (request, shown) in [("SLOWLOG GET", "*10 "), ("SLOWLOG GET -1", "*16 "), ("SLOWLOG GET 12", "*12 ")] {
            let reply = session.run(request);
            assert!(reply.starts_with(shown), "{request}: {}", &reply[..10]);
        }
    }

    /// As those of commands in INFO are.
    #[test]
    fn times_are_in_microseconds() {
        let mut session = Session::new();
        session.expect(&[("CONFIG SET slowlog-log-slower-than 0", "+OK"), ("SLOWLOG RESET", "+OK")]);
        session.run("DEBUG SLEEP 0.002");
        let entry = session.run("SLOWLOG GET 1");
        let micros: i64 = entry.split(" :").nth(3).unwrap().split(' ').next().unwrap().parse().unwrap();
        let calls = session.info("cmdstat_debug");
        assert!(micros >= 2000 && calls.contains(&format!("calls=1,usec={micros},")), "{entry} {calls}");
    }
}
