//! The x87 `long double` that Redis adds with in INCRBYFLOAT: 64 bits of precision, correctly rounded, printed with 17
//! decimals. With Rust's `f64` or with decimals the last digits of many sums would not be Redis's.

use rustc_apfloat::ieee::X87DoubleExtended;
use rustc_apfloat::{Float, Round, Status};
use std::cmp::Ordering;

/// The number is `mantissa * 2^exponent`, negated if `negative`. The mantissa's top bit is set, except in numbers near
/// zero, which have less precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// Added to an exponent in the format's bits, so that it is not negative.
const BIAS: i32 = 16383 + 63;
/// Of the largest finite number.
const EXPONENT_MAX: i32 = 16383 - 63;
/// The longest text that Redis takes for a number.
const TEXT_MAX: usize = 5 * 1024;
const DECIMALS: u32 = 17;
/// More than the largest number has.
const DIGITS_MAX: usize = 5000;

impl LongDouble {
    /// Nothing.
    pub const ZERO: LongDouble = LongDouble { negative: false, mantissa: 0, exponent: -BIAS };

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
            return Some(LongDouble { negative, ..LongDouble::from(X87DoubleExtended::INFINITY) });
        }
        let unsigned = std::str::from_utf8(unsigned).ok()?;
        let is_hexadecimal = unsigned.starts_with("0x") || unsigned.starts_with("0X");
        // No second sign, no other words, and digits behind `e` and `p`.
        let ends_well = |c: char| c == '.' || if is_hexadecimal { c.is_ascii_hexdigit() } else { c.is_ascii_digit() };
        if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !unsigned.ends_with(ends_well) {
            return None;
        }
        let number = if is_hexadecimal && !unsigned.contains(['p', 'P']) {
            X87DoubleExtended::from_str_r(&format!("{unsigned}p0"), Round::NearestTiesToEven)
        } else {
            X87DoubleExtended::from_str_r(unsigned, Round::NearestTiesToEven)
        };
        let number = number.ok()?.value;
        let digits = unsigned.split(if is_hexadecimal { ['p', 'P'] } else { ['e', 'E'] }).next()?;
        let rounded_to_zero = number.is_zero() && digits.contains(|c: char| c.is_ascii_hexdigit() && c != '0');
        (number.is_finite() && !rounded_to_zero).then(|| LongDouble { negative, ..LongDouble::from(number) })
    }

    /// The sum, rounded to the nearest.
    pub fn add(self, other: LongDouble) -> LongDouble {
        (X87DoubleExtended::from(self) + X87DoubleExtended::from(other)).value.into()
    }

    /// The least integer that is not below 1000 times the number; None if 64 bits cannot hold it.
    pub fn times_1000_rounded_up(self) -> Option<i64> {
        let thousand = X87DoubleExtended::from_u128(1000).value;
        let product = (X87DoubleExtended::from(self) * thousand).value;
        let integer = product.to_i128_r(64, Round::TowardPositive, &mut false);
        (!integer.status.contains(Status::INVALID_OP)).then(|| i64::try_from(integer.value).ok()).flatten()
    }

    /// Whether it is larger or smaller than any number.
    pub fn is_infinite(self) -> bool {
        self.exponent > EXPONENT_MAX
    }

    /// With up to 17 decimals and no zeros at the end; None if it is infinite.
    pub fn to_decimal(self) -> Option<String> {
        if self.is_infinite() {
            return None;
        }
        let text = if self.exponent >= 0 {
            format!("{:DIGITS_MAX$.DIGITS_MAX$}", X87DoubleExtended::from(LongDouble { negative: false, ..self }))
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

impl From<X87DoubleExtended> for LongDouble {
    fn from(number: X87DoubleExtended) -> LongDouble {
        let bits = number.to_bits();
        let exponent = (bits >> 64) as i32 & 0x7fff;
        // Numbers near zero have the least exponent, and 0 in its place.
        LongDouble { negative: number.is_negative(), mantissa: bits as u64, exponent: exponent.max(1) - BIAS }
    }
}

impl From<LongDouble> for X87DoubleExtended {
    fn from(number: LongDouble) -> X87DoubleExtended {
        let is_normal = number.mantissa >> 63 != 0;
        let exponent = if is_normal { (number.exponent + BIAS) as u128 } else { 0 };
        let sign = u128::from(number.negative) << 79;
        X87DoubleExtended::from_bits(sign | exponent << 64 | u128::from(number.mantissa))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE};
    use proptest::prelude::*;

    fn sum(left: &str, right: &str) -> String {
        let add = LongDouble::parse(left.as_bytes()).unwrap().add(LongDouble::parse(right.as_bytes()).unwrap());
        add.to_decimal().unwrap_or("infinite".into())
    }

    #[test]
    fn thousandfold() {
        for (text, expected) in [
            ("0.5", Some(500)),
            ("0.0001", Some(1)),
            ("-0.0001", Some(0)),
            ("-1", Some(-1000)),
            ("0x.8", Some(500)),
            ("9223372036854775.807", Some(i64::MAX)),
            ("9223372036854775.808", None),
            ("1e20", None),
            ("1e400", None),
            ("-inf", None),
        ] {
            assert_eq!(LongDouble::parse(text.as_bytes()).unwrap().times_1000_rounded_up(), expected, "{text}");
        }
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
        assert_ne!(sum("1.1e4932", "0"), "infinite");
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
        /// to lie in the middle of two doubles, it can no longer tell on which side of it the text was.
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

    #[test]
    fn a_half_goes_to_the_even_one() {
        assert_eq!([2, 6, 7, 5].map(|value| round_half_even(value, 2)), [0, 2, 2, 1]);
    }

    #[test]
    fn the_longest_number_that_is_read() {
        assert!(LongDouble::parse("0".repeat(TEXT_MAX - 1).as_bytes()).is_some());
        assert!(LongDouble::parse("0".repeat(TEXT_MAX).as_bytes()).is_none());
    }
}
