//! Sorted sets: adding, removing and looking up members.

use super::random_count::{Count, OUT_OF_RANGE};
use super::scan_options::scan_members;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{NOT_A_FLOAT, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use resp::Protocol;
use store::types::zset::{Change, Entry, Score, SortedSet};

const ADD: Event = Event::zset("zadd");
const INCREMENT: Event = Event::zset("zincr");

/// Which members ZADD gives a score.
#[derive(Default)]
struct Conditions {
    new: bool,
    existing: bool,
    greater: bool,
    less: bool,
    /// The score is added to the old one.
    increment: bool,
    /// Members with another score than before count too.
    count_changed: bool,
}

pub fn zadd(ctx: &mut Context<'_>) -> Outcome {
    add(ctx, Conditions::default())
}

pub fn zincrby(ctx: &mut Context<'_>) -> Outcome {
    add(ctx, Conditions { increment: true, ..Conditions::default() })
}

fn add(ctx: &mut Context<'_>, mut conditions: Conditions) -> Outcome {
    let mut first = 2;
    while let Some(option) = conditions.option(ctx.arg(first)) {
        *option = true;
        first += 1;
    }
    let count = ctx.args.len() - first;
    if count == 0 || !count.is_multiple_of(2) {
        return Err(SYNTAX_ERROR.into());
    }
    conditions.check(count / 2)?;
    let words: Vec<&[u8]> = ctx.args.from(first).collect();
    let scored = |pair: &[&'_ [u8]]| Score::parse(pair[0]).ok_or(NOT_A_FLOAT);
    let scores: Vec<Score> = words.chunks_exact(2).map(scored).collect::<Result<_, _>>()?;
    let (key, limits) = (ctx.arg(1), ctx.limits().zset);
    let mut set = ctx.db().edit_or_create::<SortedSet>(key, if conditions.increment { INCREMENT } else { ADD })?;
    let (mut added, mut updated, mut last) = (0, 0, None);
    for (pair, score) in words.chunks_exact(2).zip(scores) {
        let mut not_a_number = false;
        let change = set.update(pair[1], &limits, |old| {
            let new = match old {
                Some(old) if conditions.increment => old.plus(score),
                _ => Some(score),
            };
            not_a_number = new.is_none();
            last = new.filter(|new| conditions.allow(old, *new));
            last
        });
        added += usize::from(change == Change::Added);
        updated += usize::from(change == Change::Updated);
        if not_a_number {
            set.changes(0);
            return Err("ERR resulting score is not a number (NaN)".into());
        }
    }
    set.changes(added + updated);
    drop(set);
    match (conditions.increment, last) {
        (false, _) => return ctx.reply_count(if conditions.count_changed { added + updated } else { added }),
        (true, Some(score)) => ctx.reply().score(score),
        (true, None) => ctx.reply().null(),
    }
    Ok(())
}

impl Conditions {
    fn option(&mut self, word: &[u8]) -> Option<&mut bool> {
        match word.to_ascii_lowercase().as_slice() {
            b"nx" => Some(&mut self.new),
            b"xx" => Some(&mut self.existing),
            b"gt" => Some(&mut self.greater),
            b"lt" => Some(&mut self.less),
            b"incr" => Some(&mut self.increment),
            b"ch" => Some(&mut self.count_changed),
            _ => None,
        }
    }

    fn check(&self, members: usize) -> Result<(), &'static str> {
        if self.new && self.existing {
            return Err("ERR XX and NX options at the same time are not compatible");
        }
        if self.new && (self.greater || self.less) || self.greater && self.less {
            return Err("ERR GT, LT, and/or NX options at the same time are not compatible");
        }
        if self.increment && members > 1 {
            return Err("ERR INCR option supports a single increment-element pair");
        }
        Ok(())
    }

    fn allow(&self, old: Option<Score>, new: Score) -> bool {
        match old {
            None => !self.existing,
            Some(old) => !(self.new || self.greater && new <= old || self.less && new >= old),
        }
    }
}

pub fn zrem(ctx: &mut Context<'_>) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let Some(mut set) = ctx.db().edit::<SortedSet>(key, Event::zset("zrem"))? else {
        return ctx.reply_integer(0);
    };
    let removed = members.filter(|member| set.remove(member).is_some()).count();
    set.changes(removed);
    drop(set);
    ctx.reply_count(removed)
}

pub fn zcard(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let len = ctx.db().read::<SortedSet>(key)?.map_or(0, SortedSet::len);
    ctx.reply_count(len)
}

pub fn zscore(ctx: &mut Context<'_>) -> Outcome {
    let (key, member) = (ctx.arg(1), ctx.arg(2));
    let score = ctx.db().read::<SortedSet>(key)?.and_then(|set| set.score(member));
    reply_score(&mut ctx.reply(), score);
    Ok(())
}

pub fn zmscore(ctx: &mut Context<'_>) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let (db, mut reply) = ctx.split();
    let set = db.read::<SortedSet>(key)?;
    reply.array(members.len());
    members.for_each(|member| reply_score(&mut reply, set.and_then(|set| set.score(member))));
    Ok(())
}

fn reply_score(reply: &mut Reply<'_>, score: Option<Score>) {
    match score {
        Some(score) => reply.score(score),
        None => reply.null(),
    }
}

pub fn zrank(ctx: &mut Context<'_>) -> Outcome {
    rank(ctx, |rank, _| rank)
}

pub fn zrevrank(ctx: &mut Context<'_>) -> Outcome {
    rank(ctx, |rank, len| len - 1 - rank)
}

fn rank(ctx: &mut Context<'_>, counted: impl Fn(usize, usize) -> usize) -> Outcome {
    let (key, member) = (ctx.arg(1), ctx.arg(2));
    let set = ctx.db().read::<SortedSet>(key)?;
    match set.and_then(|set| Some(counted(set.rank(member)?.0, set.len()))) {
        Some(rank) => ctx.reply_count(rank),
        None => ctx.reply_null(),
    }
}

pub fn zrandmember(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let mut random = ctx.random();
    if ctx.args.len() > 2 {
        return random_members(ctx);
    }
    let (db, mut reply) = ctx.split();
    match db.read::<SortedSet>(key)?.and_then(|set| set.random(|| random.number())) {
        Some(entry) => reply.element(entry.member),
        None => reply.null(),
    }
    Ok(())
}

fn random_members(ctx: &mut Context<'_>) -> Outcome {
    let count = Count::parse(ctx.arg(2))?;
    let with_scores = ctx.args.len() > 3;
    if ctx.args.len() > 4 || with_scores && !ctx.is_word(3, "withscores") {
        return Err(SYNTAX_ERROR.into());
    }
    if with_scores && count.asked() > i64::MAX as usize / 2 {
        return Err(OUT_OF_RANGE.into());
    }
    let (key, max_bytes) = (ctx.arg(1), ctx.server.config.max_bulk);
    let mut random = ctx.random();
    let mut random = || random.number();
    let (db, mut reply) = ctx.split();
    let Some(set) = db.read::<SortedSet>(key)? else {
        reply.array(0);
        return Ok(());
    };
    let longest = || set.iter().map(|entry| entry.member.len()).max().unwrap_or(0);
    match count.limited(&reply, max_bytes, set.len(), set.allocated(), longest)? {
        Count::Distinct(count) => {
            reply_entries_head(&mut reply, count, with_scores);
            set.random_distinct(count, random, |entry| reply_entry(&mut reply, entry, with_scores));
        }
        Count::Repeated(count) => {
            reply_entries_head(&mut reply, count, with_scores);
            Count::in_turn(count, &mut reply, |reply, some| {
                let entries = (0..some).filter_map(|_| set.random(&mut random));
                entries.for_each(|entry| reply_entry(reply, entry, with_scores));
            });
        }
    }
    Ok(())
}

pub fn zscan(ctx: &mut Context<'_>) -> Outcome {
    scan_members::<SortedSet>(ctx, |set, cursor, found| set.scan(cursor, |member, score| found(member, Some(score))))
}

/// The head of a list of members; in RESP3, each is a pair with its score.
pub fn reply_entries_head(reply: &mut Reply<'_>, len: usize, with_scores: bool) {
    let flat = with_scores && reply.protocol() == Protocol::Resp2;
    reply.array(if flat { 2 * len } else { len });
}

/// One member of a list that [`reply_entries_head`] began.
pub fn reply_entry(reply: &mut Reply<'_>, entry: Entry<'_>, with_score: bool) {
    if with_score && reply.protocol() == Protocol::Resp3 {
        reply.array(2);
    }
    reply.element(entry.member);
    if with_score {
        reply.score(entry.score);
    }
}

/// A list of members.
pub fn reply_entries<'a>(reply: &mut Reply<'_>, entries: impl ExactSizeIterator<Item = Entry<'a>>, with_scores: bool) {
    reply_entries_head(reply, entries.len(), with_scores);
    entries.for_each(|entry| reply_entry(reply, entry, with_scores));
}

#[cfg(test)]
#[path = "sorted_sets_tests.rs"]
mod tests;
