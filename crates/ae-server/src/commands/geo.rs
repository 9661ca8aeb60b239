//! Places in a sorted set: GEOADD, GEODIST, GEOHASH, GEOPOS.

use super::geo_options::{coordinates, point, unit};
use crate::clients::reply::Reply;
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
    for (score, member) in &scored {
        let allowed = |old: Option<Score>| if old.is_some() { !only_new } else { !only_existing };
        match set.update(member, &limits, |old| allowed(old).then_some(*score)) {
            Change::Added => added += 1,
            Change::Updated => updated += 1,
            Change::Kept => {}
        }
    }
    set.changes(added + updated);
    drop(set);
    if added + updated > 0 {
        let options = ctx.args.from(2).take(first - 2);
        ctx.effect(|request| {
            request.arg("zadd").arg(key).args(options);
            scored.iter().for_each(|(score, member)| _ = request.integer(score.get() as i64).arg(member));
        });
    }
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
    reply_points(ctx, |reply, point| match point {
        Some(point) => reply.bulk(point.text()),
        None => reply.null(),
    })
}

pub fn geopos(ctx: &mut Context<'_>) -> Outcome {
    reply_points(ctx, |reply, point| match point {
        Some(point) => coordinates(reply, point),
        None => reply.null_array(),
    })
}

/// Replies about each of the members that the request names.
fn reply_points(ctx: &mut Context<'_>, each: impl Fn(&mut Reply<'_>, Option<Point>)) -> Outcome {
    let (key, members) = (ctx.arg(1), ctx.args.from(2));
    let (db, mut reply) = ctx.split();
    let set = db.read::<SortedSet>(key)?;
    reply.array(members.len());
    for member in members {
        each(&mut reply, set.and_then(|set| set.score(member)).map(Point::of));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    const SYNTAX: &str = "-ERR syntax error";
    const FLOAT: &str = "-ERR value is not a valid float";
    const TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    const UNIT: &str = "-ERR unsupported unit provided. please use M, KM, FT, MI";

    #[test]
    fn adding() {
        Session::new().expect(&[
            ("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"),
            ("TYPE g", "+zset"),
            ("GEOADD g nx 1 2 Palermo 1 2 x", ":1"),
            ("GEOADD g XX CH 13 38 Palermo 1 2 x 1 2 y", ":1"),
            ("GEOADD g 1 2 Palermo", ":0"),
            ("GEOADD g CH ch 1 3 Palermo 1 2 z", ":2"),
            ("GEOADD none XX 1 2 x", ":0"),
            ("GEOADD none XX XX 1 2 x", ":0"),
            ("GEOADD g NX NX 1 2 Palermo", ":0"),
            ("EXISTS none", ":0"),
        ]);
    }

    #[test]
    fn what_cannot_be_added() {
        let mut session = Session::new();
        session.run("SET s str");
        session.expect(&[
            ("GEOADD g NX XX 1 2 x", SYNTAX),
            ("GEOADD g NX CH CH", SYNTAX),
            ("GEOADD g 1 2 x 3 4", SYNTAX),
            ("GEOADD g foo bar x", FLOAT),
            ("GEOADD g 1 2 x nan 2 y", FLOAT),
            ("GEOADD g 1 2 x 181 2 y", "-ERR invalid longitude,latitude pair 181.000000,2.000000"),
            ("GEOADD g -inf -86.5 x", "-ERR invalid longitude,latitude pair -inf,-86.500000"),
            ("GEOADD s 181 2 x", "-ERR invalid longitude,latitude pair 181.000000,2.000000"),
            ("GEOADD s 1 2 x", TYPE),
            ("EXISTS g", ":0"),
        ]);
    }

    #[test]
    fn places_and_distances() {
        let mut session = Session::new();
        session.expect(&[
            ("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2"),
            ("GEODIST g Palermo Catania", "$11 166274.1516"),
            ("GEODIST g Palermo Catania KM", "$8 166.2742"),
            ("GEODIST g Palermo Palermo mi", "$6 0.0000"),
            ("GEODIST g Palermo none", "$-1"),
            ("GEODIST none Palermo Catania", "$-1"),
            ("GEODIST none a b xx", UNIT),
            ("GEODIST g Palermo Catania m m", SYNTAX),
            ("GEOHASH g Palermo none Catania", "*3 $11 sqc8b49rny0 $-1 $11 sqdtr74hyu0"),
            ("GEOHASH none a", "*1 $-1"),
            ("GEOHASH g", "*0"),
            ("GEOPOS g Palermo none", "*2 *2 $20 13.36138933897018433 $20 38.11555639549629859 *-1"),
            ("GEOPOS none a", "*1 *-1"),
            ("SET s str", "+OK"),
            ("GEODIST s a b", TYPE),
            ("GEOHASH s a", TYPE),
            ("GEOPOS s", TYPE),
        ]);
        session.run("HELLO 3");
        session.expect(&[
            ("GEOPOS g Palermo none", "*2 *2 ,13.36138933897018433 ,38.11555639549629859 _"),
            ("GEODIST g Palermo Catania", "$11 166274.1516"),
            ("GEOHASH g none", "*1 _"),
        ]);
    }

    #[test]
    fn encodings() {
        Session::new().expect(&[
            ("CONFIG SET zset-max-listpack-entries 1", "+OK"),
            ("GEOADD g 1 2 a", ":1"),
            ("OBJECT ENCODING g", "$8 listpack"),
            ("GEOADD g 1 2 b", ":1"),
            ("OBJECT ENCODING g", "$8 skiplist"),
            ("GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 m", ":2"),
            ("OBJECT ENCODING d", "$8 skiplist"),
        ]);
    }

    #[test]
    fn events() {
        let lines = ["GEOADD g 1 2 x", "GEOADD g 1 2 x", "GEOADD g XX 1 2 y", "GEOADD g 1 3 x"];
        assert_eq!(Session::new().events(&lines), ["zadd", "zadd"]);
    }
}
