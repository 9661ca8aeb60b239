//! Values as CONFIG SET takes them and CONFIG GET gives them. The errors are in the words of CONFIG SET.

use super::MIB;

pub fn decimal(value: impl Into<u64>) -> Vec<u8> {
    value.into().to_string().into_bytes()
}

pub fn yes_or_no(value: bool) -> Vec<u8> {
    if value { b"yes".into() } else { b"no".into() }
}

pub fn text(value: &[u8]) -> Result<String, String> {
    String::from_utf8(value.to_vec()).map_err(|_| "argument must be text".into())
}

pub fn switch(value: &[u8]) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

pub fn number(value: &[u8], min: u64, max: u64) -> Result<u64, String> {
    let value = ae::resp::number::parse(value).ok_or("argument couldn't be parsed into an integer")?;
    let in_range = u64::try_from(value).ok().filter(|value| (min..=max).contains(value));
    in_range.ok_or_else(|| format!("argument must be between {min} and {max} inclusive"))
}

/// A number of bytes, with a unit or without.
pub fn memory(value: &[u8], min: u64, max: u64) -> Result<u64, String> {
    let lower = text(value)?.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1024,
        "m" => 1_000_000,
        "mb" => MIB,
        "g" => 1_000_000_000,
        "gb" => 1024 * MIB,
        _ => return Err("argument must be a memory value".into()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    let bytes = bytes.ok_or("argument must be a memory value")?;
    if !(min..=max).contains(&bytes) {
        return Err(format!("argument must be between {min} and {max} inclusive"));
    }
    Ok(bytes)
}
