//! Hashes.

use super::random_count::{Count, OUT_OF_RANGE};
use super::scan_options::scan_members;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, NOT_A_FLOAT, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use crate::long_double::LongDouble;
use store::Digits;
use store::types::Element;
use store::types::hash::Hash;

pub fn hset(ctx: &mut Context<'_>) -> Outcome {
    let added = set_fields(ctx)?;
    ctx.reply_count(added)
}

pub fn hmset(ctx: &mut Context<'_>) -> Outcome {
    set_fields(ctx)?;
    ctx.reply_ok()
}

/// Sets the fields that the request names, and returns how many of them are new.
fn set_fields(ctx: &mut Context<'_>) -> Result<usize, Error> {
    if !ctx.args.len().is_multiple_of(2) {
        return Err(ctx.wrong_arity());
    }
    let (key, mut words, limits) = (ctx.arg(1), ctx.args.from(2), ctx.limits().hash);
    let mut hash = ctx.db().edit_or_create::<Hash>(key, Event::hash("hset"))?;
    hash.changes(words.len() / 2);
    let mut added = 0;
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        added += usize::from(hash.set(field, value, &limits));
    }
    Ok(added)
}

pub fn hsetnx(ctx: &mut Context<'_>) -> Outcome {
    let (key, field, value, limits) = (ctx.arg(1), ctx.arg(2), ctx.arg(3), ctx.limits().hash);
    let mut hash = ctx.db().edit_or_create::<Hash>(key, Event::hash("hset"))?;
    let added = hash.set_if_absent(field, value, &limits);
    hash.changes(added.into());
    drop(hash);
    ctx.reply_count(added.into())
}

pub fn hget(ctx: &mut Context<'_>) -> Outcome {
    let (key, field) = (ctx.arg(1), ctx.arg(2));
    let (db, mut reply) = ctx.split();
    let hash = db.read::<Hash>(key)?;
    reply_value(&mut reply, hash.and_then(|hash| hash.get(field)));
    Ok(())
}

pub fn hmget(ctx: &mut Context<'_>) -> Outcome {
    let (key, fields) = (ctx.arg(1), ctx.args.from(2));
    let (db, mut reply) = ctx.split();
    let hash = db.read::<Hash>(key)?;
    reply.array(fields.len());
    fields.for_each(|field| reply_value(&mut reply, hash.and_then(|hash| hash.get(field))));
    Ok(())
}

fn reply_value(reply: &mut Reply<'_>, value: Option<Element<'_>>) {
    match value {
        Some(value) => reply.element(value),
        None => reply.null(),
    }
}

pub fn hgetall(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let hash = db.read::<Hash>(key)?;
    reply.map(hash.map_or(0, Hash::len));
    for (field, value) in hash.into_iter().flat_map(Hash::iter) {
        reply.element(field);
        reply.element(value);
    }
    Ok(())
}

pub fn hkeys(ctx: &mut Context<'_>) -> Outcome {
    list(ctx, |(field, _)| field)
}

pub fn hvals(ctx: &mut Context<'_>) -> Outcome {
    list(ctx, |(_, value)| value)
}

fn list(ctx: &mut Context<'_>, part: for<'a> fn((Element<'a>, Element<'a>)) -> Element<'a>) -> Outcome {
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let hash = db.read::<Hash>(key)?;
    reply.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|entry| reply.element(part(entry)));
    Ok(())
}

pub fn hdel(ctx: &mut Context<'_>) -> Outcome {
    let (key, fields) = (ctx.arg(1), ctx.args.from(2));
    let Some(mut hash) = ctx.db().edit::<Hash>(key, Event::hash("hdel"))? else { return ctx.reply_count(0) };
    let removed = fields.filter(|field| hash.remove(field)).count();
    hash.changes(removed);
    drop(hash);
    ctx.reply_count(removed)
}

pub fn hlen(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let len = ctx.db().read::<Hash>(key)?.map_or(0, Hash::len);
    ctx.reply_count(len)
}

pub fn hexists(ctx: &mut Context<'_>) -> Outcome {
    let (key, field) = (ctx.arg(1), ctx.arg(2));
    let there = ctx.db().read::<Hash>(key)?.is_some_and(|hash| hash.contains(field));
    ctx.reply_count(there.into())
}

pub fn hstrlen(ctx: &mut Context<'_>) -> Outcome {
    let (key, field) = (ctx.arg(1), ctx.arg(2));
    let value = ctx.db().read::<Hash>(key)?.and_then(|hash| hash.get(field));
    let len = value.map_or(0, |value| value.len());
    ctx.reply_count(len)
}

pub fn hincrby(ctx: &mut Context<'_>) -> Outcome {
    let (key, field, by, limits) = (ctx.arg(1), ctx.arg(2), ctx.integer(3)?, ctx.limits().hash);
    let mut hash = ctx.db().edit_or_create::<Hash>(key, Event::hash("hincrby"))?;
    let before = match hash.get(field) {
        Some(value) => value.as_integer().ok_or("ERR hash value is not an integer")?,
        None => 0,
    };
    let sum = before.checked_add(by).ok_or("ERR increment or decrement would overflow")?;
    hash.set(field, Digits::new().of(sum), &limits);
    drop(hash);
    ctx.reply_integer(sum)
}

pub fn hincrbyfloat(ctx: &mut Context<'_>) -> Outcome {
    let (key, field, limits) = (ctx.arg(1), ctx.arg(2), ctx.limits().hash);
    let by = LongDouble::parse(ctx.arg(3)).ok_or(NOT_A_FLOAT)?;
    if by.is_infinite() {
        return Err("ERR value is NaN or Infinity".into());
    }
    let mut hash = ctx.db().edit_or_create::<Hash>(key, Event::hash("hincrbyfloat"))?;
    let before = match hash.get(field) {
        Some(value) => LongDouble::parse(value.as_slice(&mut Digits::new())).ok_or("ERR hash value is not a float")?,
        None => LongDouble::ZERO,
    };
    let sum = before.add(by).to_decimal().ok_or("ERR increment would produce NaN or Infinity")?;
    hash.set(field, sum.as_bytes(), &limits);
    drop(hash);
    // The sum, since others may compute another one.
    ctx.effect(|request| _ = request.arg("HSET").arg(key).arg(field).arg(sum.as_bytes()));
    ctx.reply_bulk(sum.as_bytes())
}

pub fn hrandfield(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let mut random = ctx.random();
    let mut random = || random.number();
    if ctx.args.len() == 2 {
        let (db, mut reply) = ctx.split();
        let hash = db.read::<Hash>(key)?;
        reply_value(&mut reply, hash.and_then(|hash| hash.random(random)).map(|(field, _)| field));
        return Ok(());
    }
    let count = Count::parse(ctx.arg(2))?;
    let with_values = match ctx.args.len() {
        3 => false,
        4 if ctx.is_word(3, "withvalues") => true,
        _ => return Err(SYNTAX_ERROR.into()),
    };
    if with_values && count.asked() > i64::MAX as usize / 2 {
        return Err(OUT_OF_RANGE.into());
    }
    let max_bytes = ctx.server.config.max_bulk;
    let (db, mut reply) = ctx.split();
    let Some(hash) = db.read::<Hash>(key)? else {
        reply.array(0);
        return Ok(());
    };
    let longest = || hash.iter().map(|(field, value)| field.len() + value.len()).max().unwrap_or(0);
    let count = count.limited(&reply, max_bytes, hash.len(), hash.allocated(), longest)?;
    let pairs_in_arrays = with_values && reply.version() > 2;
    reply.array(if with_values && !pairs_in_arrays { 2 * count.asked() } else { count.asked() });
    let one = |reply: &mut Reply<'_>, field: Element<'_>, value: Element<'_>| {
        if pairs_in_arrays {
            reply.array(2);
        }
        reply.element(field);
        if with_values {
            reply.element(value);
        }
    };
    match count {
        Count::Distinct(count) => {
            hash.random_distinct(count, random, |field, value| one(&mut reply, field, value));
        }
        Count::Repeated(count) => Count::in_turn(count, &mut reply, |reply, some| {
            hash.random_repeated(some, &mut random, |field, value| one(reply, field, value));
        }),
    }
    Ok(())
}

pub fn hscan(ctx: &mut Context<'_>) -> Outcome {
    scan_members::<Hash>(ctx, |hash, cursor, found| hash.scan(cursor, |field, value| found(field, Some(value))))
}

#[cfg(test)]
#[path = "hashes_tests.rs"]
mod tests;
