//! Sorted sets: taking out the members with the lowest or the highest scores, at once or when there are some.

use crate::clients::blocked::OnTimeout;
use crate::clients::reply::Reply;
use crate::command::context::{Context, Wait};
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::door::WrongType;
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
    let Some(key) = first_set(ctx, keys.clone())? else {
        return ctx.wait_for(keys, timeout, OnTimeout::NullArray);
    };
    let (db, mut reply) = ctx.split();
    if let Some(set) = db.edit::<SortedSet>(key, lot.event())? {
        reply.array(3);
        reply.bulk(key);
        lot.pop(set, 1, &mut reply, false);
    }
    Ok(())
}

pub fn zmpop(ctx: &mut Context<'_>) -> Outcome {
    let from = Several::parse(ctx, 1)?;
    if !from.pop(ctx)? {
        ctx.reply().null_array();
    }
    Ok(())
}

pub fn bzmpop(ctx: &mut Context<'_>) -> Outcome {
    let from = Several::parse(ctx, 2)?;
    let timeout = ctx.timeout(1)?;
    if from.pop(ctx)? {
        return Ok(());
    }
    ctx.wait_for(ctx.args.from(from.first).take(from.keys), timeout, OnTimeout::NullArray)
}

/// What ZMPOP pops from: `numkeys key [key ...] <MIN | MAX> [COUNT count]`.
struct Several {
    /// The index of the first key.
    first: usize,
    keys: usize,
    lot: Lot,
    count: usize,
}

impl Several {
    fn parse(ctx: &Context<'_>, index: usize) -> Result<Several, Error> {
        let keys = ctx.integer_in(index, 1.., "ERR numkeys should be greater than 0")? as usize;
        let first = index + 1;
        let lot_at = first.saturating_add(keys);
        let lot = match ctx.args.get(lot_at).unwrap_or_default().to_ascii_lowercase().as_slice() {
            b"min" => Lot::Lowest,
            b"max" => Lot::Highest,
            _ => return Err(SYNTAX_ERROR.into()),
        };
        let (mut count, mut options) = (1, ctx.args.len() - lot_at - 1);
        if options >= 2 && ctx.is_word(lot_at + 1, "count") {
            count = ctx.integer_in(lot_at + 2, 1.., "ERR count should be greater than 0")? as usize;
            options -= 2;
        }
        if options > 0 {
            return Err(SYNTAX_ERROR.into());
        }
        Ok(Several { first, keys, lot, count })
    }

    /// Pops from the first sorted set that is there, and replies. False if none is.
    fn pop(&self, ctx: &mut Context<'_>) -> Result<bool, Error> {
        let Some(key) = first_set(ctx, ctx.args.from(self.first).take(self.keys))? else { return Ok(false) };
        let (db, mut reply) = ctx.split();
        if let Some(set) = db.edit::<SortedSet>(key, self.lot.event())? {
            reply.array(2);
            reply.bulk(key);
            reply.array(self.count.min(set.len()));
            self.lot.pop(set, self.count, &mut reply, true);
        }
        Ok(true)
    }
}

/// The first of the keys with a sorted set. A key with something else is an error, but of no interest to a request that
/// waits: a sorted set may come yet.
fn first_set<'a>(ctx: &mut Context<'a>, keys: impl Iterator<Item = &'a [u8]>) -> Result<Option<&'a [u8]>, Error> {
    for key in ctx.keys_to_try(keys) {
        match ctx.db().peek::<SortedSet>(key).map(|set| set.is_some()) {
            Ok(true) => return Ok(Some(key)),
            Ok(false) => {}
            Err(WrongType) if ctx.wait == Wait::Again => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "sorted_set_pops_tests.rs"]
mod tests;
