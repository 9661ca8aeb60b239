//! Sorted sets: taking out the members with the lowest or the highest scores, at once or when there are some.

use super::several_keys::{Several, first_with, pop_several};
use crate::clients::blocked::OnTimeout;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::edit::Edit;
use crate::db::event::Event;
use resp::Protocol;
use store::types::zset::SortedSet;

/// Which members go first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lot {
    Lowest,
    Highest,
}

impl Lot {
    fn event(self) -> Event {
        Event::zset(if self == Lot::Lowest { "zpopmin" } else { "zpopmax" })
    }

    /// The command that pops these members of one sorted set.
    fn command(self) -> &'static str {
        if self == Lot::Lowest { "ZPOPMIN" } else { "ZPOPMAX" }
    }

    /// Removes up to `count` members and replies with them; `pairs` has each in an array with its score.
    fn pop(self, mut set: Edit<'_, SortedSet>, count: usize, reply: &mut Reply<'_>, pairs: bool) {
        let (len, count) = (set.len(), count.min(set.len()));
        let ranks = if self == Lot::Lowest { 0..count } else { len - count..len };
        let mut entries = set.range(ranks.clone());
        let next = std::iter::from_fn(|| if self == Lot::Lowest { entries.next() } else { entries.next_back() });
        for entry in next {
            if pairs {
                reply.array(2);
            }
            reply.element(entry.member);
            reply.score(entry.score);
        }
        set.remove_range(ranks);
        set.changes(count);
    }
}

pub fn zpopmin(ctx: &mut Context<'_>) -> Outcome {
    pop(ctx, Lot::Lowest)
}

pub fn zpopmax(ctx: &mut Context<'_>) -> Outcome {
    pop(ctx, Lot::Highest)
}

fn pop(ctx: &mut Context<'_>, lot: Lot) -> Outcome {
    let count = match ctx.args.len() {
        2 => None,
        3 => Some(ctx.integer_in(2, 0.., "ERR value is out of range, must be positive")? as usize),
        _ => return Err(SYNTAX_ERROR.into()),
    };
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let Some(set) = db.edit::<SortedSet>(key, lot.event())? else {
        reply.array(0);
        return Ok(());
    };
    // With a count, RESP3 has pairs.
    let pairs = count.is_some() && reply.protocol() == Protocol::Resp3;
    let count = count.unwrap_or(1).min(set.len());
    reply.array(if pairs { count } else { 2 * count });
    lot.pop(set, count, &mut reply, pairs);
    Ok(())
}

pub fn bzpopmin(ctx: &mut Context<'_>) -> Outcome {
    pop_or_wait(ctx, Lot::Lowest)
}

pub fn bzpopmax(ctx: &mut Context<'_>) -> Outcome {
    pop_or_wait(ctx, Lot::Highest)
}

/// Pops from the first of the sorted sets that is there. The last argument says how long to wait for one.
fn pop_or_wait(ctx: &mut Context<'_>, lot: Lot) -> Outcome {
    let timeout = ctx.timeout(ctx.args.len() - 1)?;
    let keys = ctx.args.from(1).take(ctx.args.len() - 2);
    let Some(key) = first_with::<SortedSet>(ctx, keys.clone())? else {
        return ctx.wait_for(keys, timeout, OnTimeout::NullArray);
    };
    let (db, mut reply) = ctx.split();
    let Some(set) = db.edit::<SortedSet>(key, lot.event())? else { return Ok(()) };
    reply.array(3);
    reply.bulk(key);
    lot.pop(set, 1, &mut reply, false);
    ctx.effect(|request| _ = request.arg(lot.command()).arg(key));
    Ok(())
}

pub fn zmpop(ctx: &mut Context<'_>) -> Outcome {
    pop_several::<SortedSet, _>(ctx, false, parse_lot, pop_from)
}

pub fn bzmpop(ctx: &mut Context<'_>) -> Outcome {
    pop_several::<SortedSet, _>(ctx, true, parse_lot, pop_from)
}

/// An argument as which members go first.
fn parse_lot(ctx: &Context<'_>, index: usize) -> Result<Lot, Error> {
    match () {
        _ if ctx.is_word(index, "min") => Ok(Lot::Lowest),
        _ if ctx.is_word(index, "max") => Ok(Lot::Highest),
        _ => Err(SYNTAX_ERROR.into()),
    }
}

fn pop_from(ctx: &mut Context<'_>, key: &[u8], from: Several<Lot>) -> Outcome {
    let (db, mut reply) = ctx.split();
    let Some(set) = db.edit::<SortedSet>(key, from.place.event())? else { return Ok(()) };
    reply.array(2);
    reply.bulk(key);
    let count = from.count.min(set.len());
    reply.array(count);
    from.place.pop(set, count, &mut reply, true);
    ctx.effect(|request| _ = request.arg(from.place.command()).arg(key).integer(count as i64));
    Ok(())
}

#[cfg(test)]
#[path = "sorted_set_pops_tests.rs"]
mod tests;
