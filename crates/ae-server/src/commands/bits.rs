//! Bits of strings: SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::door::Ttl;
use crate::db::event::Event;
use resp::number;
use store::types::bits::{self, Operation, Unit};
use store::{Digits, StringValue};

/// An argument as the offset of a bit, within the longest string that there may be. In front of it may be a `#`, when
/// it counts fields of `field_bits`.
pub fn offset(ctx: &Context<'_>, index: usize, field_bits: Option<u32>) -> Result<u64, Error> {
    let (text, bits) = match (ctx.arg(index), field_bits) {
        ([b'#', text @ ..], Some(bits)) => (text, bits),
        (text, _) => (text, 1),
    };
    let offset = number::parse(text).and_then(|offset| u64::try_from(offset).ok()?.checked_mul(bits.into()));
    let offset = offset.filter(|offset| offset / 8 < ctx.server.config.max_bulk);
    offset.ok_or("ERR bit offset is not an integer or out of range".into())
}

pub fn setbit(ctx: &mut Context<'_>) -> Outcome {
    let (key, offset) = (ctx.arg(1), offset(ctx, 2, None)?);
    let bit = match number::parse(ctx.arg(3)) {
        Some(bit @ 0..=1) => bit == 1,
        _ => return Err("ERR bit is not an integer or out of range".into()),
    };
    let mut value = ctx.db().edit_or_create::<StringValue>(key, Event::string("setbit"))?;
    let needed = bits::bytes_for(offset + 1) as usize;
    let grows = value.len() < needed;
    let old = bits::set(value.make_growing_to(needed), offset, bit);
    value.changes((grows || old != bit).into());
    drop(value);
    ctx.reply_integer(old.into())
}

pub fn getbit(ctx: &mut Context<'_>) -> Outcome {
    let (key, offset) = (ctx.arg(1), offset(ctx, 2, None)?);
    let value = ctx.db().read::<StringValue>(key)?;
    let bit = value.is_some_and(|value| bits::get(value.as_slice(&mut Digits::new()), offset));
    ctx.reply_integer(bit.into())
}

pub fn bitcount(ctx: &mut Context<'_>) -> Outcome {
    let (key, range) = (ctx.arg(1), range_to_count(ctx));
    let Some(value) = ctx.db().read::<StringValue>(key)? else {
        return ctx.reply_integer(0);
    };
    let (start, end, unit) = range?;
    let count = bits::count_range(value.as_slice(&mut Digits::new()), start, end, unit);
    ctx.reply_integer(count as i64)
}

fn range_to_count(ctx: &Context<'_>) -> Result<(i64, i64, Unit), Error> {
    if ctx.args.len() == 2 {
        return Ok((0, -1, Unit::Byte));
    }
    if !matches!(ctx.args.len(), 4 | 5) {
        return Err(SYNTAX_ERROR.into());
    }
    let (start, end) = (ctx.integer(2)?, ctx.integer(3)?);
    // As in Redis, nothing asks for the unit then.
    let is_empty = start < 0 && end < 0 && start > end;
    let unit = if is_empty || ctx.args.len() == 4 { Unit::Byte } else { unit(ctx, 4)? };
    Ok((start, end, unit))
}

fn unit(ctx: &Context<'_>, index: usize) -> Result<Unit, Error> {
    Unit::parse(ctx.arg(index)).ok_or(SYNTAX_ERROR.into())
}

pub fn bitpos(ctx: &mut Context<'_>) -> Outcome {
    let bit = match ctx.integer(2)? {
        bit @ 0..=1 => bit == 1,
        _ => return Err("ERR The bit argument must be 1 or 0.".into()),
    };
    let (key, range) = (ctx.arg(1), range_to_search(ctx));
    let Some(value) = ctx.db().read::<StringValue>(key)? else {
        return ctx.reply_integer(if bit { -1 } else { 0 });
    };
    let (start, end, unit) = range?;
    let position = bits::position(value.as_slice(&mut Digits::new()), bit, start, end, unit);
    ctx.reply_integer(position.map_or(-1, |position| position as i64))
}

fn range_to_search(ctx: &Context<'_>) -> Result<(i64, Option<i64>, Unit), Error> {
    match ctx.args.len() {
        3 => Ok((0, None, Unit::Byte)),
        4 => Ok((ctx.integer(3)?, None, Unit::Byte)),
        5 => Ok((ctx.integer(3)?, Some(ctx.integer(4)?), Unit::Byte)),
        6 => {
            let (start, unit) = (ctx.integer(3)?, unit(ctx, 5)?);
            Ok((start, Some(ctx.integer(4)?), unit))
        }
        _ => Err(SYNTAX_ERROR.into()),
    }
}

pub fn bitop(ctx: &mut Context<'_>) -> Outcome {
    let operation = Operation::parse(ctx.arg(1)).ok_or(SYNTAX_ERROR)?;
    let (target, keys) = (ctx.arg(2), ctx.args.from(3));
    if operation == Operation::Not && keys.len() != 1 {
        return Err("ERR BITOP NOT must be called with a single source key.".into());
    }
    let values = ctx.db().read_several::<StringValue>(keys)?;
    let mut digits = vec![Digits::new(); values.len()];
    let rooms = digits.iter_mut();
    let strings: Vec<&[u8]> =
        values.iter().zip(rooms).map(|(value, room)| value.map_or(&b""[..], |value| value.as_slice(room))).collect();
    let result = bits::combine(operation, &strings);
    let len = result.len();
    if result.is_empty() {
        ctx.db().clear(target);
    } else {
        ctx.db().set(target, StringValue::Growing(result.into()), Ttl::Clear, Event::SET);
    }
    ctx.reply_count(len)
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    const OFFSET: &str = "-ERR bit offset is not an integer or out of range";
    const BIT: &str = "-ERR bit is not an integer or out of range";
    const INTEGER: &str = "-ERR value is not an integer or out of range";
    const SYNTAX: &str = "-ERR syntax error";
    const TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

    #[test]
    fn single_bits() {
        Session::new().expect(&[
            ("SETBIT k 7 1", ":0"),
            ("GET k", "$1 \u{1}"),
            ("SETBIT k 7 1", ":1"),
            ("OBJECT ENCODING k", "$3 raw"),
            ("SETBIT k 8 1", ":0"),
            ("GET k", "$2 \u{1}\u{fffd}"),
            ("SETBIT k 20 0", ":0"),
            ("STRLEN k", ":3"),
            ("GETBIT k 7", ":1"),
            ("GETBIT k 4294967295", ":0"),
            ("GETBIT k 4294967296", OFFSET),
            ("GETBIT none 1", ":0"),
            ("GETBIT none x", OFFSET),
            ("SETBIT k 4294967295 1", ":0"),
            ("STRLEN k", ":536870912"),
            ("DEL k", ":1"),
            ("SETBIT k 4294967296 1", OFFSET),
            ("SETBIT k -1 2", OFFSET),
            ("SETBIT k #1 1", OFFSET),
            ("GETBIT k #1", OFFSET),
            ("SETBIT k 1 2", BIT),
            ("SETBIT k 1 x", BIT),
            ("EXISTS k", ":0"),
            ("SET n 12", "+OK"),
            ("GETBIT n 3", ":1"),
            ("RPUSH l a", ":1"),
            ("SETBIT l 1 2", BIT),
            ("SETBIT l 1 1", TYPE),
            ("GETBIT l 1", TYPE),
        ]);
    }

    #[test]
    fn only_what_changes_something_is_a_change() {
        let mut session = Session::new();
        for (line, changes) in
            [("SETBIT k 7 0", 1), ("SETBIT k 6 0", 0), ("SETBIT k 6 1", 1), ("SETBIT k 6 1", 0), ("SETBIT k 9 0", 1)]
        {
            let before = session.server.databases.dirty;
            session.run(line);
            assert_eq!(session.server.databases.dirty - before, changes, "{line}");
        }
    }

    #[test]
    fn counting() {
        Session::new().expect(&[
            ("SET k foobar", "+OK"),
            ("BITCOUNT k", ":26"),
            ("BITCOUNT k 1 1", ":6"),
            ("BITCOUNT k 5 30 BIT", ":17"),
            ("BITCOUNT k -2 -1 byte", ":7"),
            ("BITCOUNT k 1", SYNTAX),
            ("BITCOUNT k 1 2 foo", SYNTAX),
            ("BITCOUNT k -1 -2 foo", ":0"),
            ("BITCOUNT k 2 1 foo", SYNTAX),
            ("BITCOUNT k 2 -1 foo", SYNTAX),
            ("BITCOUNT k 1 2 bit x", SYNTAX),
            ("BITCOUNT k 1 x foo", INTEGER),
            ("BITCOUNT none 1 x foo", ":0"),
            ("RPUSH l a", ":1"),
            ("BITCOUNT l x", TYPE),
        ]);
    }

    #[test]
    fn positions() {
        let mut session = Session::new();
        session.run(r#"SET k "\xff\xf0\x00""#);
        session.expect(&[
            ("BITPOS k 0", ":12"),
            ("BITPOS k 1 2", ":-1"),
            ("BITPOS k 1 7 15 bit", ":7"),
            ("BITPOS k 0 7 11 BIT", ":-1"),
            ("BITPOS k 0 0 0", ":-1"),
            ("BITPOS k 2", "-ERR The bit argument must be 1 or 0."),
            ("BITPOS k x", INTEGER),
            ("BITPOS k 0 0 x foo", SYNTAX),
            ("BITPOS k 0 x x foo", INTEGER),
            ("BITPOS k 0 0 x bit", INTEGER),
            ("BITPOS k 0 0 0 bit 1", SYNTAX),
            ("BITPOS none 0 x", ":0"),
            ("BITPOS none 1", ":-1"),
            ("BITPOS none 2", "-ERR The bit argument must be 1 or 0."),
            ("RPUSH l a", ":1"),
            ("BITPOS l 2", "-ERR The bit argument must be 1 or 0."),
            ("BITPOS l 0 x", TYPE),
        ]);
    }

    #[test]
    fn combinations() {
        Session::new().expect(&[
            ("SET a abc", "+OK"),
            ("SET n 12 EX 100", "+OK"),
            ("BITOP and n a n", ":3"),
            ("GET n", "$3 !\"\0"),
            ("TTL n", ":-1"),
            ("OBJECT ENCODING n", "$3 raw"),
            ("BITOP OR r none a", ":3"),
            ("GET r", "$3 abc"),
            ("BITOP xor a r a", ":3"),
            ("GET a", "$3 \0\0\0"),
            ("BITOP not r r", ":3"),
            ("BITOP not r r", ":3"),
            ("GET r", "$3 abc"),
            ("BITOP or r none", ":0"),
            ("EXISTS r", ":0"),
            ("SET b abc", "+OK"),
            ("BITOP and r b none", ":3"),
            ("GET r", "$3 \0\0\0"),
            ("BITOP foo r a", SYNTAX),
            ("BITOP not r a n", "-ERR BITOP NOT must be called with a single source key."),
            ("RPUSH l a", ":1"),
            ("BITOP or r a l", TYPE),
            ("BITOP or l a", ":3"),
            ("TYPE l", "+string"),
        ]);
    }

    #[test]
    fn events() {
        let lines = ["SETBIT k 7 1", "SETBIT k 7 1", "BITOP not d k", "BITOP not d none", "BITOP not d none"];
        assert_eq!(Session::new().events(&lines), ["setbit", "set", "del"]);
    }

    #[test]
    fn zero_bits_are_behind_the_string_only_if_no_end_is_given() {
        Session::new().expect(&[
            ("SETRANGE k 0 \"\\xff\\xff\"", ":2"),
            ("BITPOS k 0", ":16"),
            ("BITPOS k 0 1", ":16"),
            ("BITPOS k 0 0 -1", ":-1"),
        ]);
    }
}
