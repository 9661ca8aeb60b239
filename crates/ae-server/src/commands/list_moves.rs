//! Moving an element from one list to another, or to the other end, at once or when there is one.

use super::lists::{parse_end, popped, pushed};
use super::several_keys::first_with;
use crate::clients::blocked::OnTimeout;
use crate::command::context::{Context, Wait};
use crate::command::error::Outcome;
use std::borrow::Cow;
use store::types::list::{End, List};

pub fn lmove(ctx: &mut Context<'_>) -> Outcome {
    let (from, to) = (parse_end(ctx, 3)?, parse_end(ctx, 4)?);
    move_at_once(ctx, from, to)
}

pub fn rpoplpush(ctx: &mut Context<'_>) -> Outcome {
    move_at_once(ctx, End::Tail, End::Head)
}

pub fn blmove(ctx: &mut Context<'_>) -> Outcome {
    let (from, to) = (parse_end(ctx, 3)?, parse_end(ctx, 4)?);
    move_or_wait(ctx, from, to, "LMOVE", 5)
}

pub fn brpoplpush(ctx: &mut Context<'_>) -> Outcome {
    move_or_wait(ctx, End::Tail, End::Head, "RPOPLPUSH", 3)
}

/// `command` does the same with the arguments in front of the one that says how long to wait.
fn move_or_wait(ctx: &mut Context<'_>, from: End, to: End, command: &str, timeout_at: usize) -> Outcome {
    let timeout = ctx.timeout(timeout_at)?;
    let source = ctx.args.from(1).take(1);
    if first_with::<List>(ctx, source.clone())?.is_some() {
        move_at_once(ctx, from, to)?;
        let (args, waited) = (ctx.args.from(1).take(timeout_at - 1), ctx.wait == Wait::Again);
        ctx.effect(|request| {
            request.arg(command);
            for (at, arg) in args.enumerate() {
                // After waiting Redis writes the ends in its own way.
                let is_end = at >= 2 && waited;
                request.arg(if is_end { Cow::Owned(arg.to_ascii_lowercase()) } else { Cow::Borrowed(arg) });
            }
        });
        Ok(())
    } else if ctx.wait == Wait::Never {
        // An array as null is for those who waited.
        ctx.reply_null()
    } else {
        ctx.wait_for(source, timeout, OnTimeout::NullArray)
    }
}

fn move_at_once(ctx: &mut Context<'_>, from: End, to: End) -> Outcome {
    let (source, destination, limits) = (ctx.arg(1), ctx.arg(2), ctx.limits().list);
    let Some(list) = ctx.db().peek::<List>(source)? else { return ctx.reply_null() };
    let element = list.get(if from == End::Head { 0 } else { -1 }).map(|element| element.to_vec()).unwrap_or_default();
    if source == destination {
        if let Some(mut list) = ctx.db().edit::<List>(source, popped(from))? {
            list.also(pushed(to));
            if from != to {
                list.rotate(from, limits);
            }
            list.changes(1);
        }
        return ctx.reply_bulk(&element);
    }
    let mut list = ctx.db().edit_or_create::<List>(destination, pushed(to))?;
    list.push(to, &element, limits);
    // The move is one change, which the source counts.
    list.told(0);
    drop(list);
    if let Some(mut list) = ctx.db().edit::<List>(source, popped(from))? {
        list.discard(from, 1);
    }
    ctx.reply_bulk(&element)
}

#[cfg(test)]
#[path = "list_moves_tests.rs"]
mod tests;
