//! APPEND, GETRANGE, SETRANGE: parts of strings.

use crate::command::context::{Command, Context};
use crate::command::declare::command;
use crate::command::error::{Error, Outcome, WRONG_TYPE};
use crate::command::flag::{DENYOOM, FAST, READONLY, WRITE};
use crate::command::spec::ONE_KEY;
use resp::writer;
use store::{Digits, Value};

pub const COMMANDS: &[Command] = &[
    command("append", 3, WRITE | DENYOOM | FAST, ONE_KEY, "2.0.0", "Appends to a string.", append),
    command("strlen", 2, READONLY | FAST, ONE_KEY, "2.2.0", "Returns the length of a string.", strlen),
    command("getrange", 4, READONLY, ONE_KEY, "2.4.0", "Returns a part of a string.", getrange),
    command("substr", 4, READONLY, ONE_KEY, "1.0.0", "Returns a part of a string; GETRANGE's old name.", getrange),
    command("setrange", 4, WRITE | DENYOOM, ONE_KEY, "2.2.0", "Overwrites a part of a string.", setrange),
];

fn append(ctx: &mut Context<'_>) -> Outcome {
    let (key, tail) = (ctx.arg(1), ctx.arg(2));
    let Some(id) = ctx.lookup(key) else {
        let content = ctx.content(2);
        ctx.db().set_string(key, content, false);
        return ctx.reply_integer(tail.len() as i64);
    };
    let max = ctx.server.config.max_bulk;
    let value = ctx.db().value_mut(id).and_then(Value::as_string_mut).ok_or(WRONG_TYPE)?;
    check_length(value.len() as u64 + tail.len() as u64, max)?;
    let content = value.make_growing();
    content.extend_from_slice(tail);
    let len = content.len();
    ctx.reply_integer(len as i64)
}

fn strlen(ctx: &mut Context<'_>) -> Outcome {
    let Some(id) = ctx.lookup_read(ctx.arg(1)) else {
        return ctx.reply_integer(0);
    };
    let len = ctx.db().value(id).and_then(Value::as_string).ok_or(WRONG_TYPE)?.len();
    ctx.reply_integer(len as i64)
}

fn getrange(ctx: &mut Context<'_>) -> Outcome {
    let (start, end) = (ctx.integer(2)?, ctx.integer(3)?);
    let Some(id) = ctx.lookup_read(ctx.arg(1)) else {
        return ctx.reply_bulk(b"");
    };
    let Context { server, client, .. } = ctx;
    let value = server.databases[client.db as usize].value(id).and_then(Value::as_string).ok_or(WRONG_TYPE)?;
    let mut digits = Digits::new();
    let content = value.as_slice(&mut digits);
    writer::bulk(&mut client.output.bytes, slice(content, start, end));
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

fn setrange(ctx: &mut Context<'_>) -> Outcome {
    let (key, offset, part) = (ctx.arg(1), ctx.integer(2)?, ctx.arg(3));
    let Ok(offset) = u64::try_from(offset) else {
        return Err("ERR offset is out of range".into());
    };
    let end = offset + part.len() as u64;
    let max = ctx.server.config.max_bulk;
    let id = match ctx.lookup(key) {
        Some(id) => id,
        None if part.is_empty() => return ctx.reply_integer(0),
        None => {
            check_length(end, max)?;
            ctx.db().set_string(key, b"", false)
        }
    };
    let value = ctx.db().value_mut(id).and_then(Value::as_string_mut).ok_or(WRONG_TYPE)?;
    let mut len = value.len();
    if !part.is_empty() {
        check_length(end, max)?;
        let content = value.make_growing();
        // Within the limit just checked, so it fits an usize.
        let (offset, end) = (offset as usize, end as usize);
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset..end].copy_from_slice(part);
        len = content.len();
    }
    ctx.reply_integer(len as i64)
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
        ]);
    }
}
