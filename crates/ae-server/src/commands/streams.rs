//! Streams: adding and removing entries.

use super::stream_entries::reply_id;
use super::stream_options::{Options, id, ids, options};
use crate::command::context::Context;
use crate::command::error::{Outcome, SYNTAX_ERROR};
use crate::db::door::{Db, WrongType};
use crate::db::edit::{Audience, Edit};
use crate::db::event::Event;
use store::types::stream::{AddError, EntryLog, Id, NewId, SetIdError, Stream, Threshold, Trim};

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
    let Some(mut stream) = open(db, key, options.makes_stream)? else {
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
    let left = options.trim.map(|trim| what_is_left(stream.log(), &trim));
    drop(stream);
    reply_id(&mut reply, added);
    tell(ctx, &options, Some(added), left);
    Ok(())
}

/// The stream that an entry is added to.
fn open<'a>(db: Db<'a>, key: &'a [u8], makes_stream: bool) -> Result<Option<Edit<'a, Stream>>, WrongType> {
    if makes_stream { db.edit_or_create(key, ADDED).map(Some) } else { db.edit(key, ADDED) }
}

/// The threshold that leaves what an approximate one has left.
fn what_is_left(log: &EntryLog, trim: &Trim) -> Threshold {
    match trim.threshold {
        Threshold::MaxLen(_) => Threshold::MaxLen(log.len()),
        // An entry that was deleted counts, as in Redis.
        Threshold::MinId(_) => Threshold::MinId(log.nodes().next().map_or(Id::MAX, |(first, _)| first)),
    }
}

/// Says what XADD or XTRIM did: the request with the id that the entry has got, and with exact trimming.
fn tell(ctx: &mut Context<'_>, options: &Options, added: Option<Id>, left: Option<Threshold>) {
    let args = ctx.args;
    let given = matches!(options.id, NewId::Given(_));
    let id = added.filter(|_| !given).map(|id| (options.fields - 1, id.to_string()));
    let left = options.approximate_at.zip(left).map(|(at, left)| {
        let text = match left {
            Threshold::MaxLen(len) => len.to_string(),
            Threshold::MinId(id) => id.to_string(),
        };
        (at, text)
    });
    ctx.effect(|request| {
        for (at, arg) in args.iter().enumerate() {
            match (&id, &left) {
                (Some((id_at, id)), _) if at == *id_at => request.arg(id),
                (_, Some((mark, _))) if at == *mark => request.arg("="),
                (_, Some((mark, threshold))) if at == *mark + 1 => request.arg(threshold),
                _ => request.arg(arg),
            };
        }
    });
}

pub fn xtrim(ctx: &mut Context<'_>) -> Outcome {
    let options = options(ctx, false)?;
    let key = ctx.arg(1);
    let Some(mut stream) = ctx.db().edit::<Stream>(key, TRIMMED)? else { return ctx.reply_integer(0) };
    let trimmed = options.trim.map_or(0, |trim| stream.log_mut().trim(&trim)) as usize;
    stream.changes(trimmed);
    stream.set_audience(Audience::Watching);
    let left = options.trim.map(|trim| what_is_left(stream.log(), &trim));
    drop(stream);
    if trimmed > 0 {
        tell(ctx, &options, None, left);
    }
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
