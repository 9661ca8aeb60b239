//! Numbers as C converts, prints and reads them.

/// A double as C's `int64_t`, on processors that give the smallest for what does not fit.
pub fn to_i64(number: f64) -> i64 {
    // The bounds are exact: the first is -2^63, the second 2^63.
    if number >= i64::MIN as f64 && number < i64::MAX as f64 { number as i64 } else { i64::MIN }
}

/// A double as C's `int32_t`, likewise.
pub fn to_i32(number: f64) -> i32 {
    let whole = number.trunc();
    if whole >= f64::from(i32::MIN) && whole <= f64::from(i32::MAX) { whole as i32 } else { i32::MIN }
}

/// A double as C's `uint64_t`, as compilers do it by a signed conversion.
pub fn to_u64(number: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if number >= HALF { to_i64(number - HALF).cast_unsigned() ^ (1 << 63) } else { to_i64(number).cast_unsigned() }
}

/// Appends a number as printf's `%.{precision}g` writes it.
pub fn append_general(text: &mut Vec<u8>, number: f64, precision: usize) {
    if !number.is_finite() {
        let name = if number.is_nan() { "nan" } else { "inf" };
        let sign = if number.is_sign_negative() { "-" } else { "" };
        text.extend_from_slice(format!("{sign}{name}").as_bytes());
        return;
    }
    if number.abs() < 1e9 && number.fract() == 0.0 && precision > 9 && !(number == 0.0 && number.is_sign_negative()) {
        text.extend_from_slice(format!("{}", number as i64).as_bytes());
        return;
    }
    let scientific = format!("{:.*e}", precision - 1, number);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        text.extend_from_slice(without_zeros(digits).as_bytes());
        let sign = if exponent < 0 { '-' } else { '+' };
        text.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
    } else {
        let decimals = (precision as i32 - 1 - exponent) as usize;
        text.extend_from_slice(without_zeros(&format!("{number:.decimals$}")).as_bytes());
    }
}

fn without_zeros(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

/// The number at the start of the text as strtod reads it, with the count of bytes that it takes: 0 if there is none.
/// Leading space is not skipped.
pub fn read_number(text: &[u8]) -> (f64, usize) {
    let signed = matches!(text.first(), Some(b'+' | b'-'));
    let rest = &text[usize::from(signed)..];
    let (number, len) = if starts_with(rest, b"inf") {
        (f64::INFINITY, if starts_with(rest, b"infinity") { 8 } else { 3 })
    } else if starts_with(rest, b"nan") {
        (f64::NAN, 3 + payload_len(&rest[3..]))
    } else {
        read_hexadecimal(rest).unwrap_or_else(|| read_decimal(rest))
    };
    let number = if text.first() == Some(&b'-') { -number } else { number };
    (number, if len == 0 { 0 } else { len + usize::from(signed) })
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The length of what may follow a nan in parentheses.
fn payload_len(text: &[u8]) -> usize {
    if text.first() != Some(&b'(') {
        return 0;
    }
    let end = text[1..].iter().position(|&byte| !byte.is_ascii_alphanumeric() && byte != b'_');
    end.filter(|&end| text[end + 1] == b')').map_or(0, |end| end + 2)
}

fn digits_len(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The length of an exponent of this letter.
fn exponent_len(text: &[u8], letter: u8) -> usize {
    if !text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)) {
        return 0;
    }
    let sign = usize::from(matches!(text.get(1), Some(b'+' | b'-')));
    match digits_len(&text[1 + sign..]) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

fn read_decimal(text: &[u8]) -> (f64, usize) {
    let whole = digits_len(text);
    let mut len = whole;
    if text.get(len) == Some(&b'.') {
        let decimals = digits_len(&text[len + 1..]);
        if whole + decimals > 0 {
            len += 1 + decimals;
        }
    }
    if len == 0 {
        return (0.0, 0);
    }
    len += exponent_len(&text[len..], b'e');
    let number = std::str::from_utf8(&text[..len]).ok().and_then(|text| text.parse().ok());
    number.map_or((0.0, 0), |number| (number, len))
}

/// None if there is no hexadecimal number.
fn read_hexadecimal(text: &[u8]) -> Option<(f64, usize)> {
    if !starts_with(text, b"0x") {
        return None;
    }
    // The first 60 bits of the digits, then only whether any of the others is not zero.
    let (mut bits, mut rest_is_set, mut exponent) = (0u64, false, 0i64);
    let (mut digits, mut point) = (0, false);
    let mut len = 2;
    while let Some(&byte) = text.get(len) {
        if byte == b'.' && !point {
            point = true;
        } else if let Some(digit) = char::from(byte).to_digit(16) {
            digits += 1;
            if bits >> 56 == 0 {
                bits = bits << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                rest_is_set |= digit != 0;
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        len += 1;
    }
    if digits == 0 {
        return None;
    }
    let power = exponent_len(&text[len..], b'p');
    if power > 0 {
        let power_text = std::str::from_utf8(&text[len + 1..len + power]).ok()?;
        // What does not fit is far beyond every double.
        let far = if power_text.starts_with('-') { -1 << 40 } else { 1 << 40 };
        exponent += power_text.parse::<i64>().map_or(far, |power| power.clamp(-1 << 40, 1 << 40));
        len += power;
    }
    Some((scaled(bits << 1 | u64::from(rest_is_set), exponent - 1), len))
}

/// `bits * 2^exponent`, rounded once, to even.
fn scaled(bits: u64, exponent: i64) -> f64 {
    let width = i64::from(64 - bits.leading_zeros());
    if bits == 0 || width + exponent < -1_100 {
        return 0.0;
    }
    if width + exponent > 1_024 {
        return f64::INFINITY;
    }
    let quantum = (width + exponent - 53).max(-1_074);
    let shift = quantum - exponent;
    if shift <= 0 {
        return bits as f64 * power_of_two(exponent);
    }
    let (kept, lost) =
        if shift > 63 { (0, u128::from(bits)) } else { (bits >> shift, u128::from(bits & ((1 << shift) - 1))) };
    let half = 1u128 << (shift - 1).min(100);
    let up = lost > half || lost == half && kept & 1 == 1;
    (kept + u64::from(up)) as f64 * power_of_two(quantum)
}

/// 2 to a power from -1074 to 1023.
fn power_of_two(power: i64) -> f64 {
    let bits = if power < -1_022 { 1 << (power + 1_074) } else { (power + 1_023) << 52 };
    f64::from_bits(bits.cast_unsigned())
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
