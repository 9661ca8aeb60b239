//! PFADD, PFCOUNT, PFMERGE, PFDEBUG, PFSELFTEST.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, WRONG_TYPE, quoting};
use crate::db::event::Event;
use store::types::hyperloglog::{self as hll, Encoding, Failure, Run, Union};
use store::{Digits, StringValue, ValueRef};

const NOT_ONE: &str = "WRONGTYPE Key is not a valid HyperLogLog string value.";
const CORRUPT: &str = "INVALIDOBJ Corrupted HLL object detected";

fn encoding(bytes: &[u8]) -> Result<Encoding, Error> {
    hll::encoding(bytes).ok_or(NOT_ONE.into())
}

impl From<hll::Corrupt> for Error {
    fn from(_: hll::Corrupt) -> Error {
        CORRUPT.into()
    }
}

pub fn pfadd(ctx: &mut Context<'_>) -> Outcome {
    let (key, elements, limits) = (ctx.arg(1), ctx.args.from(2), ctx.limits().hyperloglog);
    let mut value = ctx.db().edit_or_create::<StringValue>(key, Event::string("pfadd"))?;
    let is_new = value.is_new();
    if !is_new {
        encoding(value.as_slice(&mut Digits::new()))?;
    }
    let bytes = value.make_growing();
    if is_new {
        *bytes = hll::new();
        hll::make_stale(bytes);
    }
    let mut changes = usize::from(is_new);
    let mut added = elements.map(|element| hll::add(bytes, element, limits));
    // What was added before one that cannot be stays.
    let outcome = added.try_for_each(|added| added.map(|added| changes += usize::from(added)));
    value.changes(changes);
    drop(value);
    outcome?;
    ctx.reply_integer((changes > 0).into())
}

fn is_one(value: ValueRef<'_>) -> bool {
    value.of::<StringValue>().is_some_and(|value| hll::encoding(value.as_slice(&mut Digits::new())).is_some())
}

/// Takes in the HyperLogLogs at several keys.
fn union<'a>(values: impl IntoIterator<Item = Option<ValueRef<'a>>>) -> Result<Union, Error> {
    let mut union = Union::new();
    for value in values.into_iter().flatten() {
        let mut digits = Digits::new();
        let bytes = value.of::<StringValue>().ok_or(WRONG_TYPE)?.as_slice(&mut digits);
        encoding(bytes)?;
        union.add(bytes)?;
    }
    Ok(union)
}

pub fn pfcount(ctx: &mut Context<'_>) -> Outcome {
    let (key, keys) = (ctx.arg(1), ctx.args.from(1));
    if keys.len() > 1 {
        let union = union(ctx.db().read_several_any(keys, is_one))?;
        return ctx.reply_integer(union.count() as i64);
    }
    let Some(value) = ctx.db().read::<StringValue>(key)? else {
        return ctx.reply_integer(0);
    };
    let mut digits = Digits::new();
    let bytes = value.as_slice(&mut digits);
    encoding(bytes)?;
    if let Some(count) = hll::cached(bytes) {
        return ctx.reply_integer(count as i64);
    }
    let count = hll::count(bytes)?;
    // The kept estimate is part of the string, so that it is a change.
    if let Some(mut value) = ctx.db().edit::<StringValue>(key, Event::UNANNOUNCED)? {
        hll::cache(value.make_growing(), count);
    }
    ctx.reply_integer(count as i64)
}

pub fn pfmerge(ctx: &mut Context<'_>) -> Outcome {
    let (target, keys, limits) = (ctx.arg(1), ctx.args.from(1), ctx.limits().hyperloglog);
    let union = union(ctx.db().read_several_any(keys, is_one))?;
    let mut value = ctx.db().edit_or_create::<StringValue>(target, Event::string("pfadd"))?;
    let is_new = value.is_new();
    let bytes = value.make_growing();
    if is_new {
        *bytes = hll::new();
    }
    union.merge_into(bytes, limits)?;
    drop(value);
    ctx.reply_ok()
}

pub fn pfdebug(ctx: &mut Context<'_>) -> Outcome {
    let (word, key) = (ctx.arg(1), ctx.arg(2));
    let value = ctx.db().peek::<StringValue>(key)?.ok_or("ERR The specified key does not exist")?;
    let mut digits = Digits::new();
    let bytes = value.as_slice(&mut digits);
    let is_sparse = encoding(bytes)? == Encoding::Sparse;
    match word.to_ascii_lowercase().as_slice() {
        b"getreg" => {
            let mut union = Union::new();
            union.add(bytes)?;
            make_dense(ctx, key)?;
            let mut reply = ctx.reply();
            reply.array(hll::REGISTERS);
            union.registers().iter().for_each(|register| reply.integer((*register).into()));
            Ok(())
        }
        b"decode" if !is_sparse => Err("ERR HLL encoding is not sparse".into()),
        b"decode" => {
            let text = hll::runs(bytes).map(shown).collect::<Vec<_>>().join(" ");
            ctx.reply_bulk(text.as_bytes())
        }
        b"encoding" => {
            ctx.reply().simple(if is_sparse { "sparse" } else { "dense" });
            Ok(())
        }
        b"todense" => {
            make_dense(ctx, key)?;
            ctx.reply_integer(is_sparse.into())
        }
        _ => Err(quoting("ERR Unknown PFDEBUG subcommand '", word, "'")),
    }
}

fn shown(run: Run) -> String {
    match run {
        Run::Zero(length) => format!("z:{length}"),
        Run::LongZero(length) => format!("Z:{length}"),
        Run::Value(value, length) => format!("v:{value},{length}"),
    }
}

fn make_dense(ctx: &mut Context<'_>, key: &[u8]) -> Outcome {
    let Some(mut value) = ctx.db().edit::<StringValue>(key, Event::UNANNOUNCED)? else { return Ok(()) };
    if encoding(value.as_slice(&mut Digits::new()))? == Encoding::Sparse {
        let made = hll::make_dense(value.make_growing());
        value.changes(made.is_ok().into());
        made?;
    }
    Ok(())
}

pub fn pfselftest(ctx: &mut Context<'_>) -> Outcome {
    let failure = match hll::self_test() {
        Ok(()) => return ctx.reply_ok(),
        Err(failure) => failure,
    };
    Err(match failure {
        Failure::Register(number) => format!("ERR TESTFAILED Register {number} has another value than it was given"),
        Failure::Forms(elements) => format!("ERR TESTFAILED Sparse and dense differ after {elements} elements"),
        Failure::Estimate { elements, estimate } => {
            format!("ERR TESTFAILED {estimate} estimated for {elements} elements")
        }
    }
    .into())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    const NOT_ONE: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
    const TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    const CORRUPT: &str = "-INVALIDOBJ Corrupted HLL object detected";
    /// Of no element, with registers missing.
    const CUT: &str = r#""HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x60\xf3""#;

    #[test]
    fn adding_and_counting() {
        Session::new().expect(&[
            ("PFADD h a b c", ":1"),
            ("PFADD h a b", ":0"),
            ("PFCOUNT h", ":3"),
            ("PFADD h d", ":1"),
            ("PFCOUNT h h none", ":4"),
            ("PFADD empty", ":1"),
            ("PFADD empty", ":0"),
            ("PFCOUNT empty", ":0"),
            ("PFCOUNT none", ":0"),
            ("STRLEN empty", ":18"),
            ("OBJECT ENCODING empty", "$3 raw"),
        ]);
    }

    #[test]
    fn the_bytes_are_redis_s() {
        let mut session = Session::new();
        session.run("PFADD h");
        assert_eq!(session.raw("GET h"), b"$18\r\nHYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff\r\n");
        session.run("PFMERGE m");
        assert_eq!(session.raw("GET m"), b"$18\r\nHYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff\r\n");
        session.run("PFCOUNT m");
        assert_eq!(session.raw("GET m"), b"$18\r\nHYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff\r\n");
    }

    #[test]
    fn merging() {
        Session::new().expect(&[
            ("PFADD a 1 2 3", ":1"),
            ("PFADD b 3 4", ":1"),
            ("PFCOUNT a b", ":4"),
            ("PFMERGE c a b none", "+OK"),
            ("PFCOUNT c", ":4"),
            ("PFADD c 5", ":1"),
            ("PFMERGE c a", "+OK"),
            ("PFCOUNT c", ":5"),
            ("PFDEBUG ENCODING c", "+sparse"),
            ("PFDEBUG TODENSE b", ":1"),
            ("PFMERGE c b", "+OK"),
            ("PFDEBUG ENCODING c", "+dense"),
            ("PFCOUNT c", ":5"),
        ]);
    }

    #[test]
    fn other_values() {
        let mut session = Session::new();
        session.run(&format!("SET cut {CUT}"));
        session.expect(&[
            ("RPUSH l a", ":1"),
            ("SET s abc", "+OK"),
            ("PFADD h a", ":1"),
            ("PFADD s a", NOT_ONE),
            ("PFADD l a", TYPE),
            ("PFADD cut a", CORRUPT),
            ("PFCOUNT s", NOT_ONE),
            ("PFCOUNT l", TYPE),
            ("PFCOUNT h s l", NOT_ONE),
            ("PFCOUNT h l s", TYPE),
            ("PFMERGE new h s", NOT_ONE),
            ("PFMERGE l h", TYPE),
            ("PFMERGE s h", NOT_ONE),
            ("PFCOUNT cut", CORRUPT),
            ("PFCOUNT cut h", CORRUPT),
            ("PFMERGE new cut", CORRUPT),
            ("PFMERGE cut h", CORRUPT),
            ("PFDEBUG TODENSE cut", CORRUPT),
            ("PFDEBUG GETREG cut", CORRUPT),
            ("PFDEBUG DECODE cut", "$6 Z:8436"),
            ("PFDEBUG DECODE l", TYPE),
            ("PFDEBUG DECODE s", NOT_ONE),
            ("EXISTS new", ":0"),
        ]);
    }

    #[test]
    fn internals() {
        let mut session = Session::new();
        session.expect(&[
            ("PFADD h a b c", ":1"),
            ("PFDEBUG decode h", "$44 Z:8436 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603"),
            ("PFDEBUG ENCODING h", "+sparse"),
        ]);
        let registers = session.run("PFDEBUG GETREG h");
        assert!(registers.starts_with("*16384 :0 :0 "));
        assert_eq!(registers.split(' ').filter(|register| *register != ":0").count(), 4);
        session.expect(&[
            ("PFDEBUG TODENSE h", ":0"),
            ("PFDEBUG DECODE h", "-ERR HLL encoding is not sparse"),
            ("PFDEBUG foo h", "-ERR Unknown PFDEBUG subcommand 'foo'"),
            ("PFDEBUG foo none", "-ERR The specified key does not exist"),
            ("PFSELFTEST", "+OK"),
        ]);
    }

    #[test]
    fn changes_are_counted() {
        let mut session = Session::new();
        for (line, changes) in [
            ("PFADD h", 1),
            ("PFADD h a b", 2),
            ("PFADD h a", 0),
            ("PFCOUNT h", 1),
            ("PFCOUNT h", 0),
            ("PFMERGE h", 1),
            ("PFDEBUG TODENSE h", 1),
            ("PFDEBUG TODENSE h", 0),
            ("PFDEBUG GETREG h", 0),
        ] {
            let before = session.server.databases.dirty;
            session.run(line);
            assert_eq!(session.server.databases.dirty - before, changes, "{line}");
        }
    }

    #[test]
    fn events() {
        let lines = ["PFADD h a", "PFADD h a", "PFCOUNT h", "PFMERGE m h", "PFDEBUG TODENSE h", "PFADD h b"];
        assert_eq!(Session::new().events(&lines), ["pfadd", "pfadd", "pfadd"]);
    }
}
