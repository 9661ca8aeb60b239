//! Numbers as C's `strtod` reads them: decimal, hexadecimal, infinities. Redis takes whatever that takes.

/// What a text spells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Float {
    pub value: f64,
    /// The number is too large, so that the value is infinite, or too small, so that it is zero.
    pub out_of_range: bool,
}

/// Digits of the mantissa beyond this many bits only decide how it is rounded.
const MANTISSA_BITS: u32 = 60;
/// Beyond any exponent that matters, and far from overflow.
const EXPONENT_MAX: i64 = 1 << 40;

/// Reads a text that is a number from its first byte to its last. NaN is none.
pub(super) fn parse(text: &[u8]) -> Option<Float> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if let [b'0', b'x' | b'X', digits @ ..] = digits {
        let float = hexadecimal(digits)?;
        return Some(Float { value: if negative { -float.value } else { float.value }, ..float });
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let spelled_nonzero = || digits.iter().take_while(|&&c| c | 0x20 != b'e').any(|c| (b'1'..=b'9').contains(c));
    let spelled_infinite = || digits.first().is_some_and(u8::is_ascii_alphabetic);
    let out_of_range = value == 0.0 && spelled_nonzero() || value.is_infinite() && !spelled_infinite();
    (!value.is_nan()).then_some(Float { value, out_of_range })
}

/// What follows `0x`.
fn hexadecimal(text: &[u8]) -> Option<Float> {
    let (mut mantissa, mut sticky, mut exponent) = (0u64, false, 0i64);
    let (mut digits, mut point, mut at) = (0usize, false, 0);
    while let Some(&c) = text.get(at) {
        if c == b'.' && !point {
            point = true;
        } else if let Some(digit) = char::from(c).to_digit(16) {
            digits += 1;
            if mantissa >> MANTISSA_BITS == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if point { 4 } else { 0 };
            } else {
                sticky |= digit != 0;
                exponent += if point { 0 } else { 4 };
            }
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    match &text[at..] {
        [] => {}
        [b'p' | b'P', power @ ..] => exponent += power_of(power)?,
        _ => return None,
    }
    if mantissa == 0 {
        return Some(Float { value: 0.0, out_of_range: false });
    }
    let value = nearest(mantissa, sticky, exponent);
    Some(Float { value, out_of_range: value.is_infinite() || value == 0.0 })
}

/// A decimal exponent with an optional sign; one too large to matter is cut.
fn power_of(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let power = digits.iter().fold(0, |power, c| (power * 10 + i64::from(c - b'0')).min(EXPONENT_MAX));
    Some(sign * power)
}

/// The number nearest to `mantissa` times two to the `exponent`, an even one if two are. `sticky`: the mantissa goes on
/// behind its last bit. It is not 0.
fn nearest(mantissa: u64, sticky: bool, exponent: i64) -> f64 {
    const FRACTION: i64 = 52;
    const BIAS: i64 = 1023;
    let top = exponent + 63 - i64::from(mantissa.leading_zeros());
    if top > BIAS {
        return f64::INFINITY;
    }
    // Bits below the last one that the result has: a subnormal number has fewer.
    let missing = (1 - BIAS - top).max(0);
    let dropped = 63 - FRACTION + missing;
    if dropped > 64 {
        return 0.0;
    }
    // With room below, for the bit that stands for all that follow.
    let wide = u128::from(mantissa << mantissa.leading_zeros()) << 32 | u128::from(sticky);
    let shift = (dropped + 32) as u32;
    let (kept, rest, half) = ((wide >> shift) as u64, wide & ((1 << shift) - 1), 1 << (shift - 1));
    let kept = kept + u64::from(rest > half || rest == half && kept & 1 == 1);
    // A carry out of the fraction makes the exponent one larger, as it should.
    let exponent = if missing > 0 { 0 } else { (top + BIAS - 1) as u64 };
    f64::from_bits((exponent << FRACTION) + kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(f64, bool)> {
        parse(text.as_bytes()).map(|float| (float.value, float.out_of_range))
    }

    #[test]
    fn what_is_a_number_and_what_is_not() {
        for (text, value) in [
            ("1.", 1.0),
            (".5", 0.5),
            ("+.5e1", 5.0),
            ("1E5", 1e5),
            ("-0", 0.0),
            ("inf", f64::INFINITY),
            ("+Infinity", f64::INFINITY),
            ("-INF", -f64::INFINITY),
            ("0e99999999999999999999", 0.0),
            ("0x10", 16.0),
            ("-0X1P+4", -16.0),
            ("0x.8", 0.5),
            ("0x1.8p1", 3.0),
            ("0x1p-3", 0.125),
            ("0x0p99999999999999999999", 0.0),
            // A bit far behind decides between two neighbours, whatever follows it.
            ("0x1.000000000000080", 1.0),
            ("0x1.00000000000008010", 1.0 + f64::EPSILON),
        ] {
            assert_eq!(read(text), Some((value, false)), "{text}");
        }
        for text in ["", "-", "+-1", ".", "1e", "1 ", " 1", "1_0", "1d5", "nan", "NaN", "-nan", "nan(12)", "infinit"] {
            assert_eq!(read(text), None, "{text:?}");
        }
        for text in ["0x", "0x.", "0xg", "0x1p", "0x1p+", "0x1.1.1", "0x-1", "x1", "1\0", "0x1 ", "0x1px", "0x1p1x"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        for text in ["1e400", "0x1p1024", "0x1.fffffffffffff8p1023", "1e99999999999999999999"] {
            assert_eq!(read(text), Some((f64::INFINITY, true)), "{text}");
        }
        for text in ["1e-400", "0x1p-2000", "0x1p-1075", "0x1p-99999999999999999999"] {
            assert_eq!(read(text), Some((0.0, true)), "{text}");
        }
        let least = f64::from_bits(1);
        for text in ["4.9e-324", "0x0.0000000000001p-1022", "0x1.0000000000001p-1075", "0x1p-1074"] {
            assert_eq!(read(text), Some((least, false)), "{text}");
        }
        assert_eq!(read("0x1.fffffffffffff7ffp1023"), Some((f64::MAX, false)));
        assert_eq!(read("0x0.fffffffffffff8p-1022"), Some((f64::MIN_POSITIVE, false)));
        assert_eq!(read("0x3p-1075"), Some((f64::from_bits(2), false)));
    }

    #[test]
    fn hexadecimal_is_rounded_to_even() {
        for (text, value) in [
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x1.fffffffffffff7p0", 2.0 - f64::EPSILON),
            ("0x20000000000001", 9007199254740992.0),
            ("0x20000000000003", 9007199254740996.0),
            ("0x20000000000001.000000000000000000000001", 9007199254740994.0),
            ("0x100000000000000000000000000p-104", 1.0),
            ("0x.00000000000000000000000001p104", 1.0),
        ] {
            assert_eq!(read(text), Some((value, false)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_from_its_bits(bits: u64, zeros in 0usize..40) {
            let value = f64::from_bits(bits & !(1 << 63));
            prop_assume!(value.is_finite());
            let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
            let (lead, power) = if exponent == 0 { (0, -1022) } else { (1, exponent - 1023) };
            let text = format!("0x{lead}.{fraction:013x}{}p{power}", "0".repeat(zeros));
            prop_assert_eq!(read(&text), Some((value, false)), "{}", text);
        }
    }
}
