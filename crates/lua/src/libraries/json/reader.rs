//! JSON to Lua values.

use crate::libraries::json::settings::Settings;
use crate::libraries::numbers::read_number;
use crate::libraries::parameters::MAX_SLOTS;
use crate::libraries::pile::Pile;
use crate::libraries::raise;
use mlua::{Error, Lua, Table, Value};
use std::borrow::Cow;

/// What the text is made of.
enum Token<'a> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Cow<'a, [u8]>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Bad(&'static str),
}

impl Token<'_> {
    /// What error messages call it.
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::String(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Bad(why) => why,
        }
    }
}

/// A container that is being read, whose table is on the pile of tables.
enum Open<'a> {
    /// With so many elements so far.
    Array(i64),
    /// With the key of its next value.
    Object(Cow<'a, [u8]>),
}

/// What is to be done next.
enum Step<'a> {
    /// Read the value that begins with this token.
    Value(Token<'a>),
    /// Give this value to the container around it.
    Whole(Value),
}

struct Reader<'a> {
    lua: &'a Lua,
    settings: Settings,
    text: &'a [u8],
    at: usize,
    /// Where the last token begins, or where it is wrong.
    token_at: usize,
    open: Vec<Open<'a>>,
    tables: Pile<'a, Table>,
    /// Stack slots that C code would have in use here.
    slots: usize,
}

/// The value of a JSON text.
pub fn read(lua: &Lua, settings: Settings, text: &[u8]) -> mlua::Result<Value> {
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err(raise::error(lua, "JSON parser does not support UTF-16 or UTF-32"));
    }
    let tables = Pile::new(lua);
    let mut reader = Reader { lua, settings, text, at: 0, token_at: 0, open: Vec::new(), tables, slots: 1 };
    let mut step = Step::Value(reader.token());
    loop {
        step = match step {
            Step::Value(token) => reader.value(token)?,
            Step::Whole(value) => match (reader.open.pop(), reader.tables.pop()?) {
                (Some(open), Some(table)) => reader.add(open, table, value)?,
                _ => {
                    let token = reader.token();
                    return if let Token::End = token { Ok(value) } else { Err(reader.unexpected("the end", &token)) };
                }
            },
        }
    }
}

impl<'a> Reader<'a> {
    /// A byte from here on; 0 at the end, as in C.
    fn byte(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn unexpected(&self, expected: &str, token: &Token) -> Error {
        let found = token.name();
        raise::error(self.lua, format!("Expected {expected} but found {found} at character {}", self.token_at + 1))
    }

    /// Reads a value; of a container, its begin only.
    fn value(&mut self, token: Token<'a>) -> mlua::Result<Step<'a>> {
        Ok(Step::Whole(match token {
            Token::String(string) => Value::String(self.lua.create_string(string)?),
            Token::Number(number) => Value::Number(number),
            Token::Boolean(boolean) => Value::Boolean(boolean),
            Token::Null => Value::NULL,
            Token::ObjectBegin => {
                let table = self.descend(3)?;
                match self.token() {
                    Token::ObjectEnd => Value::Table(table),
                    token => {
                        self.slots += 2;
                        return self.member(table, token);
                    }
                }
            }
            Token::ArrayBegin => {
                let table = self.descend(2)?;
                match self.token() {
                    Token::ArrayEnd => Value::Table(table),
                    token => {
                        self.slots += 1;
                        self.keep(table, Open::Array(0))?;
                        return Ok(Step::Value(token));
                    }
                }
            }
            other => return Err(self.unexpected("value", &other)),
        }))
    }

    /// Reads the key that this token is, up to its value.
    fn member(&mut self, table: Table, token: Token<'a>) -> mlua::Result<Step<'a>> {
        let Token::String(key) = token else { return Err(self.unexpected("object key string", &token)) };
        match self.token() {
            Token::Colon => {}
            other => return Err(self.unexpected("colon", &other)),
        }
        self.keep(table, Open::Object(key))?;
        Ok(Step::Value(self.token()))
    }

    /// Gives a value to its container, and reads on up to the next value or the container's end.
    fn add(&mut self, open: Open<'a>, table: Table, value: Value) -> mlua::Result<Step<'a>> {
        match open {
            Open::Array(len) => {
                table.raw_set(len + 1, value)?;
                match self.token() {
                    Token::ArrayEnd => {
                        self.slots -= 1;
                        Ok(Step::Whole(Value::Table(table)))
                    }
                    Token::Comma => {
                        self.keep(table, Open::Array(len + 1))?;
                        Ok(Step::Value(self.token()))
                    }
                    other => Err(self.unexpected("comma or array end", &other)),
                }
            }
            Open::Object(key) => {
                table.raw_set(self.lua.create_string(key)?, value)?;
                match self.token() {
                    Token::ObjectEnd => {
                        self.slots -= 2;
                        Ok(Step::Whole(Value::Table(table)))
                    }
                    Token::Comma => {
                        let token = self.token();
                        self.member(table, token)
                    }
                    other => Err(self.unexpected("comma or object end", &other)),
                }
            }
        }
    }

    fn keep(&mut self, table: Table, open: Open<'a>) -> mlua::Result<()> {
        self.open.push(open);
        self.tables.push(table)
    }

    /// Checks that one more container may be open; returns its table.
    fn descend(&mut self, slots: usize) -> mlua::Result<Table> {
        let depth = self.open.len() + 1;
        if depth > self.settings.read_depth as usize || self.slots + slots > MAX_SLOTS {
            let at = self.at;
            let message = format!("Found too many nested data structures ({depth}) at character {at}");
            return Err(raise::error(self.lua, message));
        }
        self.lua.create_table()
    }

    fn token(&mut self) -> Token<'a> {
        while matches!(self.byte(0), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.token_at = self.at;
        let single = match self.byte(0) {
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            0 => return Token::End,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' if !self.settings.read_invalid && self.is_invalid_number() => {
                return Token::Bad("invalid number");
            }
            b'-' | b'0'..=b'9' => return self.number(),
            b'f' | b'i' | b'I' | b'n' | b'N' | b't' | b'+' => return self.word(),
            _ => return Token::Bad("invalid token"),
        };
        self.at += 1;
        single
    }

    fn word(&mut self) -> Token<'a> {
        let (len, token) = if self.rest().starts_with(b"true") {
            (4, Token::Boolean(true))
        } else if self.rest().starts_with(b"false") {
            (5, Token::Boolean(false))
        } else if self.rest().starts_with(b"null") {
            (4, Token::Null)
        } else if self.settings.read_invalid && self.is_invalid_number() {
            return self.number();
        } else {
            return Token::Bad("invalid token");
        };
        self.at += len;
        token
    }

    /// Whether here is what strtod takes for a number, but JSON does not.
    fn is_invalid_number(&self) -> bool {
        let digits = match self.byte(0) {
            b'+' => return true,
            b'-' => 1,
            _ => 0,
        };
        let next = self.byte(digits + 1);
        if self.byte(digits) == b'0' {
            return next == b'x' || next == b'X' || next.is_ascii_digit();
        }
        let name = self.rest().get(digits..digits + 3).unwrap_or_default();
        name.eq_ignore_ascii_case(b"inf") || name.eq_ignore_ascii_case(b"nan")
    }

    fn number(&mut self) -> Token<'a> {
        let (number, len) = read_number(self.rest());
        self.at += len;
        if len == 0 { Token::Bad("invalid number") } else { Token::Number(number) }
    }

    fn string(&mut self) -> Token<'a> {
        self.at += 1;
        let mut string = Cow::Borrowed(self.plain());
        loop {
            match self.byte(0) {
                b'"' => {
                    self.at += 1;
                    return Token::String(string);
                }
                0 => return self.bad("unexpected end of string"),
                _ if self.byte(1) == b'u' => match self.unicode_escape() {
                    Some((character, len)) => {
                        string.to_mut().extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                        self.at += len;
                    }
                    None => return self.bad("invalid unicode escape code"),
                },
                _ => {
                    string.to_mut().push(match self.byte(1) {
                        same @ (b'"' | b'\\' | b'/') => same,
                        b'b' => 8,
                        b't' => b'\t',
                        b'n' => b'\n',
                        b'f' => 12,
                        b'r' => b'\r',
                        _ => return self.bad("invalid escape code"),
                    });
                    self.at += 2;
                }
            }
            string.to_mut().extend_from_slice(self.plain());
        }
    }

    /// The bytes up to the next quote, backslash or zero byte.
    fn plain(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn bad(&mut self, why: &'static str) -> Token<'a> {
        self.token_at = self.at;
        Token::Bad(why)
    }

    /// The character of the escape here, and the escape's length: two of them for a surrogate pair.
    fn unicode_escape(&self) -> Option<(char, usize)> {
        let first = self.hexadecimal(2)?;
        if first & 0xf800 != 0xd800 {
            return Some((char::from_u32(first)?, 6));
        }
        if first & 0x400 != 0 || self.byte(6) != b'\\' || self.byte(7) != b'u' {
            return None;
        }
        let second = self.hexadecimal(8)?;
        if second & 0xfc00 != 0xdc00 {
            return None;
        }
        Some((char::from_u32(((first & 0x3ff) << 10 | second & 0x3ff) + 0x10000)?, 12))
    }

    /// Four digits.
    fn hexadecimal(&self, ahead: usize) -> Option<u32> {
        (ahead..ahead + 4).try_fold(0, |number, at| Some(number << 4 | char::from(self.byte(at)).to_digit(16)?))
    }
}
