//! A script's values as arguments of a command.

use mlua::Value;

/// The arguments of `redis.call`; None unless they are strings and numbers.
pub fn of_values(values: &[Value]) -> Option<Vec<Vec<u8>>> {
    values.iter().map(text).collect()
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
    general(number, 17).into_bytes()
}

/// A number as C's `%.{digits}g` has it.
pub fn general(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return if number.is_nan() {
            if number.is_sign_negative() { "-nan" } else { "nan" }.into()
        } else {
            if number > 0.0 { "inf" } else { "-inf" }.into()
        };
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.into();
    }
    let scientific = format!("{:.*e}", digits - 1, number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..digits as i32).contains(&exponent) {
        let places = (digits as i32 - 1 - exponent) as usize;
        return trimmed(&format!("{number:.places$}")).into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
}

/// Without zeros behind the point.
fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_prints_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (3.7, "3.7000000000000002"),
            (1e15, "1000000000000000"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1.0000000000000001e-05"),
            (-1.5e300, "-1.5000000000000001e+300"),
            (f64::INFINITY, "inf"),
            (5e-324, "4.9406564584124654e-324"),
        ] {
            assert_eq!(general(number, 17), text);
        }
        assert_eq!(general(1.0 / 3.0, 14), "0.33333333333333");
    }
}
