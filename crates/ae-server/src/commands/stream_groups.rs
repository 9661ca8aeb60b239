//! XGROUP: making and removing groups and their consumers.

use super::stream_group_reads::CONSUMER_CREATED;
use super::stream_options::{id, no_group};
use crate::command::context::Context;
use crate::command::error::{Error, Outcome};
use crate::db::edit::{Audience, Edit};
use crate::db::event::Event;
use store::types::stream::{Id, Stream};

const NO_KEY: &str = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the \
                      MKSTREAM option to create an empty stream automatically.";

pub fn create(ctx: &mut Context<'_>) -> Outcome {
    let (makes_stream, entries_read) = options(ctx, true)?;
    let (key, name) = (ctx.arg(2), ctx.arg(3));
    let last = match ctx.db().peek::<Stream>(key)? {
        Some(stream) => stream.log().last_id(),
        None if makes_stream => Id::MIN,
        None => return Err(NO_KEY.into()),
    };
    if ctx.args.len() > 8 {
        return Err(ctx.wrong_subcommand());
    }
    let from = start(ctx, last)?;
    let mut stream = ctx.db().edit_or_create::<Stream>(key, Event::stream("xgroup-create"))?;
    stream.set_audience(Audience::Nobody);
    if !stream.create_group(name, from, entries_read) {
        stream.changes(0);
        return Err("BUSYGROUP Consumer Group name already exists".into());
    }
    drop(stream);
    ctx.reply_ok()
}

pub fn setid(ctx: &mut Context<'_>) -> Outcome {
    let (_, entries_read) = options(ctx, false)?;
    let (key, name) = (ctx.arg(2), ctx.arg(3));
    let stream = ctx.db().peek::<Stream>(key)?.ok_or(NO_KEY)?;
    let last = stream.log().last_id();
    stream.group(name).ok_or_else(|| no_group(key, name))?;
    if !matches!(ctx.args.len(), 5 | 7) {
        return Err(ctx.wrong_subcommand());
    }
    // Unlike CREATE, SETID takes the ends of a range.
    let from = match ctx.arg(4) {
        b"-" => Id::MIN,
        b"+" => Id::MAX,
        _ => start(ctx, last)?,
    };
    let mut stream = edit(ctx, Event::stream("xgroup-setid"))?;
    if let Some((group, _)) = stream.group_mut(name) {
        group.set_id(from, entries_read);
    }
    drop(stream);
    ctx.reply_ok()
}

pub fn destroy(ctx: &mut Context<'_>) -> Outcome {
    let name = ctx.arg(3);
    let mut stream = edit(ctx, Event::stream("xgroup-destroy"))?;
    let is_deleted = stream.delete_group(name);
    stream.changes(is_deleted.into());
    // Those who read as consumers of the group are told that it has gone.
    stream.set_audience(Audience::Waiting);
    drop(stream);
    ctx.reply_integer(is_deleted.into())
}

pub fn createconsumer(ctx: &mut Context<'_>) -> Outcome {
    let (key, name, consumer, now) = (ctx.arg(2), ctx.arg(3), ctx.arg(4), ctx.server.now);
    let mut stream = edit(ctx, CONSUMER_CREATED)?;
    stream.changes(0);
    let (group, _) = stream.group_mut(name).ok_or_else(|| no_group(key, name))?;
    let (_, is_new) = group.create_consumer(consumer, now);
    stream.changes(is_new.into());
    drop(stream);
    ctx.reply_integer(is_new.into())
}

pub fn delconsumer(ctx: &mut Context<'_>) -> Outcome {
    let (key, name, consumer) = (ctx.arg(2), ctx.arg(3), ctx.arg(4));
    let mut stream = edit(ctx, Event::stream("xgroup-delconsumer"))?;
    stream.changes(0);
    let (group, _) = stream.group_mut(name).ok_or_else(|| no_group(key, name))?;
    let pending = group.delete_consumer(consumer);
    stream.changes(pending.is_some().into());
    drop(stream);
    ctx.reply_count(pending.unwrap_or(0))
}

/// The stream, which must be there, for a change of one of its groups.
fn edit<'c>(ctx: &'c mut Context<'_>, event: Event) -> Result<Edit<'c, Stream>, Error> {
    let key = ctx.arg(2);
    let mut stream = ctx.db().edit::<Stream>(key, event)?.ok_or(NO_KEY)?;
    stream.set_audience(Audience::Nobody);
    Ok(stream)
}

/// What follows the id: whether a missing stream is made, and how many entries the group has read.
fn options(ctx: &Context<'_>, creates: bool) -> Result<(bool, Option<i64>), Error> {
    let (mut makes_stream, mut entries_read) = (false, None);
    let mut at = 5;
    while at < ctx.args.len() {
        if creates && ctx.is_word(at, "mkstream") {
            makes_stream = true;
            at += 1;
        } else if ctx.is_word(at, "entriesread") && at + 1 < ctx.args.len() {
            entries_read = match ctx.integer(at + 1)? {
                -1 => None,
                ..0 => return Err("ERR value for ENTRIESREAD must be positive or -1".into()),
                count => Some(count),
            };
            at += 2;
        } else {
            return Err(ctx.wrong_subcommand());
        }
    }
    Ok((makes_stream, entries_read))
}

/// Up to which id the group has read; `$` is the last one.
fn start(ctx: &Context<'_>, last: Id) -> Result<Id, Error> {
    if ctx.arg(4) == b"$" { Ok(last) } else { id(ctx, 4) }
}

#[cfg(test)]
#[path = "stream_groups_tests.rs"]
mod tests;
