//! Streams: reading entries as a consumer of a group.

use super::stream_effects::GroupEffects;
use super::stream_entries::{reply_entries, reply_entry, reply_id};
use super::stream_options::{id, no_key_or_group};
use super::stream_read_options::{BLOCKED_COUNT, ReadOptions};
use super::stream_reads::{put_streams, reply_key};
use crate::clients::blocked::OnTimeout;
use crate::clients::reply::Reply;
use crate::command::context::Context;
use crate::command::error::{Error, Outcome};
use crate::db::edit::Audience;
use crate::db::event::Event;
use store::types::stream::{ConsumerId, EntryLog, Group, Id, Stream};

pub const CONSUMER_CREATED: Event = Event::stream("xgroup-createconsumer");

/// What a consumer reads of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// Entries that no consumer of the group has got.
    New,
    /// Entries behind an id that this consumer has got and not acknowledged.
    History(Id),
}

/// Who reads.
#[derive(Clone, Copy)]
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    no_ack: bool,
    count: usize,
}

pub fn xreadgroup(ctx: &mut Context<'_>) -> Outcome {
    let options = ReadOptions::parse(ctx)?;
    let at = options.group_at.unwrap_or_default();
    let count = options.count.unwrap_or(usize::MAX);
    let reader = Reader { group: ctx.arg(at), consumer: ctx.arg(at + 1), no_ack: options.no_ack, count };
    if let Some(key) = ctx.changed {
        return read_after_waiting(ctx, key, Reader { count: options.count.unwrap_or(BLOCKED_COUNT), ..reader });
    }
    let whats = whats(ctx, &options, reader.group)?;
    let place = ctx.reply().place();
    let mut served = 0;
    for (key, what) in options.keys(ctx).zip(whats) {
        // What is there is a hit, as it was when the group was looked for.
        if has_new(ctx, key, reader.group) || what != What::New {
            read(ctx, key, what, reader)?;
            served += 1;
        }
    }
    match options.block {
        _ if served > 0 => put_streams(&mut ctx.reply(), place, served),
        Some(timeout) => return ctx.wait_for(options.keys(ctx), timeout, OnTimeout::NullArray),
        None => ctx.reply().null_array(),
    }
    Ok(())
}

fn whats(ctx: &mut Context<'_>, options: &ReadOptions, group: &[u8]) -> Result<Vec<What>, Error> {
    let mut whats = Vec::new();
    for (index, key) in options.keys(ctx).enumerate() {
        let at = options.ids_at() + index;
        if ctx.db().read::<Stream>(key)?.is_none_or(|stream| stream.group(group).is_none()) {
            return Err(no_key_or_group(key, group, " in XREADGROUP with GROUP option"));
        }
        whats.push(match ctx.arg(at) {
            b"$" => {
                return Err("ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
                            this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
                            just return an empty result set."
                    .into());
            }
            b">" => What::New,
            _ => match id(ctx, at)? {
                // As in Redis, where this id stands for `>`.
                Id::MAX => What::New,
                after => What::History(after),
            },
        });
    }
    Ok(whats)
}

/// Whether there are entries that no consumer of the group has got.
fn has_new(ctx: &mut Context<'_>, key: &[u8], group: &[u8]) -> bool {
    let Ok(Some(stream)) = ctx.db().read::<Stream>(key) else { return false };
    let last = stream.log().last_entry().map(|last| last.id());
    stream.group(group).zip(last).is_some_and(|(group, last)| last > group.last_id())
}

/// The stream has got entries, or the stream or its group has gone.
fn read_after_waiting(ctx: &mut Context<'_>, key: &[u8], reader: Reader<'_>) -> Outcome {
    let Ok(Some(stream)) = ctx.db().peek::<Stream>(key) else {
        return Err("UNBLOCKED the stream key no longer exists".into());
    };
    let Some(group) = stream.group(reader.group) else {
        return Err("NOGROUP the consumer group this client was blocked on no longer exists".into());
    };
    // The entry may have gone again: then the consumer gets no entries.
    if stream.log().last_id() <= group.last_id() {
        return ctx.wait_on();
    }
    let place = ctx.reply().place();
    read(ctx, key, What::New, reader)?;
    put_streams(&mut ctx.reply(), place, 1);
    Ok(())
}

/// Reads from a stream that has the group.
fn read(ctx: &mut Context<'_>, key: &[u8], what: What, reader: Reader<'_>) -> Outcome {
    let now = ctx.server.now;
    let mut effects = GroupEffects::new(ctx, key, reader.group);
    let (db, mut reply) = ctx.split();
    let Some(mut stream) = db.edit::<Stream>(key, Event::UNANNOUNCED)? else { return Ok(()) };
    stream.set_audience(Audience::Nobody);
    let Some((group, log)) = stream.group_mut(reader.group) else { return Ok(()) };
    let (consumer, is_new) = group.create_consumer(reader.consumer, now);
    group.see(consumer, now);
    if is_new && reader.no_ack {
        effects.consumer(reader.consumer);
    }
    reply_key(&mut reply, key);
    match what {
        What::New => {
            let first = group.last_id().next().unwrap_or(Id::MAX);
            let to = (!reader.no_ack).then_some(consumer);
            let mut is_further = false;
            reply_entries(&mut reply, log.range(first, Id::MAX).take(reader.count), |entry| {
                is_further |= group.deliver(log, entry.id(), to, now);
                if to.is_some() {
                    effects.pending(group, entry.id(), entry.id().to_string());
                }
            });
            if is_further && to.is_none() {
                effects.position(group);
            }
        }
        What::History(after) => reply_history(&mut reply, group, log, consumer, after, reader.count, now),
    }
    if is_new {
        stream.set_event(CONSUMER_CREATED);
        stream.changes(2);
    }
    drop(stream);
    effects.tell(ctx);
    Ok(())
}

/// Delivers what is pending for a consumer behind an id once more. Of entries that are no longer there only the id is
/// left.
fn reply_history(
    reply: &mut Reply<'_>,
    group: &mut Group,
    log: &EntryLog,
    consumer: ConsumerId,
    after: Id,
    count: usize,
    now: i64,
) {
    let first = after.next().unwrap_or(Id::MAX);
    let ids: Vec<Id> = group.pending_range_of(consumer, first, Id::MAX).take(count).map(|(id, _)| id).collect();
    reply.array(ids.len());
    for id in ids {
        if let Some(entry) = log.get(id) {
            reply_entry(reply, &entry);
            group.redeliver(id, now);
        } else {
            reply.array(2);
            reply_id(reply, id);
            reply.null_array();
        }
    }
}

#[cfg(test)]
#[path = "stream_group_reads_tests.rs"]
mod tests;
