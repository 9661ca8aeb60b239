//! Numbers and errors as text.

use resp::number;
use std::io;

/// The port that a text begins with; none if no port has this number.
pub fn port(text: &str) -> Option<u16> {
    u16::try_from(number::leading(text.as_bytes())).ok()
}

/// The number that a text begins with, as C's atof reads it; 0 if there is none.
pub fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    (1..=text.len())
        .rev()
        .filter_map(|end| text.get(..end))
        .find_map(|head| head.parse::<f64>().ok())
        .unwrap_or_default()
}

/// What the system says of an error, without its number.
pub fn system_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = without_number(&text);
    text.strip_prefix("failed to lookup address information: ").unwrap_or(text).into()
}

/// A text at whose end the number of the system's error may stand, without that.
pub fn without_number(text: &str) -> &str {
    match text.rfind(" (os error ") {
        Some(end) if text.ends_with(')') => &text[..end],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_c_reads_them() {
        for (text, value) in [("65535", Some(65_535)), ("65536", None), ("-1", None), ("7x", Some(7))] {
            assert_eq!(port(text), value, "{text:?}");
        }
        for (text, value) in [("0.25", 0.25), ("1e2s", 100.0), (".5", 0.5), ("x", 0.0), ("", 0.0)] {
            assert_eq!(leading_number(text), value, "{text:?}");
        }
    }

    #[test]
    fn errors_without_numbers() {
        assert_eq!(system_error(&io::Error::from_raw_os_error(111)), "Connection refused");
        assert_eq!(without_number("/a (os error 1)/b: No (os error 2)"), "/a (os error 1)/b: No");
        assert_eq!(without_number("/a (os error 1): not this"), "/a (os error 1): not this");
    }
}
