//! A script's values as arguments of a command.

use crate::libraries::numbers::append_general;
use mlua::Value;

/// The arguments of `redis.call`; None unless they are strings and numbers.
pub fn of_values(values: &[Value]) -> Option<Vec<Vec<u8>>> {
    values.iter().map(text).collect()
}

/// Bytes of the strings among them.
pub fn len(values: &[Value]) -> usize {
    let of = |value: &Value| value.as_string().map_or(0, |text| text.as_bytes().len());
    values.iter().map(of).fold(0, usize::saturating_add)
}

fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number_text(*number as f64)),
        Value::Number(number) => Some(number_text(*number)),
        _ => None,
    }
}

/// A number with 17 significant digits at most, as C's `%.17g`.
pub fn number_text(number: f64) -> Vec<u8> {
    let mut text = Vec::new();
    append_general(&mut text, number, 17);
    text
}
