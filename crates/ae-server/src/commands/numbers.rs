//! INCR, DECR, INCRBYFLOAT: arithmetic on strings that are numbers.

use crate::command::context::{Command, Context};
use crate::command::declare::command;
use crate::command::error::{NOT_AN_INTEGER, Outcome, WRONG_TYPE};
use crate::command::flag::{DENYOOM, FAST, WRITE};
use crate::command::spec::ONE_KEY;
use crate::long_double::LongDouble;
use store::{Digits, StringValue, Value};

const FLAGS: u16 = WRITE | DENYOOM | FAST;

pub const COMMANDS: &[Command] = &[
    command("incr", 2, FLAGS, ONE_KEY, "1.0.0", "Adds one to an integer.", incr),
    command("decr", 2, FLAGS, ONE_KEY, "1.0.0", "Takes one from an integer.", decr),
    command("incrby", 3, FLAGS, ONE_KEY, "1.0.0", "Adds to an integer.", incrby),
    command("decrby", 3, FLAGS, ONE_KEY, "1.0.0", "Takes from an integer.", decrby),
    command("incrbyfloat", 3, FLAGS, ONE_KEY, "2.6.0", "Adds to a number with a fraction.", incrbyfloat),
];

fn incr(ctx: &mut Context<'_>) -> Outcome {
    add(ctx, 1)
}

fn decr(ctx: &mut Context<'_>) -> Outcome {
    add(ctx, -1)
}

fn incrby(ctx: &mut Context<'_>) -> Outcome {
    let by = ctx.integer(2)?;
    add(ctx, by)
}

fn decrby(ctx: &mut Context<'_>) -> Outcome {
    let by = ctx.integer(2)?.checked_neg().ok_or("ERR decrement would overflow")?;
    add(ctx, by)
}

/// A missing key counts as 0. The time to live stays.
fn add(ctx: &mut Context<'_>, by: i64) -> Outcome {
    let key = ctx.arg(1);
    let Some(id) = ctx.lookup(key) else {
        ctx.db().set(key, Value::String(StringValue::Integer(by)), false);
        return ctx.reply_integer(by);
    };
    let value = ctx.db().value_mut(id).and_then(Value::as_string_mut).ok_or(WRONG_TYPE)?;
    let sum = value.as_integer().ok_or(NOT_AN_INTEGER)?;
    let sum = sum.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    *value = StringValue::Integer(sum);
    ctx.reply_integer(sum)
}

fn incrbyfloat(ctx: &mut Context<'_>) -> Outcome {
    const NOT_A_FLOAT: &str = "ERR value is not a valid float";
    let key = ctx.arg(1);
    let found = ctx.lookup(key);
    let before = match found {
        Some(id) => {
            let value = ctx.db().value(id).and_then(Value::as_string).ok_or(WRONG_TYPE)?;
            LongDouble::parse(value.as_slice(&mut Digits::new())).ok_or(NOT_A_FLOAT)?
        }
        None => LongDouble::ZERO,
    };
    let by = LongDouble::parse(ctx.arg(2)).ok_or(NOT_A_FLOAT)?;
    let sum = before.add(by).to_decimal().ok_or("ERR increment would produce NaN or Infinity")?;
    ctx.db().set_string(key, sum.as_bytes(), true);
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
        ]);
    }
}
