//! The x87 `long double` that Redis adds with in INCRBYFLOAT: 64 bits of precision, correctly rounded, printed with 17
//! decimals. With Rust's `f64` or with decimals the last digits of many sums would not be Redis's.

mod bignum;

use bignum::Bignum;
use std::cmp::Ordering;

/// The number is `mantissa * 2^exponent`, negated if `negative`. The mantissa's top bit is set, unless it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// Of the largest finite number.
const EXPONENT_MAX: i32 = 16383 - 63;
/// Of what is at least rounded up to the smallest number there is. That numbers near it have less precision does not
/// show in 17 decimals.
const EXPONENT_MIN: i32 = -16446 - 63;
/// The longest text that Redis takes for a number.
const TEXT_MAX: usize = 5 * 1024;
const DECIMALS: u32 = 17;

impl LongDouble {
    pub const ZERO: LongDouble = LongDouble { negative: false, mantissa: 0, exponent: 0 };
    const INFINITE: i32 = i32::MAX;

    /// What C's `strtold` reads, if that is all of `text` and not out of range.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.len() >= TEXT_MAX {
            return None;
        }
        let (negative, unsigned) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
            return Some(LongDouble { negative, mantissa: 1 << 63, exponent: Self::INFINITE });
        }
        if let [b'0', b'x' | b'X', digits @ ..] = unsigned {
            return hexadecimal(digits).map(|number| LongDouble { negative, ..number });
        }
        let (digits, exponent) = match unsigned.iter().position(|c| c.eq_ignore_ascii_case(&b'e')) {
            Some(at) => (&unsigned[..at], decimal_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = at_point(digits);
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut value = Bignum::from(0);
        let mut count = 0;
        for &c in whole.iter().chain(fraction) {
            if !c.is_ascii_digit() {
                return None;
            }
            value.multiply_add(10, u32::from(c - b'0'));
            count += i32::from(count > 0 || c != b'0');
        }
        if count == 0 {
            return Some(LongDouble { negative, ..Self::ZERO });
        }
        let power = exponent - fraction.len() as i32;
        // Beyond this the result is out of range whatever the digits are, and the powers would be huge.
        if !(-5000..=5000).contains(&(power + count)) {
            return None;
        }
        let mut divisor = Bignum::from(1);
        let scaled = if power < 0 { &mut divisor } else { &mut value };
        (0..power.unsigned_abs()).for_each(|_| scaled.multiply_add(10, 0));
        let (mantissa, exponent) = divide(value, divisor);
        (EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent).then_some(LongDouble { negative, mantissa, exponent })
    }

    pub fn add(self, other: LongDouble) -> LongDouble {
        if self.is_infinite() || other.mantissa == 0 {
            return self;
        }
        if other.is_infinite() || self.mantissa == 0 {
            return other;
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // Both with 63 bits below the mantissa, which is more than rounding can ask for.
        let left = u128::from(large.mantissa) << 63;
        let right = shift_right_sticky(u128::from(small.mantissa) << 63, large.exponent.abs_diff(small.exponent));
        let exponent = large.exponent - 63;
        if large.negative == small.negative {
            return rounded(large.negative, left + right, exponent);
        }
        match left.cmp(&right) {
            Ordering::Greater => rounded(large.negative, left - right, exponent),
            Ordering::Less => rounded(small.negative, right - left, exponent),
            Ordering::Equal => Self::ZERO,
        }
    }

    fn is_infinite(self) -> bool {
        self.exponent > EXPONENT_MAX
    }

    /// With up to 17 decimals and no zeros at the end; None if it is infinite.
    pub fn to_decimal(self) -> Option<String> {
        if self.is_infinite() {
            return None;
        }
        let text = if self.exponent >= 0 {
            let mut value = Bignum::from(self.mantissa);
            value.shift_left(self.exponent as u32);
            value.to_decimal()
        } else {
            let scale = 10u128.pow(DECIMALS);
            // 64 bits and 57 more.
            let value = round_half_even(u128::from(self.mantissa) * scale, self.exponent.unsigned_abs());
            let decimals = format!("{}.{:017}", value / scale, value % scale);
            decimals.trim_end_matches('0').trim_end_matches('.').to_string()
        };
        Some(if self.negative && text != "0" { format!("-{text}") } else { text })
    }
}

/// What is before and behind the decimal point.
fn at_point(digits: &[u8]) -> (&[u8], &[u8]) {
    match digits.iter().position(|&c| c == b'.') {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, b""),
    }
}

/// C's hexadecimal numbers, without sign and `0x`: digits with or without a point, then perhaps `p` and by which power
/// of two to multiply.
fn hexadecimal(text: &[u8]) -> Option<LongDouble> {
    let (digits, power) = match text.iter().position(|c| c.eq_ignore_ascii_case(&b'p')) {
        Some(at) => (&text[..at], decimal_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, fraction) = at_point(digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // The first 124 bits that count, and in the lowest whether any behind them is set.
    let (mut value, mut exponent) = (0u128, power - 4 * fraction.len() as i32);
    for &c in whole.iter().chain(fraction) {
        let digit = u128::from(char::from(c).to_digit(16)?);
        if value < 1 << 120 {
            value = value << 4 | digit;
        } else {
            value |= u128::from(digit != 0);
            exponent += 4;
        }
    }
    if value == 0 {
        return Some(LongDouble::ZERO);
    }
    let number = rounded(false, value, exponent);
    // Half of the smallest number there is is rounded to zero.
    let too_small = number.exponent == EXPONENT_MIN && number.mantissa == 1 << 63 && value.is_power_of_two();
    (!too_small && (EXPONENT_MIN..=EXPONENT_MAX).contains(&number.exponent)).then_some(number)
}

fn decimal_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Any exponent of more digits is out of range; one that is cut off here still is.
    let value = digits.iter().fold(0i32, |value, c| (value * 10 + i32::from(c - b'0')).min(1_000_000));
    Some(if negative { -value } else { value })
}

/// The quotient of two numbers that are not zero, as mantissa and exponent.
fn divide(mut value: Bignum, mut divisor: Bignum) -> (u64, i32) {
    // Shift so that the quotient has 65 or 66 bits: those of the mantissa and one or two to round by.
    let shift = 65 + divisor.bits() as i32 - value.bits() as i32;
    if shift >= 0 {
        value.shift_left(shift as u32);
    } else {
        divisor.shift_left(shift.unsigned_abs());
    }
    const QUOTIENT_BITS: u32 = 66;
    divisor.shift_left(QUOTIENT_BITS);
    let mut quotient = 0u128;
    for _ in 0..=QUOTIENT_BITS {
        quotient <<= 1;
        if value.subtract_if_not_less(&divisor) {
            quotient |= 1;
        }
        divisor.halve();
    }
    // One more bit that stands for all that the quotient leaves out.
    let quotient = quotient << 1 | u128::from(value.bits() > 0);
    let result = rounded(false, quotient, -shift - 1);
    (result.mantissa, result.exponent)
}

/// `value * 2^exponent` to the nearest number, ties to even. `value` is not zero.
fn rounded(negative: bool, value: u128, exponent: i32) -> LongDouble {
    let excess = 64 - value.leading_zeros() as i32;
    if excess <= 0 {
        return LongDouble { negative, mantissa: (value << -excess) as u64, exponent: exponent + excess };
    }
    let (mut mantissa, mut exponent) = (round_half_even(value, excess as u32), exponent + excess);
    if mantissa == 1 << 64 {
        mantissa = 1 << 63;
        exponent += 1;
    }
    if exponent > EXPONENT_MAX {
        exponent = LongDouble::INFINITE;
    }
    LongDouble { negative, mantissa: mantissa as u64, exponent }
}

/// `value / 2^shift` to the nearest integer, ties to even. The top bit of `value` is not set.
fn round_half_even(value: u128, shift: u32) -> u128 {
    if shift == 0 {
        return value;
    }
    let Some(whole) = value.checked_shr(shift) else { return 0 };
    let rest = value - (whole << shift);
    match rest.cmp(&(1 << (shift - 1))) {
        Ordering::Less => whole,
        Ordering::Equal => whole + (whole & 1),
        Ordering::Greater => whole + 1,
    }
}

/// Shifts, and keeps in the lowest bit whether any bit was lost.
fn shift_right_sticky(value: u128, shift: u32) -> u128 {
    match value.checked_shr(shift) {
        Some(shifted) => shifted | u128::from(shifted << shift != value),
        None => u128::from(value != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE};
    use proptest::prelude::*;

    fn sum(left: &str, right: &str) -> String {
        let add = LongDouble::parse(left.as_bytes()).unwrap().add(LongDouble::parse(right.as_bytes()).unwrap());
        add.to_decimal().unwrap_or("infinite".into())
    }

    /// From redis-server 7.0.15.
    #[test]
    fn sums_as_redis_prints_them() {
        for (left, right, expected) in [
            ("5000", "0.1", "5000.10000000000000009"),
            ("5000.10000000000000009", "1e20", "100000000000000005000"),
            ("0.1", "0.2", "0.3"),
            ("1.25e-5", "1", "1.0000125"),
            ("64.3", "0.1", "64.4"),
            ("10.5", "-10.5", "0"),
            ("1e-30", "0", "0"),
            ("-1e-30", "0", "0"),
            ("3", "-0.0", "3"),
            ("0x", "1", "error"),
            ("0x10", "0", "16"),
            ("0X.8p1", "-0x1.8P-1", "0.25"),
            ("0x1p3", "1e0", "9"),
            ("0x1p-60", "0", "0"),
        ] {
            if expected == "error" {
                assert_eq!(LongDouble::parse(left.as_bytes()), None);
            } else {
                assert_eq!(sum(left, right), expected, "{left} + {right}");
            }
        }
        assert!(sum("1e4000", "64.4").starts_with("9999999999999999999965463873099623784932492583506957"));
        assert_eq!(sum("1.1e4932", "1.1e4932"), "infinite");
        assert_eq!(sum("1", "-inf"), "infinite");
    }

    /// The double with the sign of `number` and 53 bits of mantissa in the place of its 64.
    fn as_double(number: LongDouble, mantissa: u64) -> f64 {
        let exponent = number.exponent + 11;
        // Two steps, because 2^exponent alone may not be a double.
        let double = mantissa as f64 * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
        if number.negative { -double } else { double }
    }

    /// C's strtold reads this as the middle of two doubles, though the text lies nearer to the upper one.
    #[test]
    fn rounding_is_to_the_longer_format_alone() {
        let parsed = LongDouble::parse(b"5.634074321587339e4").unwrap();
        assert_eq!(parsed, LongDouble { negative: false, mantissa: 0xdc14_be43_653e_1400, exponent: -48 });
    }

    #[test]
    fn what_is_a_number() {
        for good in [
            "0",
            "-0",
            "+5",
            "5.",
            ".5",
            "1e5",
            "1E-5",
            "1e+5",
            "00012",
            "inf",
            "-Infinity",
            "1e4932",
            "0x0",
            "-0xAp+1",
            "0x.8",
            "0x8.",
            "0x0p99999999999",
            "0x1p16383",
            "0x1p-16445",
            "0x1.8p-16446",
        ] {
            assert!(LongDouble::parse(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "",
            ".",
            "-",
            "e5",
            "1e",
            "1e+",
            " 1",
            "1 ",
            "1.2.3",
            "nan",
            "1e5000",
            "1e-6000",
            "1e99999999999",
            "--1",
            "0x",
            "0xp1",
            "0x.",
            "0x.p1",
            "0x1p",
            "0x1p+",
            "0xg",
            "0x1.2.3",
            "0x1p1.5",
            "0x1p16384",
            "0x1p-16446",
            "x1",
            "0x-1",
            "nan(1)",
            "infi",
            "0x1p9999999999999999999",
        ] {
            assert!(LongDouble::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        // Rounded up beyond the largest number.
        assert!(LongDouble::parse(b"0x1.fffffffffffffffep16383").is_some());
        assert_eq!(LongDouble::parse(b"0x1.ffffffffffffffffp16383"), None);
        assert_eq!(LongDouble::parse(&[b'1'; TEXT_MAX]), None);
        assert!(LongDouble::parse(&[b'0'; TEXT_MAX - 1]).is_some());
    }

    #[test]
    fn hexadecimal_digits_are_rounded_to_even() {
        let parsed = |text: &str| LongDouble::parse(text.as_bytes()).unwrap();
        for (long, short) in [
            ("0x80000000000000008", "0x8000000000000000p4"),
            ("0x80000000000000018", "0x8000000000000002p4"),
            ("0x8000000000000000800000000000000000000000000000001", "0x8000000000000001p132"),
            ("0xffffffffffffffff8", "0x1p68"),
        ] {
            assert_eq!(parsed(long), parsed(short), "{long}");
        }
    }

    proptest! {
        /// Where a double is exact, so is the longer format.
        #[test]
        fn integers_and_halves_are_exact(left in -1i64 << 50..1 << 50, right in -1i64 << 50..1 << 50) {
            let expected = (left + right) as f64 / 2.0;
            let text = |number: i64| format!("{}", number as f64 / 2.0);
            let found = sum(&text(left), &text(right));
            prop_assert_eq!(found, if expected == 0.0 { "0".to_string() } else { format!("{expected}") });
        }

        /// A double written with all its digits is read as it is.
        #[test]
        fn doubles_are_read_exactly(value in NORMAL | POSITIVE | NEGATIVE) {
            // No double has more than 767 digits.
            let parsed = LongDouble::parse(format!("{value:.766e}").as_bytes()).unwrap();
            prop_assert_eq!(parsed.mantissa & 0x7ff, 0);
            prop_assert_eq!(as_double(parsed, parsed.mantissa >> 11), value);
        }

        /// The shortest text of a double, rounded to a double, is that double again. Where the longer format has come
        /// to lie in the middle of two doubles, it cannot tell any more on which side of it the text was.
        #[test]
        fn parsing_agrees_with_double(value in NORMAL | POSITIVE | NEGATIVE) {
            let parsed = LongDouble::parse(format!("{value:e}").as_bytes()).unwrap();
            let (below, rest) = (parsed.mantissa >> 11, parsed.mantissa & 0x7ff);
            let (low, high) = (as_double(parsed, below), as_double(parsed, below + 1));
            match rest.cmp(&0x400) {
                Ordering::Less => prop_assert_eq!(low, value),
                Ordering::Equal => prop_assert!([low, high].contains(&value)),
                Ordering::Greater => prop_assert_eq!(high, value),
            }
        }

        #[test]
        fn hexadecimal_is_read_exactly(mantissa in 1u64..1 << 53, zeros in 0usize..50, power in -60i32..60) {
            let zeros = "0".repeat(zeros);
            let text = format!("0x{zeros}{mantissa:x}.{zeros}p{power}");
            let parsed = LongDouble::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(parsed.mantissa & 0x7ff, 0);
            prop_assert_eq!(as_double(parsed, parsed.mantissa >> 11), f64::from(power).exp2() * mantissa as f64);
        }

        #[test]
        fn never_panics(left in "[-+]?(0x)?[0-9a-f.]{0,12}([ep]-?[0-9]{1,4})?",
            right in "[-+]?[0-9]{1,30}\\.?[0-9]{0,30}") {
            let numbers = [left, right].map(|text| LongDouble::parse(text.as_bytes()));
            if let [Some(left), Some(right)] = numbers {
                left.add(right).to_decimal();
            }
        }
    }
}
