//! Strings that are integers: decimal, no plus sign, no leading zero, no space. Only these read the same after they
//! have been kept as a number.

/// The longest `i64` in digits and sign.
const MAX_LEN: usize = 20;

/// Room for the decimal form of an integer, which lives as long as the reference to it.
#[derive(Clone, Copy)]
pub struct Digits(itoa::Buffer);

impl Default for Digits {
    fn default() -> Self {
        Self::new()
    }
}

impl Digits {
    /// Nothing yet.
    pub fn new() -> Digits {
        Digits(itoa::Buffer::new())
    }

    /// The digits of `value`, with a minus sign if it has one.
    pub fn of(&mut self, value: i64) -> &[u8] {
        self.0.format(value).as_bytes()
    }
}

/// The number that [`Digits`] would spell as `text`, if there is one.
pub fn parse(text: &[u8]) -> Option<i64> {
    // Most of what is no number is seen by its first byte.
    if text.len() > MAX_LEN || !matches!(text, [b'-' | b'0'..=b'9', ..]) {
        return None;
    }
    let value = std::str::from_utf8(text).ok()?.parse().ok()?;
    (Digits::new().of(value) == text).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_spelling_is_a_number() {
        for bad in ["", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1a", "0x1", "1.0", "\u{661}"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
        for bad in ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "100000000000000000000"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(parse(b"\xff"), None);
        for value in [0, 1, -1, i64::MAX, i64::MIN] {
            assert_eq!(parse(value.to_string().as_bytes()), Some(value));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value: i64, shift in 0u32..63) {
            let value = value >> shift;
            let text = value.to_string();
            prop_assert_eq!(Digits::new().of(value).to_vec(), text.as_bytes());
            prop_assert_eq!(parse(text.as_bytes()), Some(value));
        }
    }
}
