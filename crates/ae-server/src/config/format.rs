//! How values are written. The errors are in the words of CONFIG SET.

use resp::{number, words};
use std::io;

pub const MIB: u64 = 1024 * 1024;

/// A value of a directive, whatever the type of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Also for switches, choices and flags. A percentage is negative.
    Number(i128),
    Text(Vec<u8>),
}

impl Value {
    /// 0 for a text.
    pub fn number(&self) -> i128 {
        match self {
            Value::Number(number) => *number,
            Value::Text(_) => 0,
        }
    }
}

/// The names of a choice, with the number that each stands for.
pub type Names = &'static [(&'static str, i128)];

/// How a value is written.
#[derive(Clone, Copy)]
pub enum Format {
    Switch,
    Integer {
        min: i128,
        max: i128,
    },
    /// Bytes, with a unit or without.
    Memory {
        min: u64,
        max: u64,
    },
    /// Bytes, or a percentage of `maxmemory`.
    MemoryOrPercent,
    Octal {
        max: i128,
    },
    Choice(Names),
    /// One or more of these names; 0 is written as the name that has it.
    Flags(Names, fn(i128) -> Result<(), &'static str>),
    /// UTF-8, up to a zero byte.
    Text(fn(&str) -> Result<(), &'static str>),
    /// Anything at all.
    Bytes,
}

/// A text that is not looked at any further.
pub const TEXT: Format = Format::Text(|_| Ok(()));

/// An integer from 0 to what C's `int` holds.
pub const INT: Format = int(0);

pub const fn int(min: i128) -> Format {
    Format::Integer { min, max: i32::MAX as i128 }
}

/// An integer from 0 to what C's `long` holds.
pub const LONG: Format = Format::Integer { min: 0, max: i64::MAX as i128 };

/// Bytes, from 0 to what C's `long` holds.
pub const BYTES: Format = Format::Memory { min: 0, max: i64::MAX as u64 };

pub const PORT: Format = Format::Integer { min: 0, max: 65535 };

impl Format {
    /// Whether the value is several words in a file.
    pub fn of_words(&self) -> bool {
        matches!(self, Format::Flags(..))
    }

    pub fn parse(&self, words: &[Vec<u8>]) -> Result<Value, String> {
        let value = words.first().map(Vec::as_slice).unwrap_or_default();
        let number = match *self {
            Format::Switch => choice(value, &[("no", 0), ("yes", 1)]).ok_or("argument must be 'yes' or 'no'")?,
            Format::Integer { min, max } => {
                let number = number::parse(value).ok_or("argument couldn't be parsed into an integer")?;
                in_range(number.into(), min, max)?
            }
            Format::Memory { min, max } => {
                let bytes = memory(value).ok_or("argument must be a memory value")?;
                in_range(bytes, min.into(), max.into())?
            }
            Format::MemoryOrPercent => memory_or_percent(value)?,
            Format::Octal { max } => {
                let number = c_integer(value, 8).ok_or("argument couldn't be parsed as an octal number")?;
                let range = || format!("argument must be between 0 and {max:o} inclusive");
                Some(number).filter(|number| (0..=max).contains(number)).ok_or_else(range)?
            }
            Format::Choice(names) => choice(value, names).ok_or_else(|| one_of(names))?,
            Format::Flags(names, _) if words.is_empty() => return Err(one_of(names)),
            Format::Flags(names, valid) => {
                let chosen = words.iter().map(|word| choice(word, names).ok_or_else(|| one_of(names)));
                let flags = chosen.collect::<Result<Vec<_>, _>>()?.into_iter().fold(0, |all, flag| all | flag);
                valid(flags)?;
                flags
            }
            Format::Text(valid) => {
                let text = text(value)?;
                valid(&text)?;
                return Ok(Value::Text(text.into()));
            }
            Format::Bytes => return Ok(Value::Text(value.into())),
        };
        Ok(Value::Number(number))
    }

    /// As CONFIG GET replies it.
    pub fn show(&self, value: &Value) -> Vec<u8> {
        let number = match value {
            Value::Text(text) => return text.clone(),
            Value::Number(number) => *number,
        };
        match self {
            Format::Switch => name(number, &[("no", 0), ("yes", 1)]).into(),
            Format::Choice(names) => name(number, names).into(),
            Format::Flags(names, _) if number == 0 => name(number, names).into(),
            Format::Flags(names, _) => {
                let set = names.iter().filter(|(_, flag)| number & flag != 0).map(|(name, _)| *name);
                set.collect::<Vec<_>>().join(" ").into()
            }
            Format::MemoryOrPercent if number < 0 => format!("{}%", -number).into(),
            Format::Octal { .. } => format!("{number:o}").into(),
            _ => number.to_string().into(),
        }
    }

    /// As a file has it.
    pub fn write(&self, value: &Value) -> Vec<u8> {
        match (self, value) {
            (_, Value::Text(text)) => quoted(text),
            (Format::Memory { .. } | Format::MemoryOrPercent, Value::Number(bytes @ 0..)) => {
                write_memory(*bytes as u64)
            }
            _ => self.show(value),
        }
    }
}

fn in_range(number: i128, min: i128, max: i128) -> Result<i128, String> {
    let range = || format!("argument must be between {min} and {max} inclusive");
    Some(number).filter(|number| (min..=max).contains(number)).ok_or_else(range)
}

fn choice(value: &[u8], names: &[(&str, i128)]) -> Option<i128> {
    let value = c_text(value);
    names.iter().find(|(name, _)| value.eq_ignore_ascii_case(name.as_bytes())).map(|(_, number)| *number)
}

fn name(number: i128, names: &'static [(&'static str, i128)]) -> &'static str {
    names.iter().find(|(_, other)| *other == number).map_or("", |(name, _)| name)
}

fn one_of(names: Names) -> String {
    let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
    format!("argument(s) must be one of the following: {}", names.join(", "))
}

fn memory_or_percent(value: &[u8]) -> Result<i128, String> {
    if let Some(bytes) = memory(value).filter(|bytes| *bytes <= i64::MAX.into()) {
        return Ok(bytes);
    }
    let percent = value.strip_suffix(b"%").and_then(number::parse).filter(|percent| *percent >= 0);
    // Redis takes too many bytes for a percentage.
    let percent = percent.or(memory(value).map(|_| i64::MAX));
    match percent.ok_or("argument must be a memory or percent value")? {
        percent @ 0..=100 => Ok(-i128::from(percent)),
        _ => Err("percentage argument must be less or equal to 100".into()),
    }
}

/// A number of bytes, with a unit or without. As in Redis, no digits are 0.
pub fn memory(value: &[u8]) -> Option<i128> {
    let value = c_text(value);
    let digits = value.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, unit) = value.split_at(digits);
    let unit = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1024,
        b"m" => 1_000_000,
        b"mb" => MIB,
        b"g" => 1_000_000_000,
        b"gb" => 1024 * MIB,
        _ => return None,
    };
    let number = digits.iter().fold(0i128, |number, c| number.saturating_mul(10).saturating_add((c - b'0').into()));
    Some(number.saturating_mul(unit.into()))
}

/// In the largest unit that divides it.
pub fn write_memory(bytes: u64) -> Vec<u8> {
    let units = [("gb", 1024 * MIB), ("mb", MIB), ("kb", 1024)];
    let unit = units.into_iter().find(|(_, unit)| bytes != 0 && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| bytes.to_string(), |(name, unit)| format!("{}{name}", bytes / unit)).into()
}

/// An integer as C's `strtoll` reads one that ends with the text: space and a sign in front, and nothing is 0.
pub fn c_integer(value: &[u8], radix: u32) -> Option<i128> {
    let value = c_text(value).trim_ascii_start();
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let number = digits.iter().try_fold(0i128, |number, c| {
        let digit = char::from(*c).to_digit(radix)?;
        Some(number.saturating_mul(radix.into()).saturating_add(digit.into()))
    })?;
    Some(if negative { -number } else { number })
}

/// What C sees of a value: it ends at a zero byte.
pub fn c_text(value: &[u8]) -> &[u8] {
    value.split(|c| *c == 0).next().unwrap_or_default()
}

pub fn text(value: &[u8]) -> Result<String, String> {
    String::from_utf8(c_text(value).to_vec()).map_err(|_| "argument must be text".into())
}

pub fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    words::quote(&mut out, text);
    out
}

/// What went wrong, as C's `strerror` says it.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().into()
}
