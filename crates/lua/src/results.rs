//! A script's values as replies.

use crate::arguments::number_text;
use crate::libraries::numbers::to_i64;
use mlua::{Table, Value};
use resp::Protocol;
use resp::writer;

/// Tables in tables are written so deep; deeper ones are an error in their place.
pub const DEPTH_MAX: usize = 256;

const TOO_DEEP: &str = "ERR reached lua stack limit";

/// Appends the reply that a script's value is, to a client that speaks `client` while the script has chosen `script`.
/// Calls `on_error` for each error that it writes, with whether the server has counted it already. If the reply is
/// longer than `max` bytes, it is an error.
pub fn write(
    value: &Value,
    out: &mut Vec<u8>,
    max: usize,
    (client, script): (Protocol, Protocol),
    on_error: &mut dyn FnMut(&[u8], bool),
) -> mlua::Result<()> {
    let max = out.len().saturating_add(max);
    Writer { out, max, client, script, on_error }.value(value, 0)
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    max: usize,
    client: Protocol,
    script: Protocol,
    on_error: &'a mut dyn FnMut(&[u8], bool),
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> mlua::Result<()> {
        if self.out.len() > self.max {
            return Err(mlua::Error::MemoryError("not enough memory".into()));
        }
        match value {
            Value::String(text) => writer::bulk(self.out, &text.as_bytes()),
            Value::Integer(number) => writer::integer(self.out, *number),
            Value::Number(number) => writer::integer(self.out, to_i64(*number)),
            Value::Boolean(value) if self.script == Protocol::Resp3 => {
                writer::boolean(self.out, self.client, *value);
            }
            Value::Boolean(true) => writer::integer(self.out, 1),
            Value::Table(_) if depth >= DEPTH_MAX => self.error(TOO_DEEP.as_bytes(), false),
            Value::Table(table) => return self.table(table, depth),
            _ => writer::null(self.out, self.client),
        }
        Ok(())
    }

    fn error(&mut self, text: &[u8], counted: bool) {
        (self.on_error)(text, counted);
        writer::error(self.out, text);
    }

    fn table(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        if let Value::String(text) = table.raw_get("err")? {
            let counted: Value = table.raw_get("ignore_error_stats_update")?;
            self.error(&text.as_bytes(), !matches!(counted, Value::Nil | Value::Boolean(false)));
            return Ok(());
        }
        if let Value::String(text) = table.raw_get("ok")? {
            self.out.push(b'+');
            self.out.extend(line(&text.as_bytes()));
            self.out.extend_from_slice(b"\r\n");
            return Ok(());
        }
        if let Some(number) = double(&table.raw_get("double")?) {
            writer::double(self.out, self.client, &number_text(number));
            return Ok(());
        }
        if let Value::Table(map) = table.raw_get("map")? {
            return self.entries(&map, depth, true);
        }
        if let Value::Table(set) = table.raw_get("set")? {
            return self.entries(&set, depth, false);
        }
        if let Value::String(number) = table.raw_get("big_number")? {
            writer::big_number(self.out, self.client, &line(&number.as_bytes()).collect::<Vec<_>>());
            return Ok(());
        }
        if let Value::Table(verbatim) = table.raw_get("verbatim_string")?
            && let (Value::String(format), Value::String(text)) =
                (verbatim.raw_get("format")?, verbatim.raw_get("string")?)
        {
            writer::verbatim(self.out, self.client, &three(&format.as_bytes()), &text.as_bytes());
            return Ok(());
        }
        self.elements(table, depth)
    }

    fn elements(&mut self, table: &Table, depth: usize) -> mlua::Result<()> {
        let place = writer::place(self.out);
        let mut count = 0;
        loop {
            let element: Value = table.raw_get(count + 1)?;
            if element.is_nil() {
                break;
            }
            self.value(&element, depth + 1)?;
            count += 1;
        }
        writer::put_head(self.out, place, |out| writer::array(out, count));
        Ok(())
    }

    fn entries(&mut self, table: &Table, depth: usize, with_values: bool) -> mlua::Result<()> {
        let place = writer::place(self.out);
        let mut count = 0;
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            self.value(&key, depth + 1)?;
            if with_values {
                self.value(&value, depth + 1)?;
            }
            count += 1;
        }
        let client = self.client;
        writer::put_head(self.out, place, |out| match with_values {
            true => writer::map(out, client, count),
            false => writer::set(out, client, count),
        });
        Ok(())
    }
}

/// The kind of a verbatim text has three bytes, as Redis makes it: filled up with spaces, or cut.
fn three(kind: &[u8]) -> [u8; 3] {
    std::array::from_fn(|index| kind.get(index).copied().unwrap_or(b' '))
}

/// Line ends would end the reply.
fn line(text: &[u8]) -> impl Iterator<Item = u8> {
    text.iter().map(|byte| if b"\r\n".contains(byte) { b' ' } else { *byte })
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replies;
    use mlua::Lua;
    use resp::Protocol::{Resp2, Resp3};

    /// A reply to a script that the script returns as it is.
    fn returned(reply: &str, client: Protocol, script: Protocol) -> String {
        let lua = Lua::new();
        let (value, rest) = replies::value(&lua, reply.as_bytes()).unwrap();
        assert!(rest.is_empty(), "{reply:?}");
        written(&value, client, script)
    }

    fn written(value: &Value, client: Protocol, script: Protocol) -> String {
        let mut out = b"before".to_vec();
        write(value, &mut out, 1000, (client, script), &mut |_, _| {}).unwrap();
        String::from_utf8(out).unwrap().split_off("before".len())
    }

    #[test]
    fn replies_of_every_type_are_returned_as_they_are() {
        for reply in [
            "+OK\r\n",
            "-ERR no\r\n",
            ":-7\r\n",
            "$3\r\na\r\n\r\n",
            "#t\r\n",
            "#f\r\n",
            "_\r\n",
            ",1.5\r\n",
            ",inf\r\n",
            "(12345678901234567890123\r\n",
            "=7\r\nmkd:abc\r\n",
            "*3\r\n:1\r\n$1\r\na\r\n*1\r\n#f\r\n",
            "*0\r\n",
            "%1\r\n$1\r\nk\r\n~1\r\n$1\r\nm\r\n",
            "*2\r\n%1\r\n$1\r\nk\r\n:1\r\n=5\r\ntxt:b\r\n",
        ] {
            assert_eq!(returned(reply, Resp3, Resp3), reply);
        }
        assert_eq!(returned("|1\r\n+a\r\n:1\r\n:7\r\n", Resp3, Resp3), ":7\r\n");
    }

    #[test]
    fn clients_of_the_second_protocol_get_what_they_know() {
        for (reply, text) in [
            ("#t\r\n", ":1\r\n"),
            ("#f\r\n", ":0\r\n"),
            ("_\r\n", "$-1\r\n"),
            (",1.5\r\n", "$3\r\n1.5\r\n"),
            ("(123\r\n", "$3\r\n123\r\n"),
            ("=5\r\ntxt:b\r\n", "$1\r\nb\r\n"),
            ("%1\r\n$1\r\nk\r\n:1\r\n", "*2\r\n$1\r\nk\r\n:1\r\n"),
            ("~1\r\n:1\r\n", "*1\r\n:1\r\n"),
        ] {
            assert_eq!(returned(reply, Resp2, Resp3), text);
        }
    }

    #[test]
    fn booleans_are_the_script_s_protocol() {
        for (client, nil) in [(Resp2, "$-1\r\n"), (Resp3, "_\r\n")] {
            assert_eq!(written(&Value::Boolean(true), client, Resp2), ":1\r\n");
            assert_eq!(written(&Value::Boolean(false), client, Resp2), nil);
        }
    }

    #[test]
    fn kinds_of_text_have_three_letters_and_lines_one_line() {
        assert_eq!((three(b"a"), three(b"abcd")), (*b"a  ", *b"abc"));
        assert!(line(b"a\rb\nc").eq(*b"a b c"));
    }

    #[test]
    fn a_reply_has_a_limit() {
        let lua = Lua::new();
        let value = lua.load("local t = {} for i = 1, 300 do t[i] = 'abc' end return t").eval().unwrap();
        let mut out = Vec::new();
        assert!(write(&value, &mut out, 1000, (Resp2, Resp2), &mut |_, _| {}).is_err());
        // What was written before does not count.
        let mut out = vec![b'x'; 2000];
        assert!(write(&Value::Boolean(true), &mut out, 1000, (Resp2, Resp2), &mut |_, _| {}).is_ok());
    }
}
