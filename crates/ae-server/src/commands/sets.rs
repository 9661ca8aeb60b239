//! Sets. What combines several is in `set_algebra`.

use super::random_count::Count;
use super::scan_options::scan_members;
use crate::command::context::Context;
use crate::command::error::{Outcome, SYNTAX_ERROR};
use crate::db::edit::Edit;
use crate::db::event::Event;
use store::Digits;
use store::types::Element;
use store::types::set::{Limits, Set};

const ADDED: Event = Event::set("sadd");
const REMOVED: Event = Event::set("srem");

pub fn sadd(ctx: &mut Context<'_>) -> Outcome {
    let (key, members, limits) = (ctx.arg(1), ctx.args.from(2), ctx.limits().set);
    let mut set = ctx.db().edit_or_create::<Set>(key, ADDED)?;
    let added = members.filter(|member| set.add(member, &limits)).count();
    set.changes(added);
    drop(set);
    ctx.reply_count(added)
}

pub fn srem(ctx: &mut Context<'_>) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let Some(mut set) = ctx.db().edit::<Set>(key, REMOVED)? else { return ctx.reply_count(0) };
    let removed = members.filter(|member| set.remove(member)).count();
    set.changes(removed);
    drop(set);
    ctx.reply_count(removed)
}

pub fn sismember(ctx: &mut Context<'_>) -> Outcome {
    let (key, member) = (ctx.arg(1), ctx.arg(2));
    let there = ctx.db().read::<Set>(key)?.is_some_and(|set| set.contains(member));
    ctx.reply_count(there.into())
}

pub fn smismember(ctx: &mut Context<'_>) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let (db, mut reply) = ctx.split();
    let set = db.read::<Set>(key)?;
    reply.array(members.len());
    members.for_each(|member| reply.count(set.is_some_and(|set| set.contains(member)).into()));
    Ok(())
}

pub fn scard(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let len = ctx.db().read::<Set>(key)?.map_or(0, Set::len);
    ctx.reply_count(len)
}

pub fn smembers(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    let set = db.read::<Set>(key)?;
    reply.set(set.map_or(0, Set::len));
    set.into_iter().flat_map(Set::iter).for_each(|member| reply.element(member));
    Ok(())
}

pub fn smove(ctx: &mut Context<'_>) -> Outcome {
    let (source, destination, member, limits) = (ctx.arg(1), ctx.arg(2), ctx.arg(3), ctx.limits().set);
    // Both are looked at, so that either expires if its time has come.
    ctx.db().exists(destination);
    let Some(set) = ctx.db().peek::<Set>(source)? else { return ctx.reply_count(0) };
    let there = set.contains(member);
    ctx.db().peek::<Set>(destination)?;
    if !there || source == destination {
        return ctx.reply_count(there.into());
    }
    if let Some(mut set) = ctx.db().edit::<Set>(source, REMOVED)? {
        set.remove(member);
    }
    let mut set = ctx.db().edit_or_create::<Set>(destination, ADDED)?;
    let added = set.add(member, &limits);
    set.changes(added.into());
    drop(set);
    ctx.reply_count(1)
}

pub fn spop(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let mut random = ctx.random();
    let random = || random.number();
    let limits = ctx.limits().set;
    let count = match ctx.args.len() {
        2 => None,
        3 => Some(ctx.integer_in(2, 0.., "ERR value is out of range, must be positive")? as usize),
        _ => return Err(SYNTAX_ERROR.into()),
    };
    let is_wanted = ctx.server.databases.effects.is_wanted();
    // Which ones have gone, for others: with the same request, others would go there.
    let mut gone: Vec<Vec<u8>> = Vec::new();
    let mut all = false;
    let (db, mut reply) = ctx.split();
    let set = db.edit::<Set>(key, Event::set("spop"))?;
    match (set, count) {
        (None, None) => reply.null(),
        (None, Some(_)) | (Some(_), Some(0)) => reply.set(0),
        (Some(mut set), None) => match set.pop(random) {
            Some(member) => {
                reply.bulk(member.as_slice());
                gone.extend(is_wanted.then(|| member.as_slice().to_vec()));
            }
            None => reply.null(),
        },
        (Some(mut set), Some(count)) => {
            all = count >= set.len();
            let count = count.min(set.len());
            reply.set(count);
            pop_several(&mut set, count, &limits, random, |member| {
                reply.element(member);
                gone.extend((is_wanted && !all).then(|| member.to_vec()));
            });
            set.changes(count);
        }
    }
    if all {
        ctx.effect(|request| _ = request.arg("DEL").arg(key));
    }
    for member in gone {
        ctx.effect(|request| _ = request.arg("SREM").arg(key).arg(member));
    }
    ctx.no_effect();
    Ok(())
}

/// Pops members at random. When few are left, as Redis sees it, these are picked in place of the others, and become a
/// new set: one block, if they are integers.
fn pop_several(
    set: &mut Edit<'_, Set>,
    count: usize,
    limits: &Limits,
    mut random: impl FnMut() -> u64,
    mut found: impl FnMut(Element<'_>),
) {
    const MANY: usize = 5;
    let left = set.len() - count;
    if left.saturating_mul(MANY) > count {
        for _ in 0..count {
            if let Some(member) = set.pop(&mut random) {
                found(Element::of(member.as_slice()));
            }
        }
        return;
    }
    let mut kept = Set::new();
    set.random_distinct(left, random, |member| _ = kept.add(member.as_slice(&mut Digits::new()), limits));
    set.iter().filter(|member| !kept.contains_element(*member)).for_each(found);
    **set = kept;
}

pub fn srandmember(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let mut random = ctx.random();
    let mut random = || random.number();
    if ctx.args.len() == 2 {
        let (db, mut reply) = ctx.split();
        match db.read::<Set>(key)?.and_then(|set| set.random(random)) {
            Some(member) => reply.element(member),
            None => reply.null(),
        }
        return Ok(());
    }
    if ctx.args.len() > 3 {
        return Err(SYNTAX_ERROR.into());
    }
    let count = Count::parse(ctx.arg(2))?;
    let max_bytes = ctx.server.config.max_bulk;
    let (db, mut reply) = ctx.split();
    let Some(set) = db.read::<Set>(key)? else {
        reply.array(0);
        return Ok(());
    };
    let longest = || set.iter().map(|member| member.len()).max().unwrap_or(0);
    let count = count.limited(&reply, max_bytes, set.len(), set.allocated(), longest)?;
    reply.array(count.asked());
    match count {
        Count::Distinct(count) => set.random_distinct(count, random, |member| reply.element(member)),
        Count::Repeated(count) => Count::in_turn(count, &mut reply, |reply, some| {
            set.random_repeated(some, &mut random, |member| reply.element(member));
        }),
    }
    Ok(())
}

pub fn sscan(ctx: &mut Context<'_>) -> Outcome {
    scan_members::<Set>(ctx, |set, cursor, found| set.scan(cursor, |member| found(member, None)))
}

#[cfg(test)]
#[path = "sets_tests.rs"]
mod tests;
