//! Integers as the protocol writes them: decimal, no plus sign, no leading zero, no space; and as C reads them.

/// The longest `i64` in digits and sign.
pub const MAX_LEN: usize = 20;

/// The number that `text` is the canonical spelling of, if it is one: what [`format()`] would write.
///
/// ```
/// use resp::number::parse;
/// assert_eq!(parse(b"-9223372036854775808"), Some(i64::MIN));
/// assert_eq!(parse(b"007"), None);
/// assert_eq!(parse(b"+7"), None);
/// ```
pub fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] => return if negative { None } else { Some(0) },
        [b'1'..=b'9', ..] if digits.len() < MAX_LEN => {}
        _ => return None,
    }
    // 19 digits cannot overflow an u64.
    let mut value = 0u64;
    for &c in digits {
        let digit = c.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// The number that `text` begins with, behind spaces, as C's strtoll reads it: 0 if there is none, and the nearest that
/// there is if it is too large.
///
/// ```
/// use resp::number::leading;
/// assert_eq!(leading(b" +07x"), 7);
/// assert_eq!(leading(b"x"), 0);
/// ```
pub fn leading(text: &[u8]) -> i64 {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (sign, digits) = match &text[spaces..] {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit()).map(|byte| sign * i64::from(byte - b'0'));
    digits.fold(0, |number: i64, digit| number.saturating_mul(10).saturating_add(digit))
}

const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut i = 0;
    while i < 100 {
        pairs[2 * i] = b'0' + (i / 10) as u8;
        pairs[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    pairs
};

/// Writes `value` to the end of `buf` and returns the part that was used.
///
/// ```
/// use resp::number::{MAX_LEN, format};
/// assert_eq!(format(&mut [0; MAX_LEN], -42), b"-42");
/// ```
pub fn format(buf: &mut [u8; MAX_LEN], value: i64) -> &[u8] {
    let mut rest = value.unsigned_abs();
    let mut at = MAX_LEN;
    while rest >= 10 {
        let pair = (rest % 100) as usize * 2;
        rest /= 100;
        at -= 2;
        buf[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest > 0 || at == MAX_LEN {
        at -= 1;
        buf[at] = b'0' + rest as u8;
    }
    if value < 0 {
        at -= 1;
        buf[at] = b'-';
    }
    &buf[at..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_spelling_is_a_number() {
        for bad in ["", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1a", "1:", "a", "0x1", "1.0"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
        for bad in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn numbers_as_c_reads_them() {
        for (text, value) in [
            ("12", 12),
            (" \t\r-3x", -3),
            ("+4", 4),
            ("007", 7),
            ("", 0),
            ("x", 0),
            ("+-1", 0),
            ("-", 0),
            ("0x1", 0),
            ("99999999999999999999", i64::MAX),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(leading(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        for value in [0, 1, 9, 10, 99, 100, -1, -9, -10, -100, i64::MAX, i64::MIN] {
            let mut buf = [0; MAX_LEN];
            assert_eq!(format(&mut buf, value), value.to_string().as_bytes());
            assert_eq!(parse(value.to_string().as_bytes()), Some(value));
        }
    }

    proptest! {
        #[test]
        fn format_and_parse_agree_with_the_standard_library(value: i64, shift in 0u32..63) {
            let value = value >> shift;
            let text = value.to_string();
            let mut buf = [0; MAX_LEN];
            prop_assert_eq!(format(&mut buf, value), text.as_bytes());
            prop_assert_eq!(parse(text.as_bytes()), Some(value));
        }

        #[test]
        fn whatever_parses_is_what_format_writes(text in "-?[0-9]{0,21}|[ -~]{0,4}") {
            if let Some(value) = parse(text.as_bytes()) {
                prop_assert_eq!(value.to_string(), text);
            }
        }
    }
}
