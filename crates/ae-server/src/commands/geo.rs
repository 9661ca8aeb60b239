//! Places in a sorted set: GEOADD, GEODIST, GEOHASH, GEOPOS.

use super::geo_options::{coordinates, point, unit};
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use crate::db::event::Event;
use store::types::geo::{Point, Unit, distance};
use store::types::zset::{Change, Score, SortedSet};

pub fn geoadd(ctx: &mut Context<'_>) -> Outcome {
    let (key, mut first) = (ctx.arg(1), 2);
    let (mut only_new, mut only_existing, mut count_updated) = (false, false, false);
    loop {
        match ctx.arg(first).to_ascii_lowercase().as_slice() {
            b"nx" => only_new = true,
            b"xx" => only_existing = true,
            b"ch" => count_updated = true,
            _ => break,
        }
        first += 1;
    }
    let words: Vec<&[u8]> = ctx.args.from(first).collect();
    let (places, rest) = words.as_chunks::<3>();
    if places.is_empty() || !rest.is_empty() || (only_new && only_existing) {
        return Err(SYNTAX_ERROR.into());
    }
    let scored = places.iter().map(|[longitude, latitude, member]| Ok((point(longitude, latitude)?.score(), *member)));
    let scored = scored.collect::<Result<Vec<(Score, &[u8])>, Error>>()?;
    let limits = ctx.limits().zset;
    let mut set = ctx.db().edit_or_create::<SortedSet>(key, Event::zset("zadd"))?;
    let (mut added, mut updated) = (0, 0);
    for (score, member) in scored {
        let allowed = |old: Option<Score>| if old.is_some() { !only_new } else { !only_existing };
        match set.update(member, &limits, |old| allowed(old).then_some(score)) {
            Change::Added => added += 1,
            Change::Updated => updated += 1,
            Change::Kept => {}
        }
    }
    set.changes(added + updated);
    drop(set);
    ctx.reply_count(if count_updated { added + updated } else { added })
}

pub fn geodist(ctx: &mut Context<'_>) -> Outcome {
    let (key, a, b) = (ctx.arg(1), ctx.arg(2), ctx.arg(3));
    let unit = match ctx.args.len() {
        4 => Unit::Metre,
        5 => unit(ctx.arg(4))?,
        _ => return Err(SYNTAX_ERROR.into()),
    };
    let set = ctx.db().read::<SortedSet>(key)?;
    let point = |member| set.and_then(|set| set.score(member)).map(Point::of);
    match point(a).zip(point(b)) {
        Some((a, b)) => ctx.reply_bulk(format!("{:.4}", distance(a, b) / unit.metres()).as_bytes()),
        None => ctx.reply_null(),
    }
}

pub fn geohash(ctx: &mut Context<'_>) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let (db, mut reply) = ctx.split();
    let set = db.read::<SortedSet>(key)?;
    reply.array(members.len());
    for member in members {
        match set.and_then(|set| set.score(member)) {
            Some(score) => reply.bulk(Point::of(score).text()),
            None => reply.null(),
        }
    }
    Ok(())
}

pub fn geopos(ctx: &mut Context<'_>) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let (db, mut reply) = ctx.split();
    let set = db.read::<SortedSet>(key)?;
    reply.array(members.len());
    for member in members {
        match set.and_then(|set| set.score(member)) {
            Some(score) => coordinates(&mut reply, Point::of(score)),
            None => reply.null_array(),
        }
    }
    Ok(())
}
