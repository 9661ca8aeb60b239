//! Taking elements out of lists, at once or when there are some.

use super::lists::{parse_end, popped};
use super::several_keys::{Several, first_with, pop_several};
use crate::clients::blocked::OnTimeout;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::Outcome;
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
        (Some(list), Some(count)) => _ = pop_elements(list, end, count, &mut reply),
    }
    Ok(())
}

/// Pops up to `count` elements and replies with them. Returns how many they are.
fn pop_elements(mut list: Edit<'_, List>, end: End, count: usize, reply: &mut Reply<'_>) -> usize {
    let len = list.len();
    let count = count.min(len);
    reply.array(count);
    match end {
        End::Head => list.range(0..count).for_each(|element| reply.element(element)),
        End::Tail => list.range(len - count..len).rev().for_each(|element| reply.element(element)),
    }
    list.discard(end, count);
    list.changes(count);
    count
}

/// The command that pops at an end of one list.
fn command(end: End) -> &'static str {
    if end == End::Head { "LPOP" } else { "RPOP" }
}

pub fn lmpop(ctx: &mut Context<'_>) -> Outcome {
    pop_several::<List, _>(ctx, false, parse_end, pop_from)
}

pub fn blmpop(ctx: &mut Context<'_>) -> Outcome {
    pop_several::<List, _>(ctx, true, parse_end, pop_from)
}

fn pop_from(ctx: &mut Context<'_>, key: &[u8], from: Several<End>) -> Outcome {
    let (db, mut reply) = ctx.split();
    let Some(list) = db.edit::<List>(key, popped(from.place))? else { return Ok(()) };
    reply.array(2);
    reply.bulk(key);
    let count = pop_elements(list, from.place, from.count, &mut reply);
    ctx.effect(|request| _ = request.arg(command(from.place)).arg(key).integer(count as i64));
    Ok(())
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
    let Some(key) = first_with::<List>(ctx, keys.clone())? else {
        return ctx.wait_for(keys, timeout, OnTimeout::NullArray);
    };
    let (db, mut reply) = ctx.split();
    let Some(mut list) = db.edit::<List>(key, popped(end))? else { return Ok(()) };
    reply.array(2);
    reply.bulk(key);
    list.pop(end, |element| reply.element(element));
    drop(list);
    ctx.effect(|request| _ = request.arg(command(end)).arg(key));
    Ok(())
}

#[cfg(test)]
#[path = "list_pops_tests.rs"]
mod tests;
