use super::*;
use mlua::{Function, Lua, LuaString};
use proptest::prelude::*;

fn general(number: f64, precision: usize) -> String {
    let mut text = b"=".to_vec();
    append_general(&mut text, number, precision);
    String::from_utf8(text).unwrap()[1..].into()
}

#[test]
fn numbers_as_printf_has_them() {
    let cases = [
        (0.0, 14, "0"),
        (-0.0, 14, "-0"),
        (1.0, 14, "1"),
        (-1.5, 14, "-1.5"),
        (0.1, 14, "0.1"),
        (1.0 / 3.0, 14, "0.33333333333333"),
        (1e14, 14, "1e+14"),
        (99_999_999_999_999.0, 14, "99999999999999"),
        (99_999_999_999_999.5, 14, "1e+14"),
        (0.0001, 14, "0.0001"),
        (0.000_099_999_999_999_999_9, 14, "0.0001"),
        (0.00001, 14, "1e-05"),
        (1e100, 14, "1e+100"),
        (5e-324, 14, "4.9406564584125e-324"),
        (2.5, 1, "2"),
        (3.5, 1, "4"),
        (35.0, 1, "4e+01"),
        (9.5, 1, "1e+01"),
        (123_456.789, 3, "1.23e+05"),
        (100.0, 3, "100"),
        (1_000_000_000.0, 14, "1000000000"),
        (f64::INFINITY, 14, "inf"),
        (f64::NEG_INFINITY, 14, "-inf"),
        (f64::NAN, 14, "nan"),
        (-f64::NAN, 14, "-nan"),
    ];
    for (number, precision, text) in cases {
        assert_eq!(general(number, precision), text, "{number} {precision}");
    }
}

#[test]
fn numbers_at_the_start_of_texts() {
    let cases: [(&str, f64, usize); 24] = [
        ("1", 1.0, 1),
        ("-1.5e3x", -1500.0, 6),
        ("+7", 7.0, 2),
        ("1.", 1.0, 2),
        (".5", 0.5, 2),
        (".", 0.0, 0),
        ("-", 0.0, 0),
        ("", 0.0, 0),
        ("1e", 1.0, 1),
        ("1e+", 1.0, 1),
        ("1e400", f64::INFINITY, 5),
        ("infinite", f64::INFINITY, 3),
        ("-Infinity", f64::NEG_INFINITY, 9),
        ("0x", 0.0, 1),
        ("0x.", 0.0, 1),
        ("0x1F.8p1z", 63.0, 8),
        ("0xfffffffffffff", 4_503_599_627_370_495.0, 15),
        ("0xffffffffffffffff", 18_446_744_073_709_551_615.0, 18),
        ("0x1p", 1.0, 3),
        ("0x1p-1074", 5e-324, 9),
        ("0x1p-1075", 0.0, 9),
        ("0x1.00000000000008p0", 1.0, 20),
        ("0x1.000000000000080001p0", 1.000_000_000_000_000_2, 24),
        ("0x1.fffffffffffff8p1023", f64::INFINITY, 23),
    ];
    for (text, number, len) in cases {
        assert_eq!(read_number(text.as_bytes()), (number, len), "{text}");
    }
    for (text, len, negative) in [("nan", 3, false), ("-NaN", 4, true), ("nan(a_1)x", 8, false), ("nan(-)", 3, false)] {
        let (number, read) = read_number(text.as_bytes());
        assert!(number.is_nan() && number.is_sign_negative() == negative && read == len, "{text}");
    }
}

#[test]
fn what_does_not_fit_into_an_integer() {
    let half = 9_223_372_036_854_775_808.0;
    assert_eq!([to_i64(-1.9), to_i64(half), to_i64(-half), to_i64(f64::NAN)], [-1, i64::MIN, i64::MIN, i64::MIN]);
    assert_eq!([to_i32(-1.9), to_i32(2_147_483_647.9), to_i32(2_147_483_648.0)], [-1, i32::MAX, i32::MIN]);
    assert_eq!([to_u64(1.9), to_u64(half), to_u64(2.0 * half), to_u64(f64::INFINITY)], [1, 1 << 63, 0, 0]);
    assert_eq!(to_u64(f64::NAN), 1 << 63);
}

proptest! {
    #[test]
    fn hexadecimal_text_is_exact(bits: u64) {
        let number = f64::from_bits(bits & !(1 << 63));
        prop_assume!(number.is_finite());
        let (fraction, power) = (bits & ((1 << 52) - 1), bits >> 52 & 0x7ff);
        let text = match power {
            0 => format!("0x0.{fraction:013x}p-1022"),
            _ => format!("0x1.{fraction:013X}P{}", power as i64 - 1_023),
        };
        prop_assert_eq!(read_number(text.as_bytes()), (number, text.len()));
    }

    #[test]
    fn decimal_text_is_what_rust_reads(number: f64) {
        let text = format!("{number:e}");
        let (read, len) = read_number(text.as_bytes());
        prop_assert!(read.to_bits() == number.to_bits() || read.is_nan() && number.is_nan());
        prop_assert_eq!(len, text.len());
    }

    #[test]
    fn printed_numbers_are_read_again(number: f64, precision in 1..15usize) {
        let text = general(number, precision);
        let (read, len) = read_number(text.as_bytes());
        prop_assert_eq!(len, text.len());
        if number.is_finite() {
            let error = (read - number).abs() / number.abs().max(f64::MIN_POSITIVE);
            let is_near = read.is_infinite() || error <= 10f64.powi(1 - precision as i32);
            prop_assert!(read == number || is_near, "{text} {number}");
        }
    }

    #[test]
    fn numbers_print_like_in_c(number: f64, integer: i32, decimals in 0..12, precision in 1..18usize) {
        let lua = Lua::new();
        let print: Function = lua.load("return string.format").eval().unwrap();
        // The second has ties.
        for number in [number, f64::from(integer) / f64::from(decimals).exp2(), f64::from(integer)] {
            let theirs: LuaString = print.call((format!("%.{precision}g"), number)).unwrap();
            prop_assert_eq!(&general(number, precision), &*theirs.to_string_lossy());
        }
    }

    #[test]
    fn any_bytes_are_a_number_or_none(bytes: Vec<u8>) {
        prop_assert!(read_number(&bytes).1 <= bytes.len());
    }
}
