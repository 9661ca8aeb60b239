//! Places in a circle or a box: GEOSEARCH, GEOSEARCHSTORE, and their forerunners, GEORADIUS and GEORADIUSBYMEMBER.

use super::geo_options::{Form, Options, Order, coordinates};
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::Outcome;
use crate::db::event::Event;
use store::types::geo::{Found, search};
use store::types::zset::{Limits, Score, SortedSet};
use store::{Digits, partial_sort};

pub fn georadius(ctx: &mut Context<'_>) -> Outcome {
    run(ctx, Form::Radius { stores: true })
}

pub fn georadius_ro(ctx: &mut Context<'_>) -> Outcome {
    run(ctx, Form::Radius { stores: false })
}

pub fn georadiusbymember(ctx: &mut Context<'_>) -> Outcome {
    run(ctx, Form::RadiusByMember { stores: true })
}

pub fn georadiusbymember_ro(ctx: &mut Context<'_>) -> Outcome {
    run(ctx, Form::RadiusByMember { stores: false })
}

pub fn geosearch(ctx: &mut Context<'_>) -> Outcome {
    run(ctx, Form::Search)
}

pub fn geosearchstore(ctx: &mut Context<'_>) -> Outcome {
    run(ctx, Form::SearchStore)
}

fn run(ctx: &mut Context<'_>, form: Form) -> Outcome {
    let (args, limits) = (ctx.args, ctx.limits().zset);
    let source = ctx.arg(if form == Form::SearchStore { 2 } else { 1 });
    let (db, mut reply) = ctx.split();
    let set = db.read::<SortedSet>(source)?;
    let options = Options::parse(form, &args, set)?;
    let found = set.map_or_else(Vec::new, |set| find(set, &options));
    let Some(target) = options.store else {
        reply.array(found.len());
        found.iter().for_each(|found| tell(&mut reply, found, &options));
        return Ok(());
    };
    let count = found.len();
    let result = collect(&found, &options, &limits);
    let event = if form == Form::SearchStore { "geosearchstore" } else { "georadiusstore" };
    ctx.db().store(target, result, Event::zset(event));
    ctx.reply_count(count)
}

/// The members that are in the area, as many as are asked for, in order.
fn find<'a>(set: &'a SortedSet, options: &Options<'_>) -> Vec<Found<'a>> {
    let Some(area) = options.area() else { return Vec::new() };
    let enough = if options.any { options.count.unwrap_or(usize::MAX) } else { usize::MAX };
    let mut found: Vec<Found<'a>> = search(set, area).take(enough).collect();
    let count = options.count.unwrap_or(usize::MAX).min(found.len());
    // Without ANY, the nearest are asked for.
    let nearest = (options.count.is_some() && !options.any).then_some(Order::Nearest);
    match options.order.or(nearest) {
        Some(Order::Nearest) => partial_sort(&mut found, 0..count, |a, b| a.distance.total_cmp(&b.distance)),
        Some(Order::Farthest) => partial_sort(&mut found, 0..count, |a, b| b.distance.total_cmp(&a.distance)),
        None => {}
    }
    found.truncate(count);
    found
}

fn tell(reply: &mut Reply<'_>, found: &Found<'_>, options: &Options<'_>) {
    let details = [options.with_distance, options.with_hash, options.with_coordinates];
    let details = details.into_iter().filter(|asked| *asked).count();
    if details > 0 {
        reply.array(1 + details);
    }
    reply.element(found.member);
    if options.with_distance {
        reply.bulk(format!("{:.4}", found.distance / options.unit.metres()));
    }
    if options.with_hash {
        reply.integer(found.score.get() as i64);
    }
    if options.with_coordinates {
        coordinates(reply, found.point);
    }
}

fn collect(found: &[Found<'_>], options: &Options<'_>, limits: &Limits) -> SortedSet {
    let mut set = SortedSet::new();
    let mut digits = Digits::new();
    for found in found {
        let distance = || Score::new(found.distance / options.unit.metres()).expect("a distance is a number");
        let score = if options.store_distance { distance() } else { found.score };
        set.insert(found.member.as_slice(&mut digits), score, limits);
    }
    set
}

#[cfg(test)]
#[path = "geo_search_tests.rs"]
mod tests;
