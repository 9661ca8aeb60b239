//! APPEND, GETRANGE, SETRANGE: parts of strings.

use crate::command::context::Context;
use crate::command::error::{Error, Outcome};
use crate::db::event::Event;
use store::{Digits, StringRef, StringValue};

pub fn append(ctx: &mut Context<'_>) -> Outcome {
    let (key, tail) = (ctx.arg(1), ctx.arg(2));
    let max = ctx.server.config.max_bulk;
    let event = Event::string("append");
    let content = ctx.content(2);
    let mut value = ctx.db().edit_or_create::<StringValue>(key, event)?;
    if value.is_new() {
        *value = StringValue::new(content);
    } else {
        check_length(value.len() as u64 + tail.len() as u64, max)?;
        value.make_growing().extend_from_slice(tail);
    }
    let len = value.len();
    drop(value);
    ctx.reply_count(len)
}

pub fn strlen(ctx: &mut Context<'_>) -> Outcome {
    let key = ctx.arg(1);
    let len = ctx.db().read::<StringValue>(key)?.map_or(0, StringRef::len);
    ctx.reply_count(len)
}

pub fn getrange(ctx: &mut Context<'_>) -> Outcome {
    let (key, start, end) = (ctx.arg(1), ctx.integer(2)?, ctx.integer(3)?);
    let (db, mut reply) = ctx.split();
    let mut digits = Digits::new();
    let content = db.read::<StringValue>(key)?.map_or(&b""[..], |value| value.as_slice(&mut digits));
    reply.bulk(slice(content, start, end));
    Ok(())
}

/// `content[start..=end]`, where negative positions count from the end and those outside are moved to the border.
fn slice(content: &[u8], start: i64, end: i64) -> &[u8] {
    let len = content.len() as i64;
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let from_end = |position: i64| if position < 0 { (position + len).max(0) } else { position };
    let (start, end) = (from_end(start), from_end(end).min(len - 1));
    if start > end { b"" } else { &content[start as usize..=end as usize] }
}

pub fn setrange(ctx: &mut Context<'_>) -> Outcome {
    let (key, offset, part) = (ctx.arg(1), ctx.integer(2)?, ctx.arg(3));
    let Ok(offset) = u64::try_from(offset) else {
        return Err("ERR offset is out of range".into());
    };
    let end = offset + part.len() as u64;
    let max = ctx.server.config.max_bulk;
    if part.is_empty() {
        let len = ctx.db().peek::<StringValue>(key)?.map_or(0, StringRef::len);
        return ctx.reply_count(len);
    }
    let mut value = ctx.db().edit_or_create::<StringValue>(key, Event::string("setrange"))?;
    check_length(end, max)?;
    // Within the limit just checked, so it fits an usize.
    let (offset, end) = (offset as usize, end as usize);
    let content = value.make_growing_to(end);
    content[offset..end].copy_from_slice(part);
    let len = content.len();
    drop(value);
    ctx.reply_count(len)
}

fn check_length(len: u64, max: u64) -> Result<(), Error> {
    if len > max {
        return Err("ERR string exceeds maximum allowed size (proto-max-bulk-len)".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Session;

    #[test]
    fn append_and_strlen() {
        Session::new().expect(&[
            ("APPEND k abc", ":3"),
            ("APPEND k def", ":6"),
            ("GET k", "$6 abcdef"),
            ("STRLEN k", ":6"),
            ("STRLEN none", ":0"),
            ("APPEND i 12", ":2"),
            ("OBJECT ENCODING i", "$3 int"),
            ("INCR n", ":1"),
            ("APPEND n 0", ":2"),
            ("INCR n", ":11"),
            ("SET k v EX 10", "+OK"),
            ("APPEND k v", ":2"),
            ("TTL k", ":10"),
        ]);
    }

    #[test]
    fn ranges() {
        let mut session = Session::new();
        session.run("SET k \"This is a string\"");
        session.expect(&[
            ("GETRANGE k 0 3", "$4 This"),
            ("GETRANGE k -3 -1", "$3 ing"),
            ("GETRANGE k 0 -1", "$16 This is a string"),
            ("GETRANGE k 10 100", "$6 string"),
            ("GETRANGE k 100 200", "$0 "),
            ("GETRANGE k -1 -3", "$0 "),
            ("GETRANGE k -100 0", "$1 T"),
            ("GETRANGE k -100 -100", "$1 T"),
            ("GETRANGE k -9223372036854775808 9223372036854775807", "$16 This is a string"),
            ("GETRANGE k 0 x", "-ERR value is not an integer or out of range"),
            ("GETRANGE none 0 1", "$0 "),
            ("SET e \"\"", "+OK"),
            ("GETRANGE e 0 -1", "$0 "),
            ("SUBSTR k 0 0", "$1 T"),
        ]);
    }

    #[test]
    fn setrange() {
        Session::new().expect(&[
            ("SETRANGE k 0 \"\"", ":0"),
            ("EXISTS k", ":0"),
            ("SETRANGE k 3 abc", ":6"),
            ("GET k", "$6 \0\0\0abc"),
            ("SETRANGE k 1 x", ":6"),
            ("SETRANGE k 99 \"\"", ":6"),
            ("SETRANGE k -1 x", "-ERR offset is out of range"),
            ("SETRANGE k 536870911 x", ":536870912"),
            ("SETRANGE k 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
            ("SETRANGE k 9223372036854775807 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
            ("APPEND k x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
            ("SETRANGE new 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
            ("EXISTS new", ":0"),
            ("RPUSH l a", ":1"),
            ("SETRANGE l 536870912 x", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ]);
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_empty_also_in_front_of_the_string() {
        Session::new().expect(&[("SET k abc", "+OK"), ("GETRANGE k -5 -10", "$0 "), ("GETRANGE k -10 -5", "$1 a")]);
    }
}
