//! LCS: the longest common subsequence of two strings.

use crate::command::context::Context;
use crate::command::error::{Error, NOT_AN_INTEGER, Outcome, SYNTAX_ERROR};
use resp::{Args, number};
use store::types::lcs::{self, Comparison, Limits, TooLong};
use store::{Digits, StringValue};

/// What is asked for.
#[derive(Default)]
struct Options {
    length: bool,
    matches: bool,
    with_length: bool,
    /// Matches that are shorter are left out.
    min_length: usize,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options, Error> {
        let mut options = Options::default();
        let mut words = args.from(3);
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_slice() {
                b"idx" => options.matches = true,
                b"len" => options.length = true,
                b"withmatchlen" => options.with_length = true,
                b"minmatchlen" => {
                    let min = number::parse(words.next().ok_or(SYNTAX_ERROR)?).ok_or(NOT_AN_INTEGER)?;
                    options.min_length = min.max(0) as usize;
                }
                _ => return Err(SYNTAX_ERROR.into()),
            }
        }
        if options.length && options.matches {
            return Err("ERR If you want both the length and indexes, please just use IDX.".into());
        }
        Ok(options)
    }
}

pub fn lcs(ctx: &mut Context<'_>) -> Outcome {
    let (args, limits) = (ctx.args, Limits { table_bytes: ctx.server.config.max_bulk });
    let (db, mut reply) = ctx.split();
    let values = db.read_several_any(args.from(1).take(2), |_| true);
    let mut rooms = [Digits::new(); 2];
    let mut strings = [&b""[..]; 2];
    for ((value, room), string) in values.into_iter().zip(&mut rooms).zip(&mut strings) {
        if let Some(value) = value {
            let value = value.of::<StringValue>().ok_or("ERR The specified keys must contain string values")?;
            *string = value.as_slice(room);
        }
    }
    let (options, [first, second]) = (Options::parse(&args)?, strings);
    if options.length {
        reply.count(lcs::length(first, second, limits).map_err(refusal)?);
        return Ok(());
    }
    let comparison = Comparison::new(first, second, limits).map_err(refusal)?;
    if !options.matches {
        reply.bulk(comparison.sequence());
        return Ok(());
    }
    reply.map(2);
    reply.bulk("matches");
    let (place, mut count) = (reply.place(), 0);
    for found in comparison.matches().filter(|found| found.first.len() >= options.min_length) {
        count += 1;
        reply.array(if options.with_length { 3 } else { 2 });
        for range in [&found.first, &found.second] {
            reply.array(2);
            reply.count(range.start);
            reply.count(range.end - 1);
        }
        if options.with_length {
            reply.count(found.first.len());
        }
    }
    reply.put_array(place, count);
    reply.bulk("len");
    reply.count(comparison.length());
    Ok(())
}

fn refusal(reason: TooLong) -> Error {
    match reason {
        TooLong::String => "ERR String too long for LCS",
        TooLong::Table => "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        TooLong::Memory => "ERR Insufficient memory, failed allocating transient memory for LCS",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use crate::config::settings::Config;
    use crate::testing::Session;

    #[test]
    fn all_forms() {
        let mut session = Session::new();
        session.expect(&[
            ("MSET a ohmytext b mynewtext", "+OK"),
            ("LCS a b", "$6 mytext"),
            ("LCS a b LEN", ":6"),
            ("LCS a b WITHMATCHLEN", "$6 mytext"),
            ("LCS a b idx", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6"),
            ("LCS a b IDX WITHMATCHLEN minmatchlen 4", "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6"),
            ("LCS a b IDX IDX MINMATCHLEN 9 MINMATCHLEN 4", "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6"),
            ("LCS a b IDX MINMATCHLEN 5", "*4 $7 matches *0 $3 len :6"),
            ("LCS a b IDX MINMATCHLEN -5", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6"),
            ("LCS a none", "$0 "),
            ("LCS a none LEN", ":0"),
            ("LCS none a IDX", "*4 $7 matches *0 $3 len :0"),
        ]);
        session.run("HELLO 3");
        session.expect(&[("LCS a b IDX MINMATCHLEN 4", "%2 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6")]);
    }

    #[test]
    fn both_keys_are_read() {
        let mut session = Session::new();
        session.expect(&[("RPUSH l a", ":1"), ("SET a v", "+OK")]);
        session.run("LCS l a");
        assert_eq!(session.number("keyspace_hits"), 2);
    }

    #[test]
    fn errors() {
        let mut session = Session::with(Config { max_bulk: 1024 * 1024, ..Config::default() });
        session.expect(&[
            ("RPUSH l a", ":1"),
            ("SET a 12", "+OK"),
            ("LCS a l foo", "-ERR The specified keys must contain string values"),
            ("LCS a a foo", "-ERR syntax error"),
            ("LCS a a MINMATCHLEN", "-ERR syntax error"),
            ("LCS a a MINMATCHLEN x", "-ERR value is not an integer or out of range"),
            ("LCS a a IDX LEN", "-ERR If you want both the length and indexes, please just use IDX."),
            ("LCS a a IDX LEN foo", "-ERR syntax error"),
            ("SETRANGE a 510 x", ":511"),
            ("SETRANGE b 510 x", ":511"),
            ("LCS a b LEN", ":509"),
            ("SETRANGE a 511 x", ":512"),
            ("LCS a b", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
            ("LCS b a LEN", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
        ]);
    }
}
