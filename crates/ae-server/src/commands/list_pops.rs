//! Taking elements out of lists, at once or when there are some.

use super::lists::{parse_end, popped};
use crate::clients::blocked::OnTimeout;
use crate::clients::reply::Reply;
use crate::command::context::{Context, Wait};
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::door::WrongType;
use crate::db::edit::Edit;
use store::types::list::{End, List};

pub fn lpop(ctx: &mut Context<'_>) -> Outcome {
    pop(ctx, End::Head)
}

pub fn rpop(ctx: &mut Context<'_>) -> Outcome {
    pop(ctx, End::Tail)
}

fn pop(ctx: &mut Context<'_>, end: End) -> Outcome {
    let count = match ctx.args.len() {
        2 => None,
        3 => Some(ctx.integer_in(2, 0.., "ERR value is out of range, must be positive")? as usize),
        _ => return Err(ctx.wrong_arity()),
    };
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    match (db.edit::<List>(key, popped(end))?, count) {
        (None, None) => reply.null(),
        (None, Some(_)) => reply.null_array(),
        (Some(mut list), None) => _ = list.pop(end, |element| reply.element(element)),
        (Some(list), Some(count)) => pop_several(list, end, count, &mut reply),
    }
    Ok(())
}

/// Pops up to `count` elements and replies with them.
fn pop_several(mut list: Edit<'_, List>, end: End, count: usize, reply: &mut Reply<'_>) {
    let len = list.len();
    let count = count.min(len);
    reply.array(count);
    match end {
        End::Head => list.range(0..count).for_each(|element| reply.element(element)),
        End::Tail => list.range(len - count..len).rev().for_each(|element| reply.element(element)),
    }
    list.discard(end, count);
    list.changes(count);
}

pub fn lmpop(ctx: &mut Context<'_>) -> Outcome {
    let from = Several::parse(ctx, 1)?;
    if !from.pop(ctx)? {
        ctx.reply().null_array();
    }
    Ok(())
}

pub fn blmpop(ctx: &mut Context<'_>) -> Outcome {
    let from = Several::parse(ctx, 2)?;
    let timeout = ctx.timeout(1)?;
    if from.pop(ctx)? {
        return Ok(());
    }
    ctx.wait_for(ctx.args.from(from.first).take(from.keys), timeout, OnTimeout::NullArray)
}

/// What LMPOP pops from: `numkeys key [key ...] <LEFT | RIGHT> [COUNT count]`.
struct Several {
    /// The index of the first key.
    first: usize,
    keys: usize,
    end: End,
    count: usize,
}

impl Several {
    fn parse(ctx: &Context<'_>, index: usize) -> Result<Several, Error> {
        let keys = ctx.integer_in(index, 1.., "ERR numkeys should be greater than 0")? as usize;
        let first = index + 1;
        let end_at = first.saturating_add(keys);
        let end = parse_end(ctx, end_at)?;
        let (mut count, mut options) = (1, ctx.args.len() - end_at - 1);
        if options >= 2 && ctx.is_word(end_at + 1, "count") {
            count = ctx.integer_in(end_at + 2, 1.., "ERR count should be greater than 0")? as usize;
            options -= 2;
        }
        if options > 0 {
            return Err(SYNTAX_ERROR.into());
        }
        Ok(Several { first, keys, end, count })
    }

    /// Pops from the first list that is there, and replies. False if none is.
    fn pop(&self, ctx: &mut Context<'_>) -> Result<bool, Error> {
        let Some(key) = first_list(ctx, ctx.args.from(self.first).take(self.keys))? else { return Ok(false) };
        let (db, mut reply) = ctx.split();
        if let Some(list) = db.edit::<List>(key, popped(self.end))? {
            reply.array(2);
            reply.bulk(key);
            pop_several(list, self.end, self.count, &mut reply);
        }
        Ok(true)
    }
}

pub fn blpop(ctx: &mut Context<'_>) -> Outcome {
    pop_or_wait(ctx, End::Head)
}

pub fn brpop(ctx: &mut Context<'_>) -> Outcome {
    pop_or_wait(ctx, End::Tail)
}

/// Pops from the first of the lists that is there. The last argument says how long to wait for one.
fn pop_or_wait(ctx: &mut Context<'_>, end: End) -> Outcome {
    let timeout = ctx.timeout(ctx.args.len() - 1)?;
    let keys = ctx.args.from(1).take(ctx.args.len() - 2);
    let Some(key) = first_list(ctx, keys.clone())? else {
        return ctx.wait_for(keys, timeout, OnTimeout::NullArray);
    };
    let (db, mut reply) = ctx.split();
    if let Some(mut list) = db.edit::<List>(key, popped(end))? {
        reply.array(2);
        reply.bulk(key);
        list.pop(end, |element| reply.element(element));
    }
    Ok(())
}

/// The first of the keys with a list. A key with something else is an error, but of no interest to a request that
/// waits: a list may come yet.
pub(super) fn first_list<'a>(
    ctx: &mut Context<'a>,
    keys: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<&'a [u8]>, Error> {
    for key in ctx.keys_to_try(keys) {
        match ctx.db().peek::<List>(key).map(|list| list.is_some()) {
            Ok(true) => return Ok(Some(key)),
            Ok(false) => {}
            Err(WrongType) if ctx.wait == Wait::Again => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

#[cfg(test)]
#[path = "list_pops_tests.rs"]
mod tests;
