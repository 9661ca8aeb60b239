//! Integers of any width inside a string: BITFIELD, BITFIELD_RO.

use super::bits::offset;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use store::types::bits::{Field, Overflow};
use store::{Digits, StringValue};

/// What is done with a field.
enum Action {
    Get,
    Set(i64, Overflow),
    Add(i64, Overflow),
}

struct Step {
    field: Field,
    offset: u64,
    action: Action,
}

pub fn bitfield(ctx: &mut Context<'_>) -> Outcome {
    let steps = parse(ctx)?;
    if steps.iter().all(|step| matches!(step.action, Action::Get)) { read(ctx, &steps) } else { change(ctx, &steps) }
}

pub fn bitfield_ro(ctx: &mut Context<'_>) -> Outcome {
    let steps = parse(ctx)?;
    if steps.iter().any(|step| !matches!(step.action, Action::Get)) {
        return Err("ERR BITFIELD_RO only supports the GET subcommand".into());
    }
    read(ctx, &steps)
}

fn parse(ctx: &Context<'_>) -> Result<Vec<Step>, Error> {
    const TYPE: &str =
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    let (mut steps, mut overflow, mut at) = (Vec::new(), Overflow::Wrap, 2);
    while at < ctx.args.len() {
        let has = |word, following| ctx.is_word(at, word) && at + following < ctx.args.len();
        if has("overflow", 1) {
            overflow = Overflow::parse(ctx.arg(at + 1)).ok_or("ERR Invalid OVERFLOW type specified")?;
            at += 2;
            continue;
        }
        let (set, add) = (has("set", 3), has("incrby", 3));
        if !set && !add && !has("get", 2) {
            return Err(SYNTAX_ERROR.into());
        }
        let field = Field::parse(ctx.arg(at + 1)).ok_or(TYPE)?;
        let offset = offset(ctx, at + 2, Some(field.bits()))?;
        let action = match (set, add) {
            (true, _) => Action::Set(ctx.integer(at + 3)?, overflow),
            (_, true) => Action::Add(ctx.integer(at + 3)?, overflow),
            _ => Action::Get,
        };
        at += if set || add { 4 } else { 3 };
        steps.push(Step { field, offset, action });
    }
    Ok(steps)
}

fn read(ctx: &mut Context<'_>, steps: &[Step]) -> Outcome {
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let mut digits = Digits::new();
    let content = db.read::<StringValue>(key)?.map_or(&b""[..], |value| value.as_slice(&mut digits));
    reply.array(steps.len());
    steps.iter().for_each(|step| reply.integer(step.field.read(content, step.offset)));
    Ok(())
}

fn change(ctx: &mut Context<'_>, steps: &[Step]) -> Outcome {
    let key = ctx.arg(1);
    let mut value = ctx.db().edit_or_create::<StringValue>(key, Event::string("setbit"))?;
    let changing = steps.iter().filter(|step| !matches!(step.action, Action::Get));
    let needed = changing.map(|step| step.field.bytes_needed(step.offset)).max().unwrap_or_default();
    let grows = (value.len() as u64) < needed;
    let content = value.make_growing_to(needed as usize);
    let (mut results, mut changes) = (Vec::with_capacity(steps.len()), 0);
    for Step { field, offset, action } in steps {
        let old = field.read(content, *offset);
        let (new, reply_old) = match *action {
            Action::Get => {
                results.push(Some(old));
                continue;
            }
            Action::Set(new, overflow) => (field.fit(new, overflow), true),
            Action::Add(increment, overflow) => (field.add(old, increment, overflow), false),
        };
        if let Some(new) = new {
            field.write(content, *offset, new);
            changes += usize::from(grows || new != old);
        }
        results.push(if reply_old { new.and(Some(old)) } else { new });
    }
    if changes == 0 && grows {
        // All overflowed and failed. The string has grown anyway, as in Redis, which tells nobody of it.
        value.unnoticed();
    } else {
        value.changes(changes);
    }
    drop(value);
    let mut reply = ctx.reply();
    reply.array(results.len());
    for result in results {
        match result {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    const TYPE: &str =
        "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    const OFFSET: &str = "-ERR bit offset is not an integer or out of range";
    const INTEGER: &str = "-ERR value is not an integer or out of range";
    const SYNTAX: &str = "-ERR syntax error";

    #[test]
    fn a_string_grows_for_what_is_set_not_for_what_is_read() {
        Session::new().expect(&[("BITFIELD k SET u8 8 1 GET u8 800", "*2 :0 :0"), ("STRLEN k", ":2")]);
    }

    #[test]
    fn steps() {
        Session::new().expect(&[
            ("BITFIELD k", "*0"),
            ("BITFIELD k GET u8 0", "*1 :0"),
            ("EXISTS k", ":0"),
            (
                "BITFIELD k SET u8 0 200 GET u8 0 INCRBY u8 0 100 OVERFLOW sat INCRBY u8 0 100 overflow fail incrby u8 0 200",
                "*5 :0 :200 :44 :144 $-1",
            ),
            ("BITFIELD k GET u8 #1 SET u8 #1 5 GET u16 0", "*3 :0 :0 :36869"),
            ("BITFIELD k OVERFLOW wrap", "*0"),
            ("BITFIELD k SET i64 3 -1 GET i5 4 GET u63 #0", "*3 :-9212113037786349568 :-1 :5764607523034234879"),
            ("BITFIELD_RO k GET u1 3 GET u1 67", "*2 :1 :0"),
            ("STRLEN k", ":9"),
            ("SET n 12", "+OK"),
            ("BITFIELD n GET u8 0", "*1 :49"),
            ("BITFIELD o OVERFLOW SAT INCRBY u8 0 200 INCRBY u8 0 200", "*2 :200 :255"),
            ("BITFIELD p SET u8 80 1 SET u8 0 1", "*2 :0 :0"),
            ("STRLEN p", ":11"),
        ]);
    }

    #[test]
    fn fields_of_any_width_are_counted() {
        Session::new().expect(&[("BITFIELD k SET u5 #1 31 SET u5 5 3 GET u5 #1 GET u3 #2", "*4 :0 :31 :3 :1")]);
    }

    #[test]
    fn errors_change_nothing() {
        let mut session = Session::new();
        session.run("RPUSH l a");
        session.expect(&[
            ("BITFIELD k SET u8 0 1 GET u8", SYNTAX),
            ("BITFIELD k SET u8 0", SYNTAX),
            ("BITFIELD k INCRBY u8 0", SYNTAX),
            ("BITFIELD k OVERFLOW", SYNTAX),
            ("BITFIELD k SET u8 0 1 foo", SYNTAX),
            ("BITFIELD k GET u64 x", TYPE),
            ("BITFIELD k GET i65 0", TYPE),
            ("BITFIELD k GET I8 0", TYPE),
            ("BITFIELD k GET u8 -1", OFFSET),
            ("BITFIELD k GET u8 #536870912", OFFSET),
            ("BITFIELD k GET i64 #9223372036854775807", OFFSET),
            ("BITFIELD k SET u8 x x", OFFSET),
            ("BITFIELD k SET u8 0 x", INTEGER),
            ("BITFIELD k OVERFLOW foo GET x x", "-ERR Invalid OVERFLOW type specified"),
            ("BITFIELD_RO k SET u8 0 x", INTEGER),
            ("BITFIELD_RO l SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
            ("BITFIELD_RO l GET u8 0 SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
            ("BITFIELD_RO l GET u8 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("BITFIELD l SET u8 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
            ("EXISTS k", ":0"),
        ]);
    }

    #[test]
    fn changes_are_counted() {
        let mut session = Session::new();
        for (line, changes) in [
            ("BITFIELD k SET u8 0 1 SET u8 8 0", 2),
            ("BITFIELD k SET u8 0 1 SET u8 8 0", 0),
            ("BITFIELD k SET u8 0 1 SET u8 8 1", 1),
            ("BITFIELD k SET u8 100 0", 1),
            ("BITFIELD k OVERFLOW FAIL SET u8 0 300", 0),
            ("BITFIELD k OVERFLOW FAIL SET u8 200 300", 1),
        ] {
            let before = session.server.databases.dirty;
            session.run(line);
            assert_eq!(session.server.databases.dirty - before, changes, "{line}");
        }
        session.expect(&[("STRLEN k", ":26")]);
    }

    #[test]
    fn what_fails_is_no_change_for_a_transaction() {
        let mut session = Session::new();
        let mut other = session.other();
        session.run("SET k abc");
        for line in [
            "BITFIELD k OVERFLOW FAIL SET u8 0 300",
            "BITFIELD k OVERFLOW FAIL SET u8 100 300",
            "BITFIELD k2 OVERFLOW FAIL SET u8 0 300",
            "BITFIELD k SET u8 0 97",
        ] {
            session.run("WATCH k k2");
            session.run_as(&mut other, line);
            session.run("MULTI");
            session.expect(&[("EXEC", "*0")]);
        }
        session.run("WATCH k");
        session.run_as(&mut other, "BITFIELD k OVERFLOW FAIL SET u8 0 1 SET u8 0 300");
        session.run("MULTI");
        session.expect(&[("EXEC", "*-1")]);
    }

    #[test]
    fn null_in_both_protocols() {
        let mut session = Session::new();
        session.expect(&[("BITFIELD k OVERFLOW FAIL SET u8 0 300", "*1 $-1")]);
        session.run("HELLO 3");
        session.expect(&[("BITFIELD k OVERFLOW FAIL SET u8 0 300", "*1 _")]);
    }

    #[test]
    fn events() {
        let lines = [
            "BITFIELD k SET u8 0 1 SET u8 8 1",
            "BITFIELD k SET u8 0 1",
            "BITFIELD k OVERFLOW FAIL SET u8 100 300",
            "BITFIELD k OVERFLOW FAIL SET u8 0 2 SET u8 0 300",
        ];
        assert_eq!(Session::new().events(&lines), ["setbit", "setbit"]);
    }
}
