//! Union, intersection and difference of sets.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use store::Digits;
use store::types::Element;
use store::types::set::{Set, algebra};

/// How sets are combined.
#[derive(Clone, Copy)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

pub fn sunion(ctx: &mut Context<'_>) -> Outcome {
    reply_combined(ctx, Operation::Union)
}

pub fn sinter(ctx: &mut Context<'_>) -> Outcome {
    reply_combined(ctx, Operation::Intersection)
}

pub fn sdiff(ctx: &mut Context<'_>) -> Outcome {
    reply_combined(ctx, Operation::Difference)
}

pub fn sunionstore(ctx: &mut Context<'_>) -> Outcome {
    store_combined(ctx, Operation::Union, "sunionstore")
}

pub fn sinterstore(ctx: &mut Context<'_>) -> Outcome {
    store_combined(ctx, Operation::Intersection, "sinterstore")
}

pub fn sdiffstore(ctx: &mut Context<'_>) -> Outcome {
    store_combined(ctx, Operation::Difference, "sdiffstore")
}

/// Calls `found` with every member of the result. None is a key that does not exist.
fn combine(sets: &[Option<&Set>], operation: Operation, found: impl FnMut(Element<'_>)) {
    let there: Vec<&Set> = sets.iter().copied().flatten().collect();
    match operation {
        Operation::Union => algebra::union(&there).for_each(found),
        Operation::Intersection if there.len() < sets.len() => {}
        Operation::Intersection => algebra::intersection(&there).for_each(found),
        Operation::Difference => {
            if let Some(Some(first)) = sets.first() {
                algebra::difference(first, &there[1..]).for_each(found);
            }
        }
    }
}

fn reply_combined(ctx: &mut Context<'_>, operation: Operation) -> Outcome {
    let keys = ctx.args.from(1);
    let (db, mut reply) = ctx.split();
    let sets = db.read_several::<Set>(keys)?;
    let (place, mut count) = (reply.place(), 0);
    combine(&sets, operation, |member| {
        reply.element(member);
        count += 1;
    });
    reply.put_set(place, count);
    Ok(())
}

fn store_combined(ctx: &mut Context<'_>, operation: Operation, event: &'static str) -> Outcome {
    let (destination, keys, limits) = (ctx.arg(1), ctx.args.from(2), ctx.limits().set);
    let sets = ctx.db().read_several::<Set>(keys)?;
    let mut result = Set::new();
    combine(&sets, operation, |member| _ = result.add(member.as_slice(&mut Digits::new()), &limits));
    let len = result.len();
    ctx.db().store(destination, result, Event::set(event));
    ctx.reply_count(len)
}

pub fn sintercard(ctx: &mut Context<'_>) -> Outcome {
    let keys = ctx.integer_in(1, 1.., "ERR numkeys should be greater than 0")? as usize;
    if keys > ctx.args.len() - 2 {
        return Err("ERR Number of keys can't be greater than number of args".into());
    }
    let limit = parse_limit(ctx, 2 + keys)?;
    let keys = ctx.args.from(2).take(keys);
    let sets = ctx.db().read_several::<Set>(keys)?;
    let there: Option<Vec<&Set>> = sets.into_iter().collect();
    let count = there.map_or(0, |sets| algebra::intersection(&sets).take(limit).count());
    ctx.reply_count(count)
}

/// `LIMIT limit`, any number of times: the last one counts, and 0 means unlimited.
fn parse_limit(ctx: &Context<'_>, first: usize) -> Result<usize, Error> {
    let mut limit = 0;
    for at in (first..ctx.args.len()).step_by(2) {
        if at + 1 == ctx.args.len() || !ctx.is_word(at, "limit") {
            return Err(SYNTAX_ERROR.into());
        }
        limit = ctx.integer_in(at + 1, 0.., "ERR LIMIT can't be negative")? as usize;
    }
    Ok(if limit == 0 { usize::MAX } else { limit })
}

#[cfg(test)]
#[path = "set_algebra_tests.rs"]
mod tests;
