//! KEYS and SCAN: finding keys.

use crate::command::context::Context;
use crate::command::error::{NOT_AN_INTEGER, Outcome, SYNTAX_ERROR};
use crate::glob::{Case, matches};
use resp::{number, writer};

pub fn keys(ctx: &mut Context<'_>) -> Outcome {
    let pattern = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let place = reply.place();
    let mut count = 0;
    for key in db.keys() {
        if pattern == b"*" || matches(pattern, key, Case::Sensitive) {
            reply.bulk(key);
            count += 1;
        }
    }
    reply.put_array(place, count);
    Ok(())
}

pub fn scan(ctx: &mut Context<'_>) -> Outcome {
    let mut cursor = parse_cursor(ctx.arg(1)).ok_or("ERR invalid cursor")?;
    let (mut pattern, mut kind, mut wanted) = (&b"*"[..], None, 10);
    let mut words = ctx.args.from(2);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(SYNTAX_ERROR)?;
        match word.to_ascii_lowercase().as_slice() {
            b"count" => {
                wanted = number::parse(value).ok_or(NOT_AN_INTEGER)?;
                if wanted < 1 {
                    return Err(SYNTAX_ERROR.into());
                }
            }
            b"match" => pattern = value,
            b"type" => kind = Some(value),
            _ => return Err(SYNTAX_ERROR.into()),
        }
    }
    let (mut found, mut count) = (Vec::new(), 0);
    // COUNT limits the work, so keys that do not match count too; in a table with many empty buckets the
    // buckets set the limit.
    let mut buckets = wanted.saturating_mul(10);
    let mut visited = 0;
    loop {
        cursor = ctx.db().scan(cursor, |key, value| {
            visited += 1;
            if kind.is_none_or(|kind| kind.eq_ignore_ascii_case(value.type_name().as_bytes()))
                && (pattern == b"*" || matches(pattern, key, Case::Sensitive))
            {
                writer::bulk(&mut found, key);
                count += 1;
            }
        });
        buckets -= 1;
        if cursor == 0 || buckets == 0 || visited >= wanted {
            break;
        }
    }
    let mut reply = ctx.reply();
    reply.array(2);
    reply.bulk(cursor.to_string());
    reply.array(count);
    reply.out().append(&mut found);
    Ok(())
}

/// What C's `strtoul` reads, and so Redis: nothing is 0, a negative number counts from the end of the range, and a zero
/// byte ends the text.
fn parse_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|c| *c == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // Only digits: no second sign.
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|c| c.is_ascii_digit()))?;
    let value: u64 = digits.parse().ok()?;
    Some(if negative { value.wrapping_neg() } else { value })
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
    fn keys_by_pattern() {
        let mut session = Session::new();
        session.expect(&[
            ("KEYS *", "*0"),
            ("MSET one 1 two 2", "+OK"),
            ("SET gone 3 PX 1", "+OK"),
            ("KEYS t*", "*1 $3 two"),
            ("KEYS ???", "*2 $3 one $3 two"),
        ]);
        session.wait(1);
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
}
