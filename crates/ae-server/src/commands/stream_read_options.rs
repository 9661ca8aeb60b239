//! What XREAD and XREADGROUP are told.

use super::stream_options::integer_or;
use crate::command::context::Context;
use crate::command::error::{Error, SYNTAX_ERROR};

/// How many entries a request without COUNT gets that had to wait for them.
pub const BLOCKED_COUNT: usize = 1000;

/// The same for both commands, as in Redis.
const UNBALANCED: &str = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";

pub struct ReadOptions {
    /// 0 or less in the request: no limit.
    pub count: Option<usize>,
    /// How many milliseconds to wait; 0 for forever.
    pub block: Option<i64>,
    /// Where the names of the group and the consumer are.
    pub group_at: Option<usize>,
    pub no_ack: bool,
    keys_at: usize,
    len: usize,
}

impl ReadOptions {
    /// Of a request for one or the other.
    pub fn parse(ctx: &Context<'_>) -> Result<ReadOptions, Error> {
        let of_group = ctx.spec.full_name == "xreadgroup";
        let only_of_groups = |option: &str| -> Error {
            format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.").into()
        };
        let mut options = ReadOptions { count: None, block: None, group_at: None, no_ack: false, keys_at: 0, len: 0 };
        let mut at = 1;
        while at < ctx.args.len() {
            let more = ctx.args.len() - at - 1;
            if more > 0 && ctx.is_word(at, "block") {
                if ctx.server.scripting.calls() {
                    let name = ctx.spec.full_name;
                    return Err(format!("ERR {name} command is not allowed with BLOCK option from scripts").into());
                }
                options.block = Some(milliseconds(ctx, at + 1)?);
                at += 2;
            } else if more > 0 && ctx.is_word(at, "count") {
                options.count = usize::try_from(ctx.integer(at + 1)?).ok().filter(|count| *count > 0);
                at += 2;
            } else if more > 0 && ctx.is_word(at, "streams") {
                (options.keys_at, options.len) = (at + 1, more / 2);
                if !more.is_multiple_of(2) {
                    return Err(UNBALANCED.into());
                }
                break;
            } else if more > 1 && ctx.is_word(at, "group") {
                if !of_group {
                    return Err(only_of_groups("GROUP"));
                }
                options.group_at = Some(at + 1);
                at += 3;
            } else if ctx.is_word(at, "noack") {
                if !of_group {
                    return Err(only_of_groups("NOACK"));
                }
                options.no_ack = true;
                at += 1;
            } else {
                return Err(SYNTAX_ERROR.into());
            }
        }
        if options.keys_at == 0 {
            return Err(SYNTAX_ERROR.into());
        }
        if of_group && options.group_at.is_none() {
            return Err("ERR Missing GROUP option for XREADGROUP".into());
        }
        Ok(options)
    }

    /// Of which streams.
    pub fn keys<'a>(&self, ctx: &Context<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        ctx.args.from(self.keys_at).take(self.len)
    }

    /// Where the first stream's id is; the others follow.
    pub fn ids_at(&self) -> usize {
        self.keys_at + self.len
    }
}

/// An argument as how many milliseconds to wait.
fn milliseconds(ctx: &Context<'_>, index: usize) -> Result<i64, Error> {
    match integer_or(ctx, index, "ERR timeout is not an integer or out of range")? {
        ..0 => Err("ERR timeout is negative".into()),
        value => Ok(value),
    }
}
