//! XINFO: what streams, groups and consumers are like.

use super::stream_entries::{reply_entries, reply_entry, reply_id};
use super::stream_options::no_group;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome};
use store::types::stream::{Consumer, ConsumerId, Entry, EntryLog, Group, Id, Stream};

const NO_KEY: &str = "ERR no such key";
/// How many entries, pending ones among them, XINFO STREAM FULL shows of each kind unless it is told.
const FULL_COUNT: i64 = 10;

pub fn stream(ctx: &mut Context<'_>) -> Outcome {
    let (key, full) = (ctx.arg(2), full(ctx));
    let (db, mut reply) = ctx.split();
    let stream = db.read::<Stream>(key)?.ok_or(NO_KEY)?;
    let full = full?;
    reply.map(if full.is_some() { 9 } else { 10 });
    let log = stream.log();
    let mut number = |name: &str, value: usize| {
        reply.bulk(name);
        reply.count(value);
    };
    number("length", log.len() as usize);
    number("radix-tree-keys", log.node_count());
    number("radix-tree-nodes", log.radix_node_count());
    id(&mut reply, "last-generated-id", log.last_id());
    id(&mut reply, "max-deleted-entry-id", log.max_deleted_id());
    reply.bulk("entries-added");
    reply.count(log.entries_added() as usize);
    id(&mut reply, "recorded-first-entry-id", log.first_id());
    if let Some(count) = full {
        reply.bulk("entries");
        reply_entries(&mut reply, log.range(Id::MIN, Id::MAX).take(count), |_| {});
        reply.bulk("groups");
        reply.array(stream.groups().len());
        stream.groups().for_each(|(name, group)| reply_full_group(&mut reply, name, group, log, count));
    } else {
        reply.bulk("groups");
        reply.count(stream.groups().len());
        entry_or_null(&mut reply, "first-entry", log.range(Id::MIN, Id::MAX).next());
        entry_or_null(&mut reply, "last-entry", log.last_entry());
    }
    Ok(())
}

/// How many entries are shown with FULL; none without.
fn full(ctx: &Context<'_>) -> Result<Option<usize>, Error> {
    let count = match ctx.args.len() {
        3 => return Ok(None),
        4 if ctx.is_word(3, "full") => FULL_COUNT,
        6 if ctx.is_word(3, "full") && ctx.is_word(4, "count") => ctx.integer(5)?,
        _ => return Err(ctx.wrong_subcommand()),
    };
    Ok(Some(match count {
        ..0 => FULL_COUNT as usize,
        0 => usize::MAX,
        count => count as usize,
    }))
}

fn id(reply: &mut Reply<'_>, name: &str, id: Id) {
    reply.bulk(name);
    reply_id(reply, id);
}

fn entry_or_null(reply: &mut Reply<'_>, name: &str, entry: Option<Entry<'_>>) {
    reply.bulk(name);
    match entry {
        Some(entry) => reply_entry(reply, &entry),
        None => reply.null(),
    }
}

/// How far a group has come.
fn reply_progress(reply: &mut Reply<'_>, group: &Group, log: &EntryLog) {
    id(reply, "last-delivered-id", group.last_id());
    for (name, value) in [("entries-read", group.entries_read()), ("lag", group.lag(log))] {
        reply.bulk(name);
        match value {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
    }
}

fn reply_full_group(reply: &mut Reply<'_>, name: &[u8], group: &Group, log: &EntryLog, count: usize) {
    reply.map(7);
    reply.bulk("name");
    reply.bulk(name);
    reply_progress(reply, group, log);
    reply.bulk("pel-count");
    reply.count(group.pending_len());
    reply.bulk("pending");
    reply.array(group.pending_len().min(count));
    for (id, pending) in group.pending_range(Id::MIN, Id::MAX).take(count) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).map_or(&b""[..], Consumer::name));
        reply.integer(pending.delivered);
        reply.integer(pending.deliveries as i64);
    }
    reply.bulk("consumers");
    reply.array(group.consumers().len());
    group.consumers().for_each(|(id, consumer)| reply_full_consumer(reply, group, id, consumer, count));
}

fn reply_full_consumer(reply: &mut Reply<'_>, group: &Group, id: ConsumerId, consumer: &Consumer, count: usize) {
    reply.map(4);
    reply.bulk("name");
    reply.bulk(consumer.name());
    reply.bulk("seen-time");
    reply.integer(consumer.seen());
    reply.bulk("pel-count");
    reply.count(consumer.pending_len());
    reply.bulk("pending");
    reply.array(consumer.pending_len().min(count));
    for (id, pending) in group.pending_range_of(id, Id::MIN, Id::MAX).take(count) {
        reply.array(3);
        reply_id(reply, id);
        reply.integer(pending.delivered);
        reply.integer(pending.deliveries as i64);
    }
}

pub fn groups(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(2);
    let (db, mut reply) = ctx.split();
    let stream = db.read::<Stream>(key)?.ok_or(NO_KEY)?;
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk("name");
        reply.bulk(name);
        reply.bulk("consumers");
        reply.count(group.consumers().len());
        reply.bulk("pending");
        reply.count(group.pending_len());
        reply_progress(&mut reply, group, stream.log());
    }
    Ok(())
}

pub fn consumers(ctx: &mut Context<'_>) -> Outcome {
    let (key, name, now) = (ctx.arg(2), ctx.arg(3), ctx.server.now);
    let (db, mut reply) = ctx.split();
    let stream = db.read::<Stream>(key)?.ok_or(NO_KEY)?;
    let group = stream.group(name).ok_or_else(|| no_group(key, name))?;
    reply.array(group.consumers().len());
    for (_, consumer) in group.consumers() {
        reply.map(3);
        reply.bulk("name");
        reply.bulk(consumer.name());
        reply.bulk("pending");
        reply.count(consumer.pending_len());
        reply.bulk("idle");
        reply.integer(now.saturating_sub(consumer.seen()).max(0));
    }
    Ok(())
}

#[cfg(test)]
#[path = "stream_info_tests.rs"]
mod tests;
