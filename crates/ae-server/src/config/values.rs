//! Values as CONFIG SET takes them and CONFIG GET gives them. The errors are in the words of CONFIG SET.

pub const MIB: u64 = 1024 * 1024;

pub fn decimal(value: impl Into<u64>) -> Vec<u8> {
    value.into().to_string().into_bytes()
}

pub fn yes_or_no(value: bool) -> Vec<u8> {
    if value { b"yes".into() } else { b"no".into() }
}

pub fn text(value: &[u8]) -> Result<String, String> {
    String::from_utf8(value.to_vec()).map_err(|_| "argument must be text".into())
}

/// What C sees of a value: it ends at a zero byte.
fn c_text(value: &[u8]) -> &[u8] {
    value.split(|c| *c == 0).next().unwrap_or_default()
}

pub fn switch(value: &[u8]) -> Result<bool, String> {
    match c_text(value).to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".into()),
    }
}

pub fn number(value: &[u8], min: u64, max: u64) -> Result<u64, String> {
    let value = resp::number::parse(value).ok_or("argument couldn't be parsed into an integer")?;
    let in_range = u64::try_from(value).ok().filter(|value| (min..=max).contains(value));
    in_range.ok_or_else(|| format!("argument must be between {min} and {max} inclusive"))
}

/// A number of bytes, with a unit or without. As in Redis, no digits are 0.
pub fn memory(value: &[u8], min: u64, max: u64) -> Result<u64, String> {
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
        _ => return Err("argument must be a memory value".into()),
    };
    let number = digits.iter().fold(0u64, |number, c| number.saturating_mul(10).saturating_add((c - b'0').into()));
    let bytes = number.saturating_mul(unit);
    if !(min..=max).contains(&bytes) {
        return Err(format!("argument must be between {min} and {max} inclusive"));
    }
    Ok(bytes)
}
