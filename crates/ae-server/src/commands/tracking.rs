//! CLIENT TRACKING, TRACKINGINFO, CACHING and GETREDIR: clients that keep copies of values.

use crate::clients::tracking::TrackingMode;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Included, Unbounded};

pub fn tracking(ctx: &mut Context<'_>) -> Outcome {
    if ctx.is_word(2, "off") {
        parse(ctx)?;
        ctx.server.stop_tracking(ctx.client);
        return ctx.reply_ok();
    }
    if !ctx.is_word(2, "on") {
        parse(ctx)?;
        return Err(SYNTAX_ERROR.into());
    }
    let (mut mode, prefixes) = parse(ctx)?;
    check_mode(&mode, !prefixes.is_empty(), ctx.client.tracking.as_deref())?;
    if mode.broadcast {
        let none = BTreeSet::new();
        let own = ctx.client.tracking.as_ref().map_or(&none, |before| &before.prefixes);
        mode.prefixes = checked_prefixes(prefixes, own)?;
        if mode.prefixes.is_empty() {
            mode.prefixes.insert(Box::default());
        }
    }
    ctx.server.start_tracking(ctx.client, mode);
    ctx.reply_ok()
}

type Prefixes = Vec<Box<[u8]>>;

/// The mode, and the prefixes in the order of the request.
fn parse(ctx: &Context<'_>) -> Result<(TrackingMode, Prefixes), Error> {
    let (mut mode, mut prefixes) = (TrackingMode::default(), Vec::new());
    let mut words = ctx.args.from(3);
    while let Some(word) = words.next() {
        let left = words.len();
        match word.to_ascii_lowercase().as_slice() {
            b"redirect" if left > 0 => {
                if mode.redirect.is_some() {
                    return Err("ERR A client can only redirect to a single other client".into());
                }
                let id = resp::number::parse(words.next().unwrap_or_default());
                let id = id.ok_or("ERR value is not an integer or out of range")?;
                let found =
                    u64::try_from(id).ok().filter(|id| ctx.server.reference_of(*id, Some(ctx.client)).is_some());
                mode.redirect = Some(found.ok_or("ERR The client ID you want redirect to does not exist")?);
            }
            b"prefix" if left > 0 => prefixes.extend(words.next().map(Box::from)),
            b"bcast" => mode.broadcast = true,
            b"optin" => mode.opt_in = true,
            b"optout" => mode.opt_out = true,
            b"noloop" => mode.no_loop = true,
            _ => return Err(SYNTAX_ERROR.into()),
        }
    }
    Ok((mode, prefixes))
}

fn check_mode(mode: &TrackingMode, has_prefixes: bool, before: Option<&TrackingMode>) -> Outcome {
    if !mode.broadcast && has_prefixes {
        return Err("ERR PREFIX option requires BCAST mode to be enabled".into());
    }
    if before.is_some_and(|before| before.broadcast != mode.broadcast) {
        return Err("ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then \
                    re-enabling it with a different mode."
            .into());
    }
    if mode.broadcast && (mode.opt_in || mode.opt_out) {
        return Err("ERR OPTIN and OPTOUT are not compatible with BCAST".into());
    }
    if mode.opt_in && mode.opt_out {
        return Err("ERR You can't specify both OPTIN mode and OPTOUT mode".into());
    }
    let switches = |before: &TrackingMode| (mode.opt_in && before.opt_out) || (mode.opt_out && before.opt_in);
    if before.is_some_and(switches) {
        return Err("ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then \
                    re-enabling it with a different mode."
            .into());
    }
    Ok(())
}

/// No prefix may be a prefix of another one, nor the same. In a sorted set of such prefixes, one that overlaps stands
/// beside.
fn checked_prefixes(new: Vec<Box<[u8]>>, own: &BTreeSet<Box<[u8]>>) -> Result<BTreeSet<Box<[u8]>>, Error> {
    let error = |prefix: &[u8], which: &str, other: &[u8]| {
        let after = [b"' overlaps with ", which.as_bytes(), b" prefix '", other].concat();
        let end = "'. Prefixes for a single client must not overlap.";
        let text = [b"ERR Prefix '", prefix, &after, end.as_bytes()].concat();
        Error::from(text)
    };
    let (checked, first) = without_overlaps(&new);
    for (at, prefix) in new.iter().enumerate() {
        if let Some(other) = overlapping(own, prefix) {
            return Err(error(prefix, "an existing", other));
        }
        if first == Some(at)
            && let Some(other) = new[at + 1..].iter().find(|other| overlap(prefix, other))
        {
            return Err(error(prefix, "another provided", other));
        }
    }
    Ok(checked)
}

/// The prefixes without those that begin with another one, and the place of the first that overlaps with one behind
/// it. A client may send a million.
fn without_overlaps(new: &[Box<[u8]>]) -> (BTreeSet<Box<[u8]>>, Option<usize>) {
    let (mut shortest, mut first) = (BTreeSet::new(), None);
    'each: for (at, prefix) in new.iter().enumerate().rev() {
        while let Some(other) = overlapping(&shortest, prefix).map(Box::<[u8]>::from) {
            first = Some(at);
            if prefix.starts_with(&other) {
                continue 'each;
            }
            shortest.remove(&other);
        }
        shortest.insert(prefix.clone());
    }
    (shortest, first)
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// One of `prefixes`, none of which overlap, that overlaps with `prefix`.
fn overlapping<'p>(prefixes: &'p BTreeSet<Box<[u8]>>, prefix: &[u8]) -> Option<&'p [u8]> {
    let before = prefixes.range::<[u8], _>((Unbounded, Included(prefix))).next_back();
    let behind = prefixes.range::<[u8], _>((Excluded(prefix), Unbounded)).next();
    before.into_iter().chain(behind).map(|other| &**other).find(|other| overlap(prefix, other))
}

pub fn trackinginfo(ctx: &mut Context<'_>) -> Outcome {
    let mode = ctx.client.tracking.as_deref().cloned();
    let mut reply = ctx.reply();
    reply.map(3);
    reply.bulk("flags");
    let Some(mode) = mode else {
        reply.set(1);
        reply.bulk("off");
        reply.bulk("redirect");
        reply.integer(-1);
        reply.bulk("prefixes");
        reply.array(0);
        return Ok(());
    };
    let flags = [
        (true, "on"),
        (mode.broadcast, "bcast"),
        (mode.opt_in, "optin"),
        (mode.opt_in && mode.caching, "caching-yes"),
        (mode.opt_out, "optout"),
        (mode.opt_out && mode.caching, "caching-no"),
        (mode.no_loop, "noloop"),
        (mode.broken, "broken_redirect"),
    ];
    let flags: Vec<&str> = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag));
    reply.bulk("redirect");
    reply.integer(mode.redirect.map_or(0, |id| id as i64));
    reply.bulk("prefixes");
    reply.array(mode.prefixes.len());
    mode.prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}

/// What it says holds for the next request.
pub fn caching(ctx: &mut Context<'_>) -> Outcome {
    let word = ctx.arg(2);
    let Some(mode) = ctx.client.tracking.as_mut() else {
        return Err("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT \
                    mode enabled"
            .into());
    };
    match word.to_ascii_lowercase().as_slice() {
        b"yes" if mode.opt_in => mode.caching = true,
        b"yes" => {
            return Err("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.".into());
        }
        b"no" if mode.opt_out => mode.caching = true,
        b"no" => {
            return Err("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.".into());
        }
        _ => return Err(SYNTAX_ERROR.into()),
    }
    ctx.reply_ok()
}

/// -1 for a client that does not track, 0 for one that is told itself.
pub fn getredir(ctx: &mut Context<'_>) -> Outcome {
    let id = ctx.client.tracking.as_ref().map_or(-1, |mode| mode.redirect.map_or(0, |id| id as i64));
    ctx.reply_integer(id)
}

#[cfg(test)]
#[path = "tracking_tests.rs"]
mod tests;
