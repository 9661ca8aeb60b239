//! Lists: adding, reading and changing elements. Taking them out is in `list_pops`, moving them in `list_moves`.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use store::types::list::{End, List, Side};

pub fn lpush(ctx: &mut Context<'_>) -> Outcome {
    push(ctx, End::Head)
}

pub fn rpush(ctx: &mut Context<'_>) -> Outcome {
    push(ctx, End::Tail)
}

pub fn lpushx(ctx: &mut Context<'_>) -> Outcome {
    push_to_existing(ctx, End::Head)
}

pub fn rpushx(ctx: &mut Context<'_>) -> Outcome {
    push_to_existing(ctx, End::Tail)
}

/// What happens to a list that gets an element at an end.
pub(super) fn pushed(end: End) -> Event {
    Event::list(if end == End::Head { "lpush" } else { "rpush" })
}

/// What happens to a list that loses elements at an end.
pub(super) fn popped(end: End) -> Event {
    Event::list(if end == End::Head { "lpop" } else { "rpop" })
}

/// An argument as an end of a list.
pub(super) fn parse_end(ctx: &Context<'_>, index: usize) -> Result<End, Error> {
    match () {
        _ if ctx.is_word(index, "left") => Ok(End::Head),
        _ if ctx.is_word(index, "right") => Ok(End::Tail),
        _ => Err(SYNTAX_ERROR.into()),
    }
}

fn push(ctx: &mut Context<'_>, end: End) -> Outcome {
    let (key, elements, limits) = (ctx.arg(1), ctx.args.from(2), ctx.limits().list);
    let mut list = ctx.db().edit_or_create::<List>(key, pushed(end))?;
    list.changes(elements.len());
    elements.for_each(|element| list.push(end, element, limits));
    let len = list.len();
    drop(list);
    ctx.reply_count(len)
}

fn push_to_existing(ctx: &mut Context<'_>, end: End) -> Outcome {
    let key = ctx.arg(1);
    if ctx.db().peek::<List>(key)?.is_none() {
        return ctx.reply_count(0);
    }
    push(ctx, end)
}

pub fn llen(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let len = ctx.db().read::<List>(key)?.map_or(0, List::len);
    ctx.reply_count(len)
}

pub fn lindex(ctx: &mut Context<'_>) -> Outcome {
    let (key, index) = (ctx.arg(1), ctx.integer(2));
    let (db, mut reply) = ctx.split();
    match db.read::<List>(key)? {
        None => reply.null(),
        Some(list) => match list.get(index?) {
            None => reply.null(),
            Some(element) => reply.element(element),
        },
    }
    Ok(())
}

pub fn lrange(ctx: &mut Context<'_>) -> Outcome {
    let (key, start, stop) = (ctx.arg(1), ctx.integer(2)?, ctx.integer(3)?);
    let (db, mut reply) = ctx.split();
    let Some(list) = db.read::<List>(key)? else {
        reply.array(0);
        return Ok(());
    };
    let span = list.span(start, stop);
    reply.array(span.len());
    list.range(span).for_each(|element| reply.element(element));
    Ok(())
}

pub fn lset(ctx: &mut Context<'_>) -> Outcome {
    let (key, index, element, limits) = (ctx.arg(1), ctx.integer(2), ctx.arg(3), ctx.limits().list);
    let mut list = ctx.db().edit::<List>(key, Event::list("lset"))?.ok_or("ERR no such key")?;
    let index = index?;
    let found = list.set(index, element, limits);
    list.changes(found.into());
    drop(list);
    if !found {
        return Err("ERR index out of range".into());
    }
    ctx.reply_ok()
}

pub fn linsert(ctx: &mut Context<'_>) -> Outcome {
    let side = match () {
        _ if ctx.is_word(2, "before") => Side::Before,
        _ if ctx.is_word(2, "after") => Side::After,
        _ => return Err(SYNTAX_ERROR.into()),
    };
    let (key, pivot, element, limits) = (ctx.arg(1), ctx.arg(3), ctx.arg(4), ctx.limits().list);
    let Some(mut list) = ctx.db().edit::<List>(key, Event::list("linsert"))? else {
        return ctx.reply_integer(0);
    };
    let found = list.insert(pivot, side, element, limits);
    list.changes(found.into());
    let len = if found { list.len() as i64 } else { -1 };
    drop(list);
    ctx.reply_integer(len)
}

pub fn lrem(ctx: &mut Context<'_>) -> Outcome {
    let (key, count, element, limits) = (ctx.arg(1), ctx.integer(2)?, ctx.arg(3), ctx.limits().list);
    let Some(mut list) = ctx.db().edit::<List>(key, Event::list("lrem"))? else {
        return ctx.reply_count(0);
    };
    let removed = list.remove(element, count, limits);
    list.changes(removed);
    drop(list);
    ctx.reply_count(removed)
}

pub fn ltrim(ctx: &mut Context<'_>) -> Outcome {
    let (key, start, stop) = (ctx.arg(1), ctx.integer(2)?, ctx.integer(3)?);
    if let Some(mut list) = ctx.db().edit::<List>(key, Event::list("ltrim"))? {
        let kept = list.span(start, stop);
        let removed = list.len() - kept.len();
        list.trim(kept);
        list.told(removed);
    }
    ctx.reply_ok()
}

pub fn lpos(ctx: &mut Context<'_>) -> Outcome {
    let (key, element) = (ctx.arg(1), ctx.arg(2));
    let (mut rank, mut count, mut most) = (1, None, 0);
    for at in (3..ctx.args.len()).step_by(2) {
        let has_value = at + 1 < ctx.args.len();
        if has_value && ctx.is_word(at, "rank") {
            rank = ctx.integer(at + 1)?;
            if rank == 0 {
                return Err(RANK_ZERO.into());
            }
        } else if has_value && ctx.is_word(at, "count") {
            count = Some(ctx.integer_in(at + 1, 0.., "ERR COUNT can't be negative")? as usize);
        } else if has_value && ctx.is_word(at, "maxlen") {
            most = ctx.integer_in(at + 1, 0.., "ERR MAXLEN can't be negative")? as usize;
        } else {
            return Err(SYNTAX_ERROR.into());
        }
    }
    // In Redis the least rank has no positive counterpart, and finds the last match.
    rank = if rank == i64::MIN { -1 } else { rank };
    let (db, mut reply) = ctx.split();
    let list = db.read::<List>(key)?;
    let mut positions = list.into_iter().flat_map(|list| list.positions(element, rank, most));
    match count {
        None => match positions.next() {
            None => reply.null(),
            Some(position) => reply.count(position),
        },
        Some(count) => {
            let (place, mut found) = (reply.place(), 0);
            for position in positions.take(if count == 0 { usize::MAX } else { count }) {
                reply.count(position);
                found += 1;
            }
            reply.put_array(place, found);
        }
    }
    Ok(())
}

const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
                         or use negative to start from the end of the list";

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
