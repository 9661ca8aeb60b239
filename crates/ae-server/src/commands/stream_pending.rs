//! XACK and XPENDING: entries that consumers have got and not acknowledged.

use super::stream_entries::reply_id;
use super::stream_options::{first_id, ids, last_id, no_key_or_group};
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::edit::Audience;
use crate::db::event::Event;
use store::types::stream::{Group, Id, Stream};

pub fn xack(ctx: &mut Context<'_>) -> Outcome {
    let (key, name) = (ctx.arg(1), ctx.arg(2));
    if ctx.db().read::<Stream>(key)?.is_none_or(|stream| stream.group(name).is_none()) {
        return ctx.reply_integer(0);
    }
    let ids = ids(ctx, 3)?;
    let Some(mut stream) = ctx.db().edit::<Stream>(key, Event::UNANNOUNCED)? else { return Ok(()) };
    stream.set_audience(Audience::Nobody);
    let Some((group, _)) = stream.group_mut(name) else { return Ok(()) };
    let acknowledged = ids.into_iter().filter(|id| group.acknowledge(*id)).count();
    stream.changes(acknowledged);
    drop(stream);
    ctx.reply_count(acknowledged)
}

/// Which pending entries are asked for.
struct Range<'a> {
    min_idle: i64,
    first: Id,
    last: Id,
    count: usize,
    consumer: Option<&'a [u8]>,
}

pub fn xpending(ctx: &mut Context<'_>) -> Outcome {
    let range = range(ctx)?;
    let (key, name, now) = (ctx.arg(1), ctx.arg(2), ctx.server.now);
    let (db, mut reply) = ctx.split();
    let group = db.read::<Stream>(key)?.and_then(|stream| stream.group(name));
    let group = group.ok_or_else(|| no_key_or_group(key, name, ""))?;
    match range {
        None => reply_summary(&mut reply, group),
        Some(range) => reply_range(&mut reply, group, &range, now),
    }
    Ok(())
}

fn range<'a>(ctx: &Context<'a>) -> Result<Option<Range<'a>>, Error> {
    let (mut at, mut min_idle) = (3, 0);
    match ctx.args.len() {
        3 => return Ok(None),
        6..=9 => {}
        _ => return Err(SYNTAX_ERROR.into()),
    }
    if ctx.is_word(3, "idle") {
        min_idle = ctx.integer(4)?;
        if ctx.args.len() < 8 {
            return Err(SYNTAX_ERROR.into());
        }
        at = 5;
    }
    let count = ctx.integer(at + 2)?.max(0) as usize;
    let (first, last) = (first_id(ctx, at)?, last_id(ctx, at + 1)?);
    Ok(Some(Range { min_idle, first, last, count, consumer: ctx.args.get(at + 3) }))
}

/// How many entries are pending, the first and the last of them, and how many for whom.
fn reply_summary(reply: &mut Reply<'_>, group: &Group) {
    reply.array(4);
    reply.count(group.pending_len());
    let mut all = group.pending_range(Id::MIN, Id::MAX).map(|(id, _)| id);
    let Some(first) = all.next() else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    reply_id(reply, first);
    reply_id(reply, all.next_back().unwrap_or(first));
    let place = reply.place();
    let mut count = 0;
    for (_, consumer) in group.consumers().filter(|(_, consumer)| consumer.pending_len() > 0) {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_integer(consumer.pending_len() as i64);
        count += 1;
    }
    reply.put_array(place, count);
}

fn reply_range(reply: &mut Reply<'_>, group: &Group, range: &Range<'_>, now: i64) {
    let consumer = range.consumer.map(|name| group.find_consumer(name));
    let (all, own) = match consumer {
        None => (Some(group.pending_range(range.first, range.last)), None),
        Some(None) => (None, None),
        Some(Some(consumer)) => (None, Some(group.pending_range_of(consumer, range.first, range.last))),
    };
    let pending = all.into_iter().flatten().chain(own.into_iter().flatten());
    let idle_enough = |delivered: i64| range.min_idle == 0 || now.saturating_sub(delivered) >= range.min_idle;
    let place = reply.place();
    let mut count = 0;
    for (id, pending) in pending.filter(|(_, pending)| idle_enough(pending.delivered)).take(range.count) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).map_or(&b""[..], |consumer| consumer.name()));
        reply.integer(now.saturating_sub(pending.delivered).max(0));
        reply.integer(pending.deliveries as i64);
        count += 1;
    }
    reply.put_array(place, count);
}

#[cfg(test)]
#[path = "stream_pending_tests.rs"]
mod tests;
