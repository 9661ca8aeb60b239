//! KEYS and SCAN: finding keys.

use super::scan_options::{INVALID_CURSOR, ScanOptions, parse_cursor};
use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::glob::{Case, matches};

pub fn keys(ctx: &mut Context<'_>) -> Outcome {
    let pattern = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let place = reply.place();
    let mut count = 0;
    for key in db.keys() {
        if reply.is_full() {
            break;
        }
        if pattern == b"*" || matches(pattern, key, Case::Sensitive) {
            reply.bulk(key);
            count += 1;
        }
    }
    reply.put_array(place, count);
    Ok(())
}

pub fn scan(ctx: &mut Context<'_>) -> Outcome {
    let cursor = parse_cursor(ctx.arg(1)).ok_or(INVALID_CURSOR)?;
    let options = ScanOptions::parse(ctx.args.from(2), true)?;
    let (mut db, mut reply) = ctx.split();
    options.reply_page(&mut reply, cursor, |cursor, page| {
        db.scan(cursor, |key, value| {
            page.visited += 1;
            let matches = options.matches(key);
            if matches && value.is_some_and(|value| options.wants(value.type_name())) {
                page.add(key);
            }
            matches
        })
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;
    use std::collections::HashSet;

    /// Cursor and keys of a SCAN reply.
    fn parts(reply: &str) -> (String, Vec<String>) {
        let words: Vec<&str> = reply.split(' ').collect();
        assert_eq!(words[0], "*2", "{reply}");
        (words[2].into(), words[4..].iter().skip(1).step_by(2).map(ToString::to_string).collect())
    }

    #[test]
    fn keys_end_where_the_client_is_closed_for_them() {
        let mut session = Session::new();
        session.run("CONFIG SET client-output-buffer-limit \"normal 100000 0 0\"");
        for i in 0..1000 {
            session.run(&format!("SET {i:0100} v"));
        }
        let mut other = session.other();
        session.run_as(&mut other, "PING");
        session.run_as(&mut other, "KEYS *");
        let output = &session.server.clients.get_same(other).unwrap().output;
        assert_eq!((output.pending(), output.dropped() > 0), (0, true));
    }

    #[test]
    fn keys_by_pattern() {
        let mut session = Session::new();
        session.expect(&[
            ("KEYS *", "*0"),
            ("MSET one 1 two 2", "+OK"),
            ("SET gone 3 PX 1", "+OK"),
            ("KEYS t*", "*1 $3 two"),
            ("KEYS ???", "*2 $3 one $3 two"),
        ]);
        session.wait(2);
        session.expect(&[("KEYS g*", "*0")]);
    }

    #[test]
    fn a_whole_scan() {
        let mut session = Session::new();
        for i in 0..1000 {
            session.run(&format!("SET key:{i} v"));
        }
        for options in ["", "COUNT 100", "MATCH key:*", "TYPE string", "COUNT 9223372036854775807"] {
            let (mut cursor, mut seen) = (String::from("0"), HashSet::new());
            loop {
                let (next, keys) = parts(&session.run(&format!("SCAN {cursor} {options}")));
                seen.extend(keys);
                cursor = next;
                if cursor == "0" {
                    break;
                }
            }
            assert_eq!(seen.len(), 1000, "{options}");
        }
    }

    #[test]
    fn expired_keys_that_match_are_removed() {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG SET-ACTIVE-EXPIRE 0", "+OK"),
            ("SET a 1 PX 1", "+OK"),
            ("SET b 1 PX 1", "+OK"),
            ("SET c 1", "+OK"),
        ]);
        session.wait(2);
        session.expect(&[
            ("SCAN 0 MATCH b TYPE list", "*2 $1 0 *0"),
            ("DBSIZE", ":2"),
            ("SCAN 0", "*2 $1 0 *1 $1 c"),
            ("DBSIZE", ":1"),
        ]);
        assert_eq!(session.server.databases.stats.expired, 2);
    }

    #[test]
    fn options() {
        let mut session = Session::new();
        session.run("MSET a 1 b 2");
        session.expect(&[
            ("SCAN 0 MATCH a", "*2 $1 0 *1 $1 a"),
            ("SCAN 0 TYPE list", "*2 $1 0 *0"),
            ("SCAN 0 TYPE STRING MATCH b", "*2 $1 0 *1 $1 b"),
            ("SCAN x", "-ERR invalid cursor"),
            ("SCAN 0 COUNT 0", "-ERR syntax error"),
            ("SCAN 0 COUNT", "-ERR syntax error"),
            ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
            ("SCAN 0 WHAT x", "-ERR syntax error"),
        ]);
        for cursor in ["18446744073709551615", "\"\"", "+0", "-1", "000", "\"0\\x00x\"", "\"\\x00\""] {
            assert!(session.run(&format!("SCAN {cursor}")).starts_with("*2"), "{cursor}");
        }
        for cursor in
            ["18446744073709551616", "-18446744073709551616", "-", "+", "+-1", "\" 1\"", "\"1 \"", "0x1", "1.0"]
        {
            assert_eq!(session.run(&format!("SCAN {cursor}")), "-ERR invalid cursor", "{cursor}");
        }
    }

    #[test]
    fn patterns_of_keys_have_a_case() {
        Session::new().expect(&[("SET key v", "+OK"), ("KEYS K*", "*0"), ("SCAN 0 MATCH K*", "*2 $1 0 *0")]);
    }

    /// Ten keys at a time, if nobody says how many; those of one bucket come together.
    #[test]
    fn a_page_is_about_as_long_as_was_asked_for() {
        let mut session = Session::new();
        for i in 0..1000 {
            session.run(&format!("SET key:{i} v"));
            session.run(&format!("SADD set member:{i}"));
        }
        for (options, least, most) in [("", 10, 90), ("COUNT 10", 10, 90), ("COUNT 100", 100, 180), ("COUNT 1", 1, 80)]
        {
            for scan in ["SCAN", "SSCAN set"] {
                let (_, found) = parts(&session.run(&format!("{scan} 0 {options}")));
                assert!((least..=most).contains(&found.len()), "{scan} {options}: {}", found.len());
            }
        }
    }

    /// Elements have no types.
    #[test]
    fn a_type_is_for_keys_alone() {
        Session::new().expect(&[
            ("SADD s a", ":1"),
            ("SSCAN s 0 TYPE string", "-ERR syntax error"),
            ("HSET h f v", ":1"),
            ("HSCAN h 0", "*2 $1 0 *2 $1 f $1 v"),
        ]);
    }
}
