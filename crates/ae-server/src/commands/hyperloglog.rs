//! PFADD, PFCOUNT, PFMERGE, PFDEBUG, PFSELFTEST.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, WRONG_TYPE, quoting};
use crate::db::event::Event;
use std::fmt::Write;
use store::types::hyperloglog::{self as hll, Encoding, Failure, Run, Union};
use store::{Digits, StringValue, Value};

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
    let added = elements.map(|element| hll::add(bytes, element, limits));
    // What was added before one that cannot be stays.
    let outcome = added.into_iter().try_for_each(|added| added.map(|added| changes += usize::from(added)));
    value.changes(changes);
    drop(value);
    outcome?;
    ctx.reply_integer((changes > 0).into())
}

/// Takes in the HyperLogLogs at several keys.
fn union<'a>(values: impl IntoIterator<Item = Option<&'a Value>>) -> Result<Union, Error> {
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
        let union = union(ctx.db().read_several_any(keys))?;
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
    let union = union(ctx.db().read_several_any(keys))?;
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
            let text = runs(bytes)?;
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

/// The runs of a sparse one.
fn runs(bytes: &[u8]) -> Result<String, hll::Corrupt> {
    let mut text = String::new();
    hll::runs(bytes, |run| {
        let separator = if text.is_empty() { "" } else { " " };
        let written = match run {
            Run::Zero(length) => write!(text, "{separator}z:{length}"),
            Run::LongZero(length) => write!(text, "{separator}Z:{length}"),
            Run::Value(value, length) => write!(text, "{separator}v:{value},{length}"),
        };
        written.expect("a string takes everything");
    })?;
    Ok(text)
}

fn make_dense(ctx: &mut Context<'_>, key: &[u8]) -> Outcome {
    let Some(mut value) = ctx.db().edit::<StringValue>(key, Event::UNANNOUNCED)? else { return Ok(()) };
    if encoding(value.as_slice(&mut Digits::new()))? == Encoding::Sparse {
        hll::make_dense(value.make_growing())?;
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
