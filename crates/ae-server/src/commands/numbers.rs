//! INCR, DECR, INCRBYFLOAT: arithmetic on strings that are numbers.

use crate::command::context::Context;
use crate::command::error::{Error, NOT_A_FLOAT, NOT_AN_INTEGER, Outcome};
use crate::db::door::Ttl;
use crate::db::event::Event;
use crate::long_double::LongDouble;
use store::{Digits, StringRef, StringValue};

pub fn incr(ctx: &mut Context<'_>) -> Outcome {
    add(ctx, 1)
}

pub fn decr(ctx: &mut Context<'_>) -> Outcome {
    add(ctx, -1)
}

pub fn incrby(ctx: &mut Context<'_>) -> Outcome {
    let by = ctx.integer(2)?;
    add(ctx, by)
}

pub fn decrby(ctx: &mut Context<'_>) -> Outcome {
    let by = ctx.integer(2)?.checked_neg().ok_or("ERR decrement would overflow")?;
    add(ctx, by)
}

/// A missing key counts as 0. The time to live stays.
fn add(ctx: &mut Context<'_>, by: i64) -> Outcome {
    let key = ctx.arg(1);
    let sum = ctx.db().set_integer(key, Event::string("incrby"), |before| -> Result<i64, Error> {
        let before = before.map_or(Some(0), StringRef::as_integer).ok_or(NOT_AN_INTEGER)?;
        Ok(before.checked_add(by).ok_or("ERR increment or decrement would overflow")?)
    })?;
    ctx.reply_integer(sum)
}

pub fn incrbyfloat(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let before = match ctx.db().peek::<StringValue>(key)? {
        Some(value) => LongDouble::parse(value.as_slice(&mut Digits::new())).ok_or(NOT_A_FLOAT)?,
        None => LongDouble::ZERO,
    };
    let by = LongDouble::parse(ctx.arg(2)).ok_or(NOT_A_FLOAT)?;
    let sum = before.add(by).to_decimal().ok_or("ERR increment would produce NaN or Infinity")?;
    ctx.db().set_string(key, sum.as_bytes(), Ttl::Keep, Event::string("incrbyfloat"));
    // The sum, since others may compute another one.
    ctx.effect(|request| _ = request.arg("SET").arg(key).arg(sum.as_bytes()).arg("KEEPTTL"));
    ctx.reply_bulk(sum.as_bytes())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn integers() {
        Session::new().expect(&[
            ("INCR n", ":1"),
            ("INCRBY n 41", ":42"),
            ("DECR n", ":41"),
            ("DECRBY n 50", ":-9"),
            ("GET n", "$2 -9"),
            ("STRLEN n", ":2"),
            ("SET n 9223372036854775807 EX 10", "+OK"),
            ("INCR n", "-ERR increment or decrement would overflow"),
            ("DECR n", ":9223372036854775806"),
            ("TTL n", ":10"),
            ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
            ("SET n -9223372036854775808", "+OK"),
            ("DECR n", "-ERR increment or decrement would overflow"),
            ("INCRBY n x", "-ERR value is not an integer or out of range"),
            ("INCRBY least -9223372036854775808", ":-9223372036854775808"),
            ("SET n \" 1\"", "+OK"),
            ("INCR n", "-ERR value is not an integer or out of range"),
            ("SET n 1.0", "+OK"),
            ("INCR n", "-ERR value is not an integer or out of range"),
        ]);
    }

    #[test]
    fn floats() {
        Session::new().expect(&[
            ("SET f 10.50", "+OK"),
            ("INCRBYFLOAT f 0.1", "$4 10.6"),
            ("INCRBYFLOAT f -5", "$3 5.6"),
            ("SET f 5.0e3", "+OK"),
            ("INCRBYFLOAT f 2.0e2", "$4 5200"),
            ("GET f", "$4 5200"),
            ("INCR f", ":5201"),
            ("INCRBYFLOAT f 0.1", "$22 5201.10000000000000009"),
            ("INCRBYFLOAT new 3", "$1 3"),
            ("INCRBYFLOAT new abc", "-ERR value is not a valid float"),
            ("INCRBYFLOAT new inf", "-ERR increment would produce NaN or Infinity"),
            ("INCRBYFLOAT new nan", "-ERR value is not a valid float"),
            ("SET s abc", "+OK"),
            ("INCRBYFLOAT s 1", "-ERR value is not a valid float"),
            ("SET empty \"\"", "+OK"),
            ("INCRBYFLOAT empty 1", "-ERR value is not a valid float"),
            ("RPUSH l a", ":1"),
            ("INCRBYFLOAT l x", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ]);
    }

    #[test]
    fn a_number_keeps_its_time_to_live() {
        Session::new().expect(&[
            ("SET k 1 EX 100", "+OK"),
            ("INCRBYFLOAT k 1.5", "$3 2.5"),
            ("TTL k", ":100"),
            ("SET k 1 EX 100", "+OK"),
            ("INCR k", ":2"),
            ("TTL k", ":100"),
        ]);
    }
}
