//! Streams: reading entries, and waiting for them.

use super::stream_entries::reply_entries;
use super::stream_options::{first_id, id, last_id};
use super::stream_read_options::{BLOCKED_COUNT, ReadOptions};
use crate::clients::blocked::OnTimeout;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome, SYNTAX_ERROR};
use resp::{OwnedArgs, Protocol};
use store::types::stream::{EntryLog, Id, Stream};

pub fn xrange(ctx: &mut Context<'_>) -> Outcome {
    range(ctx, false)
}

pub fn xrevrange(ctx: &mut Context<'_>) -> Outcome {
    range(ctx, true)
}

fn range(ctx: &mut Context<'_>, is_reverse: bool) -> Outcome {
    let (first_at, last_at) = if is_reverse { (3, 2) } else { (2, 3) };
    let (first, last) = (first_id(ctx, first_at)?, last_id(ctx, last_at)?);
    let mut count = usize::MAX;
    for at in (4..ctx.args.len()).step_by(2) {
        if !ctx.is_word(at, "count") || at + 1 == ctx.args.len() {
            return Err(SYNTAX_ERROR.into());
        }
        count = ctx.integer(at + 1)?.max(0) as usize;
    }
    let key = ctx.arg(1);
    let (db, mut reply) = ctx.split();
    match db.read::<Stream>(key)?.map(Stream::log) {
        None => reply.array(0),
        Some(_) if count == 0 => reply.null_array(),
        Some(log) if is_reverse => reply_entries(&mut reply, log.range_back(first, last).take(count), |_| {}),
        Some(log) => reply_entries(&mut reply, log.range(first, last).take(count), |_| {}),
    }
    Ok(())
}

pub fn xread(ctx: &mut Context<'_>) -> Outcome {
    let options = ReadOptions::parse(ctx)?;
    if let Some(key) = ctx.changed {
        return read_after_waiting(ctx, &options, key);
    }
    let after = ids(ctx, &options)?;
    let place = ctx.reply().place();
    let mut served = 0;
    for (key, after) in options.keys(ctx).zip(&after) {
        let (db, mut reply) = ctx.split();
        let log = db.read::<Stream>(key)?.map(Stream::log);
        if let Some(log) = log.filter(|log| log.last_entry().is_some_and(|last| last.id() > *after)) {
            reply_key(&mut reply, key);
            reply_new(&mut reply, log, *after, options.count.unwrap_or(usize::MAX));
            served += 1;
        }
    }
    if served > 0 {
        put_streams(&mut ctx.reply(), place, served);
        return Ok(());
    }
    let Some(timeout) = options.block else {
        ctx.reply().null_array();
        return Ok(());
    };
    let args = ctx.args;
    let with_ids = || {
        let ids: Vec<_> = after.iter().map(|id| id.to_string().into_bytes()).collect();
        let before = args.iter().take(options.ids_at());
        OwnedArgs::new(&before.chain(ids.iter().map(Vec::as_slice)).collect::<Vec<_>>())
    };
    ctx.wait_for_with(with_ids, options.keys(ctx), timeout, OnTimeout::NullArray)
}

/// Behind which ids the streams are read; `$` is the last one that there is.
fn ids(ctx: &mut Context<'_>, options: &ReadOptions) -> Result<Vec<Id>, Error> {
    let mut ids = Vec::new();
    for (index, key) in options.keys(ctx).enumerate() {
        let at = options.ids_at() + index;
        let last = ctx.db().read::<Stream>(key)?.map_or(Id::MIN, |stream| stream.log().last_id());
        ids.push(match ctx.arg(at) {
            b"$" => last,
            b">" => {
                return Err("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
                            <consumer> option."
                    .into());
            }
            _ => id(ctx, at)?,
        });
    }
    Ok(ids)
}

/// The stream of a key has got another last id, or the key something else.
fn read_after_waiting(ctx: &mut Context<'_>, options: &ReadOptions, key: &[u8]) -> Outcome {
    let at = options.keys(ctx).position(|other| other == key).unwrap_or_default();
    let after = id(ctx, options.ids_at() + at)?;
    let (db, mut reply) = ctx.split();
    match db.peek::<Stream>(key) {
        // The entry may have gone again: then the client gets no entries.
        Ok(Some(stream)) if stream.log().last_id() > after => {
            let place = reply.place();
            reply_key(&mut reply, key);
            reply_new(&mut reply, stream.log(), after, options.count.unwrap_or(BLOCKED_COUNT));
            put_streams(&mut reply, place, 1);
            Ok(())
        }
        _ => ctx.wait_on(),
    }
}

/// What precedes a stream's entries.
pub fn reply_key(reply: &mut Reply<'_>, key: &[u8]) {
    if reply.protocol() == Protocol::Resp2 {
        reply.array(2);
    }
    reply.bulk(key);
}

/// The entries behind an id.
fn reply_new(reply: &mut Reply<'_>, log: &EntryLog, after: Id, count: usize) {
    let first = after.next().unwrap_or(Id::MAX);
    reply_entries(reply, log.range(first, Id::MAX).take(count), |_| {});
}

/// Writes how many streams there are in front of them.
pub fn put_streams(reply: &mut Reply<'_>, place: resp::writer::Place, count: usize) {
    match reply.protocol() {
        Protocol::Resp2 => reply.put_array(place, count),
        Protocol::Resp3 => reply.put_map(place, count),
    }
}

#[cfg(test)]
#[path = "stream_reads_tests.rs"]
mod tests;
