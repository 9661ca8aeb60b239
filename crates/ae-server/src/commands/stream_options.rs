//! Ids and options that several commands of streams have in common.

use crate::command::context::Context;
use crate::command::error::{Error, NOT_AN_INTEGER, SYNTAX_ERROR, c_text};
use store::types::stream::{Bound, Id, NewId, Threshold, Trim};

const INVALID_ID: &str = "ERR Invalid stream ID specified as stream command argument";

/// An argument as an id, whose sequence number is 0 if it is missing.
pub fn id(ctx: &Context<'_>, index: usize) -> Result<Id, Error> {
    Id::parse(ctx.arg(index), 0).ok_or(INVALID_ID.into())
}

/// The arguments from an index on as ids.
pub fn ids(ctx: &Context<'_>, from: usize) -> Result<Vec<Id>, Error> {
    (from..ctx.args.len()).map(|index| id(ctx, index)).collect()
}

/// An argument as the first id of a range.
pub fn first_id(ctx: &Context<'_>, index: usize) -> Result<Id, Error> {
    let bound = Bound::parse(ctx.arg(index), 0).ok_or(INVALID_ID)?;
    bound.start().ok_or("ERR invalid start ID for the interval".into())
}

/// An argument as the last id of a range.
pub fn last_id(ctx: &Context<'_>, index: usize) -> Result<Id, Error> {
    let bound = Bound::parse(ctx.arg(index), u64::MAX).ok_or(INVALID_ID)?;
    bound.end().ok_or("ERR invalid end ID for the interval".into())
}

/// An argument as an integer, with an error of its own.
pub fn integer_or(ctx: &Context<'_>, index: usize, otherwise: &'static str) -> Result<i64, Error> {
    ctx.integer(index).map_err(|_| otherwise.into())
}

/// The error for a key or a group that there is not.
pub fn no_key_or_group(key: &[u8], group: &[u8], after: &str) -> Error {
    let (key, group) = (c_text(key, usize::MAX), c_text(group, usize::MAX));
    [b"NOGROUP No such key '", key, b"' or consumer group '", group, b"'", after.as_bytes()].concat().into()
}

/// The error for a group that the stream does not have.
pub fn no_group(key: &[u8], group: &[u8]) -> Error {
    let (key, group) = (c_text(key, usize::MAX), c_text(group, usize::MAX));
    [b"NOGROUP No such consumer group '", group, b"' for key name '", key, b"'"].concat().into()
}

/// What XADD and XTRIM are told before the entry.
pub struct Options {
    pub trim: Option<Trim>,
    /// Where the `~` is.
    pub approximate_at: Option<usize>,
    /// A key without a stream gets one.
    pub makes_stream: bool,
    /// There if the client asks for a certain id.
    pub id: NewId,
    /// Where the fields begin.
    pub fields: usize,
}

/// The options of XADD (`is_add`) or XTRIM.
pub fn options(ctx: &Context<'_>, is_add: bool) -> Result<Options, Error> {
    let mut options =
        Options { trim: None, approximate_at: None, makes_stream: true, id: NewId::Auto, fields: ctx.args.len() + 1 };
    let mut limit = None;
    let mut at = 2;
    while at < ctx.args.len() {
        let has_more = at + 1 < ctx.args.len();
        if is_add && ctx.arg(at) == b"*" {
            options.fields = at + 1;
            break;
        } else if has_more && (ctx.is_word(at, "maxlen") || ctx.is_word(at, "minid")) {
            if options.trim.is_some() {
                return Err("ERR syntax error, MAXLEN and MINID options at the same time are not compatible".into());
            }
            let is_qualified = matches!(ctx.arg(at + 1), b"~" | b"=");
            let threshold_at = if is_qualified { at + 2 } else { at + 1 };
            let is_approximate = is_qualified && ctx.arg(at + 1) == b"~";
            let threshold = threshold(ctx, ctx.is_word(at, "maxlen"), threshold_at)?;
            options.trim = Some(Trim { threshold, is_approximate, limit: 0 });
            options.approximate_at = is_approximate.then_some(at + 1);
            at = threshold_at + 1;
        } else if has_more && ctx.is_word(at, "limit") {
            let value = ctx.integer(at + 1)?;
            limit = Some(u64::try_from(value).map_err(|_| "ERR The LIMIT argument must be >= 0.")?);
            at += 2;
        } else if is_add && ctx.is_word(at, "nomkstream") {
            options.makes_stream = false;
            at += 1;
        } else if is_add {
            options.id = NewId::parse(ctx.arg(at)).ok_or(INVALID_ID)?;
            options.fields = at + 1;
            break;
        } else {
            return Err(SYNTAX_ERROR.into());
        }
    }
    let default_limit = ctx.limits().stream.default_trim_limit();
    match (&mut options.trim, limit) {
        (None, Some(1..)) => {
            return Err("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy".into());
        }
        (None, _) if !is_add => {
            return Err("ERR syntax error, XTRIM must be called with a trimming strategy".into());
        }
        (Some(trim), limit) if trim.is_approximate => trim.limit = limit.unwrap_or(default_limit),
        // How much an approximate trimming removed is told as an exact one with its limit.
        (_, Some(_)) if ctx.client.is_primary || ctx.client.is_log => {}
        (_, Some(_)) => return Err("ERR syntax error, LIMIT cannot be used without the special ~ option".into()),
        (_, None) => {}
    }
    Ok(options)
}

fn threshold(ctx: &Context<'_>, is_max_len: bool, index: usize) -> Result<Threshold, Error> {
    if !is_max_len {
        return id(ctx, index).map(Threshold::MinId);
    }
    let len = resp::number::parse(ctx.arg(index)).ok_or(NOT_AN_INTEGER)?;
    let len = u64::try_from(len).map_err(|_| "ERR The MAXLEN argument must be >= 0.")?;
    Ok(Threshold::MaxLen(len))
}
