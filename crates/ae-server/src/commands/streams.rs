//! Streams: adding and removing entries.

use super::stream_entries::reply_id;
use super::stream_options::{id, ids, options};
use crate::command::context::Context;
use crate::command::error::{Outcome, SYNTAX_ERROR};
use crate::db::edit::Audience;
use crate::db::event::Event;
use store::types::stream::{AddError, Id, NewId, SetIdError, Stream};

const ADDED: Event = Event::stream("xadd");
const TRIMMED: Event = Event::stream("xtrim");
const BELOW_DELETED: &str = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id";

pub fn xadd(ctx: &mut Context<'_>) -> Outcome {
    let options = options(ctx, true)?;
    let fields: Vec<&[u8]> = ctx.args.from(options.fields).collect();
    if fields.is_empty() || !fields.len().is_multiple_of(2) {
        return Err("ERR wrong number of arguments for 'xadd' command".into());
    }
    if options.id == NewId::Given(Id::MIN) {
        return Err("ERR The ID specified in XADD must be greater than 0-0".into());
    }
    let (key, now, limits) = (ctx.arg(1), ctx.server.now, ctx.limits().stream);
    let (db, mut reply) = ctx.split();
    let stream = if options.makes_stream {
        Some(db.edit_or_create::<Stream>(key, ADDED)?)
    } else {
        db.edit::<Stream>(key, ADDED)?
    };
    let Some(mut stream) = stream else {
        reply.null();
        return Ok(());
    };
    let added = match stream.log_mut().add(options.id, now, &fields, &limits) {
        Ok(id) => id,
        Err(error) => {
            stream.changes(0);
            return Err(match error {
                AddError::Exhausted => "ERR The stream has exhausted the last possible ID, unable to add more items",
                AddError::NotLarger => {
                    "ERR The ID specified in XADD is equal or smaller than the target stream top item"
                }
                AddError::TooLarge => "ERR Elements are too large to be stored",
            }
            .into());
        }
    };
    if let Some(trim) = options.trim
        && stream.log_mut().trim(&trim) > 0
    {
        stream.also(ADDED);
        stream.set_event(TRIMMED);
    }
    reply_id(&mut reply, added);
    Ok(())
}

pub fn xtrim(ctx: &mut Context<'_>) -> Outcome {
    let options = options(ctx, false)?;
    let key = ctx.arg(1);
    let Some(mut stream) = ctx.db().edit::<Stream>(key, TRIMMED)? else { return ctx.reply_integer(0) };
    let trimmed = options.trim.map_or(0, |trim| stream.log_mut().trim(&trim)) as usize;
    stream.changes(trimmed);
    stream.set_audience(Audience::Watching);
    drop(stream);
    ctx.reply_count(trimmed)
}

pub fn xdel(ctx: &mut Context<'_>) -> Outcome {
    let (key, ids) = (ctx.arg(1), ids(ctx, 2));
    let Some(mut stream) = ctx.db().edit::<Stream>(key, Event::stream("xdel"))? else { return ctx.reply_integer(0) };
    let deleted = ids?.into_iter().filter(|id| stream.log_mut().delete(*id)).count();
    stream.changes(deleted);
    stream.set_audience(Audience::Watching);
    drop(stream);
    ctx.reply_count(deleted)
}

pub fn xlen(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let len = ctx.db().read::<Stream>(key)?.map_or(0, |stream| stream.log().len());
    ctx.reply_count(len as usize)
}

pub fn xsetid(ctx: &mut Context<'_>) -> Outcome {
    let last = id(ctx, 2)?;
    let (mut added, mut max_deleted) = (None, Id::MIN);
    for at in (3..ctx.args.len()).step_by(2) {
        let has_more = at + 1 < ctx.args.len();
        if has_more && ctx.is_word(at, "entriesadded") {
            let value = u64::try_from(ctx.integer(at + 1)?).map_err(|_| "ERR entries_added must be positive")?;
            added = Some(value);
        } else if has_more && ctx.is_word(at, "maxdeletedid") {
            max_deleted = id(ctx, at + 1)?;
            if last < max_deleted {
                return Err(BELOW_DELETED.into());
            }
        } else {
            return Err(SYNTAX_ERROR.into());
        }
    }
    let key = ctx.arg(1);
    let stream = ctx.db().edit::<Stream>(key, Event::stream("xsetid"))?;
    let mut stream = stream.ok_or("ERR no such key")?;
    if let Err(error) = stream.log_mut().set_id(last, added, max_deleted) {
        stream.changes(0);
        return Err(match error {
            SetIdError::BelowDeleted => BELOW_DELETED,
            SetIdError::BelowLastEntry => "ERR The ID specified in XSETID is smaller than the target stream top item",
            SetIdError::AddedBelowLength => {
                "ERR The entries_added specified in XSETID is smaller than the target stream length"
            }
        }
        .into());
    }
    stream.set_audience(Audience::Nobody);
    drop(stream);
    ctx.reply_ok()
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
