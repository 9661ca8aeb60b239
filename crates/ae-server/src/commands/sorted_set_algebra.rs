//! Sorted sets: union, intersection and difference. Plain sets take part with the score 1.

use super::sorted_sets::reply_entries;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR, WRONG_TYPE};
use crate::db::door::Db;
use crate::db::event::Event;
use resp::{Args, number};
use store::ValueRef;
use store::types::zset::{
    Aggregate, Entry, Score, SortedSet, Source, Weighted, difference, in_order, intersection, union,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What becomes of the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Reply,
    Store,
    Count,
}

/// `numkeys key [key ...]`: where the keys are.
struct Keys {
    first: usize,
    count: usize,
}

impl Keys {
    /// Reads them from the argument `index` on.
    fn parse(ctx: &Context<'_>, index: usize) -> Result<Keys, Error> {
        let count = ctx.integer(index)?;
        let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
            return Err(format!("ERR at least 1 input key is needed for '{}' command", ctx.spec.full_name).into());
        };
        let first = index + 1;
        if count > ctx.args.len() - first {
            return Err(SYNTAX_ERROR.into());
        }
        Ok(Keys { first, count })
    }

    fn end(&self) -> usize {
        self.first + self.count
    }
}

/// What follows the keys.
struct Options {
    weights: Option<Vec<f64>>,
    aggregate: Aggregate,
    with_scores: bool,
    /// How many members are counted.
    limit: usize,
}

impl Options {
    fn parse(args: Args<'_>, keys: &Keys, operation: Operation, aim: Aim) -> Result<Options, Error> {
        let mut options = Options { weights: None, aggregate: Aggregate::Sum, with_scores: false, limit: usize::MAX };
        let combines = operation != Operation::Difference && aim != Aim::Count;
        let mut words = args.from(keys.end());
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_slice() {
                b"weights" if combines && words.len() >= keys.count => {
                    let weight = |word| Score::parse(word).map(Score::get).ok_or("ERR weight value is not a float");
                    options.weights = Some(words.by_ref().take(keys.count).map(weight).collect::<Result<_, _>>()?);
                }
                b"aggregate" if combines => {
                    options.aggregate = match words.next().unwrap_or_default().to_ascii_lowercase().as_slice() {
                        b"sum" => Aggregate::Sum,
                        b"min" => Aggregate::Min,
                        b"max" => Aggregate::Max,
                        _ => return Err(SYNTAX_ERROR.into()),
                    };
                }
                b"withscores" if aim == Aim::Reply => options.with_scores = true,
                b"limit" if aim == Aim::Count && words.len() > 0 => {
                    let limit = number::parse(words.next().unwrap_or_default());
                    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
                    let limit = limit.ok_or("ERR LIMIT can't be negative")?;
                    options.limit = if limit == 0 { usize::MAX } else { limit };
                }
                _ => return Err(SYNTAX_ERROR.into()),
            }
        }
        Ok(options)
    }
}

fn source(value: Option<ValueRef<'_>>) -> Result<Source<'_>, &'static str> {
    match value {
        None => Ok(Source::Empty),
        Some(ValueRef::SortedSet(set)) => Ok(Source::Sorted(set)),
        Some(ValueRef::Set(set)) => Ok(Source::Plain(set)),
        Some(_) => Err(WRONG_TYPE),
    }
}

/// The result in no order, and the options.
fn combine<'d>(
    db: Db<'d>,
    args: Args<'_>,
    keys: &Keys,
    operation: Operation,
    aim: Aim,
) -> Result<(Box<dyn Iterator<Item = Entry<'d>> + 'd>, Options), Error> {
    let values = db.read_several_any(args.from(keys.first).take(keys.count), |value| source(Some(value)).is_ok());
    let sources: Vec<Source<'d>> = values.into_iter().map(source).collect::<Result<_, _>>()?;
    let options = Options::parse(args, keys, operation, aim)?;
    let weight = |at: usize| options.weights.as_ref().map_or(1.0, |weights| weights[at]);
    let weighted = sources.iter().enumerate().map(|(at, &source)| Weighted { source, weight: weight(at) });
    let weighted: Vec<Weighted<'d>> = weighted.collect();
    Ok(match operation {
        Operation::Union => (Box::new(union(&weighted, options.aggregate)), options),
        Operation::Intersection => (Box::new(intersection(&weighted, options.aggregate)), options),
        Operation::Difference => (Box::new(difference(sources[0], &sources[1..])), options),
    })
}

pub fn zunion(ctx: &mut Context<'_>) -> Outcome {
    reply(ctx, Operation::Union)
}

pub fn zinter(ctx: &mut Context<'_>) -> Outcome {
    reply(ctx, Operation::Intersection)
}

pub fn zdiff(ctx: &mut Context<'_>) -> Outcome {
    reply(ctx, Operation::Difference)
}

fn reply(ctx: &mut Context<'_>, operation: Operation) -> Outcome {
    let keys = Keys::parse(ctx, 1)?;
    let args = ctx.args;
    let (db, mut reply) = ctx.split();
    let (result, options) = combine(db, args, &keys, operation, Aim::Reply)?;
    reply_entries(&mut reply, in_order(result).into_iter(), options.with_scores);
    Ok(())
}

pub fn zintercard(ctx: &mut Context<'_>) -> Outcome {
    let keys = Keys::parse(ctx, 1)?;
    let args = ctx.args;
    let (result, options) = combine(ctx.db(), args, &keys, Operation::Intersection, Aim::Count)?;
    let count = result.take(options.limit).count();
    ctx.reply_count(count)
}

pub fn zunionstore(ctx: &mut Context<'_>) -> Outcome {
    store(ctx, Operation::Union, Event::zset("zunionstore"))
}

pub fn zinterstore(ctx: &mut Context<'_>) -> Outcome {
    store(ctx, Operation::Intersection, Event::zset("zinterstore"))
}

pub fn zdiffstore(ctx: &mut Context<'_>) -> Outcome {
    store(ctx, Operation::Difference, Event::zset("zdiffstore"))
}

fn store(ctx: &mut Context<'_>, operation: Operation, event: Event) -> Outcome {
    let keys = Keys::parse(ctx, 2)?;
    let (to, args, limits) = (ctx.arg(1), ctx.args, ctx.limits().zset);
    let mut set = SortedSet::new();
    set.extend(combine(ctx.db(), args, &keys, operation, Aim::Store)?.0, &limits);
    let count = set.len();
    ctx.db().store(to, set, event);
    ctx.reply_count(count)
}

#[cfg(test)]
#[path = "sorted_set_algebra_tests.rs"]
mod tests;
