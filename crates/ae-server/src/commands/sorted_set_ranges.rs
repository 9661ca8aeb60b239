//! Sorted sets: members by rank, by score, or by their own order.

use super::sorted_sets::{reply_entries, reply_entries_head};
use crate::command::context::Context;
use crate::command::error::{Error, NOT_AN_INTEGER, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use resp::number;
use std::ops::Range;
use store::types::zset::{LexRange, ScoreRange, SortedSet, limited};

const NOT_A_SCORE: &str = "ERR min or max is not a float";
const NOT_A_MEMBER: &str = "ERR min or max not valid string range item";

/// What the two ends of a range are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// The two ends, read.
enum Ends<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Members(LexRange<'a>),
}

impl<'a> Ends<'a> {
    fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Ends<'a>, Error> {
        Ok(match by {
            By::Rank => {
                let rank = |text| number::parse(text).ok_or(NOT_AN_INTEGER);
                Ends::Ranks(rank(min)?, rank(max)?)
            }
            By::Score => Ends::Scores(ScoreRange::parse(min, max).ok_or(NOT_A_SCORE)?),
            By::Lex => Ends::Members(LexRange::parse(min, max).ok_or(NOT_A_MEMBER)?),
        })
    }

    /// The ranks of the members between the ends.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        match self {
            Ends::Ranks(start, stop) => set.ranks(*start, *stop),
            Ends::Scores(range) => set.ranks_by_score(range),
            Ends::Members(range) => set.ranks_by_lex(range),
        }
    }
}

pub fn zcount(ctx: &mut Context<'_>) -> Outcome {
    count(ctx, By::Score)
}

pub fn zlexcount(ctx: &mut Context<'_>) -> Outcome {
    count(ctx, By::Lex)
}

fn count(ctx: &mut Context<'_>, by: By) -> Outcome {
    let ends = Ends::parse(by, ctx.arg(2), ctx.arg(3))?;
    let key = ctx.arg(1);
    let count = ctx.db().read::<SortedSet>(key)?.map_or(0, |set| ends.ranks(set).len());
    ctx.reply_count(count)
}

pub fn zremrangebyrank(ctx: &mut Context<'_>) -> Outcome {
    remove(ctx, By::Rank, Event::zset("zremrangebyrank"))
}

pub fn zremrangebyscore(ctx: &mut Context<'_>) -> Outcome {
    remove(ctx, By::Score, Event::zset("zremrangebyscore"))
}

pub fn zremrangebylex(ctx: &mut Context<'_>) -> Outcome {
    remove(ctx, By::Lex, Event::zset("zremrangebylex"))
}

fn remove(ctx: &mut Context<'_>, by: By, event: Event) -> Outcome {
    let ends = Ends::parse(by, ctx.arg(2), ctx.arg(3))?;
    let key = ctx.arg(1);
    let mut removed = 0;
    if let Some(mut set) = ctx.db().edit::<SortedSet>(key, event)? {
        let ranks = ends.ranks(&set);
        removed = set.remove_range(ranks);
        set.changes(removed);
    }
    ctx.reply_count(removed)
}

/// A part of a sorted set: what is between two ends, in either direction, and what LIMIT leaves of that.
struct Part<'a> {
    ends: Ends<'a>,
    reverse: bool,
    offset: i64,
    count: i64,
    with_scores: bool,
}

/// What the name of a command says, and what its options may say.
#[derive(Clone, Copy)]
struct Form {
    by: Option<By>,
    reverse: Option<bool>,
    /// The result is stored, so there are no scores to ask for.
    store: bool,
}

impl<'a> Part<'a> {
    /// Reads `min max [option ...]`, or `max min` backwards, from the argument `first` on.
    fn parse(ctx: &Context<'a>, first: usize, form: Form) -> Result<Part<'a>, Error> {
        let Form { mut by, mut reverse, store } = form;
        let (mut offset, mut count, mut with_scores) = (0, -1, false);
        let mut at = first + 2;
        while at < ctx.args.len() {
            if !store && ctx.is_word(at, "withscores") {
                with_scores = true;
            } else if ctx.is_word(at, "limit") && at + 2 < ctx.args.len() {
                (offset, count) = (ctx.integer(at + 1)?, ctx.integer(at + 2)?);
                at += 2;
            } else if reverse.is_none() && ctx.is_word(at, "rev") {
                reverse = Some(true);
            } else if by.is_none() && ctx.is_word(at, "bylex") {
                by = Some(By::Lex);
            } else if by.is_none() && ctx.is_word(at, "byscore") {
                by = Some(By::Score);
            } else {
                return Err(SYNTAX_ERROR.into());
            }
            at += 1;
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if by == By::Rank && count != -1 {
            let text = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
            return Err(text.into());
        }
        if by == By::Lex && with_scores {
            return Err("ERR syntax error, WITHSCORES not supported in combination with BYLEX".into());
        }
        let (mut min, mut max) = (ctx.arg(first), ctx.arg(first + 1));
        if reverse && by != By::Rank {
            (min, max) = (max, min);
        }
        Ok(Part { ends: Ends::parse(by, min, max)?, reverse, offset, count, with_scores })
    }

    /// The ranks of its members.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        match self.ends {
            // These count from the end that the direction begins with, and know no LIMIT.
            Ends::Ranks(start, stop) => {
                let ranks = set.ranks(start, stop);
                if self.reverse { set.len() - ranks.end..set.len() - ranks.start } else { ranks }
            }
            _ => limited(self.ends.ranks(set), self.offset, self.count, self.reverse),
        }
    }
}

pub fn zrange(ctx: &mut Context<'_>) -> Outcome {
    reply_part(ctx, None, None)
}

pub fn zrevrange(ctx: &mut Context<'_>) -> Outcome {
    reply_part(ctx, Some(By::Rank), Some(true))
}

pub fn zrangebyscore(ctx: &mut Context<'_>) -> Outcome {
    reply_part(ctx, Some(By::Score), Some(false))
}

pub fn zrevrangebyscore(ctx: &mut Context<'_>) -> Outcome {
    reply_part(ctx, Some(By::Score), Some(true))
}

pub fn zrangebylex(ctx: &mut Context<'_>) -> Outcome {
    reply_part(ctx, Some(By::Lex), Some(false))
}

pub fn zrevrangebylex(ctx: &mut Context<'_>) -> Outcome {
    reply_part(ctx, Some(By::Lex), Some(true))
}

fn reply_part(ctx: &mut Context<'_>, by: Option<By>, reverse: Option<bool>) -> Outcome {
    let part = Part::parse(ctx, 2, Form { by, reverse, store: false })?;
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let Some(set) = db.read::<SortedSet>(key)? else {
        reply_entries_head(&mut reply, 0, false);
        return Ok(());
    };
    let entries = set.range(part.ranks(set));
    if part.reverse {
        reply_entries(&mut reply, entries.rev(), part.with_scores);
    } else {
        reply_entries(&mut reply, entries, part.with_scores);
    }
    Ok(())
}

pub fn zrangestore(ctx: &mut Context<'_>) -> Outcome {
    let part = Part::parse(ctx, 3, Form { by: None, reverse: None, store: true })?;
    let (to, from, limits) = (ctx.arg(1), ctx.arg(2), ctx.limits().zset);
    let mut copy = SortedSet::new();
    if let Some(set) = ctx.db().read::<SortedSet>(from)? {
        copy.extend(set.range(part.ranks(set)), &limits);
    }
    let count = copy.len();
    ctx.db().store(to, copy, Event::zset("zrangestore"));
    ctx.reply_count(count)
}

#[cfg(test)]
#[path = "sorted_set_ranges_tests.rs"]
mod tests;
