//! A script's values as arguments of a command.

use crate::libraries::numbers::append_general;
use mlua::Value;
use resp::ArgsBuffer;

/// Arguments of a command take fewer bytes than this, all together.
const LEN_MAX: usize = u32::MAX as usize;
/// A number takes fewer bytes than this.
const NUMBER_MAX: usize = 32;

/// Why values are no arguments.
pub enum Refused {
    /// They are too long.
    TooLong,
    /// One is neither a string nor a number.
    Kind,
}

impl Refused {
    /// The error of `redis.call`.
    pub fn reason(&self) -> &'static str {
        match self {
            Refused::TooLong => "ERR not enough memory",
            Refused::Kind => "ERR Lua redis lib command arguments must be strings or integers",
        }
    }
}

/// Adds the arguments of `redis.call`, whose strings may have `max` bytes all together, to an empty buffer.
pub fn add(values: &[Value], max: usize, args: &mut ArgsBuffer) -> Result<(), Refused> {
    let mut left = max.min(LEN_MAX.saturating_sub(values.len() * NUMBER_MAX));
    for value in values {
        if let Value::String(text) = value {
            let text = text.as_bytes();
            left = left.checked_sub(text.len()).ok_or(Refused::TooLong)?;
            args.push(|request| request.extend_from_slice(&text));
        } else {
            let number = number(value).ok_or(Refused::Kind)?;
            args.push(|request| append_number(request, number));
        }
    }
    Ok(())
}

/// Strings and numbers as texts; None unless all values are.
pub fn texts(values: &[Value]) -> Option<Vec<Vec<u8>>> {
    values.iter().map(text).collect()
}

/// Bytes of the strings among them.
pub fn len(values: &[Value]) -> usize {
    let of = |value: &Value| value.as_string().map_or(0, |text| text.as_bytes().len());
    values.iter().map(of).fold(0, usize::saturating_add)
}

/// A string or a number as text.
pub fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        value => number(value).map(number_text),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// A number with 17 significant digits at most, as C's `%.17g`.
pub fn number_text(number: f64) -> Vec<u8> {
    let mut text = Vec::new();
    append_number(&mut text, number);
    text
}

fn append_number(text: &mut Vec<u8>, number: f64) {
    append_general(text, number, 17);
}
