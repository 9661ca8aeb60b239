//! Passwords: only their SHA-256 is kept.

use sha2::{Digest, Sha256};
use std::fmt::{self, Display, Formatter};

const DIGEST_SIZE: usize = 32;

/// The SHA-256 of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Password([u8; DIGEST_SIZE]);

impl Password {
    pub fn of(text: &[u8]) -> Password {
        Password(Sha256::digest(text).into())
    }

    /// From 64 hexadecimal digits in lower case.
    pub fn from_hex(hex: &[u8]) -> Option<Password> {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        if hex.len() != 2 * DIGEST_SIZE {
            return None;
        }
        let mut digest = [0; DIGEST_SIZE];
        for (byte, pair) in digest.iter_mut().zip(hex.chunks(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Password(digest))
    }

    /// Compares in a time that does not depend on where they differ.
    pub fn is_same(&self, other: &Password) -> bool {
        let difference = self.0.iter().zip(other.0).fold(0, |sum, (one, other)| sum | (one ^ other));
        std::hint::black_box(difference) == 0
    }
}

impl Display for Password {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_sha_256() {
        let hex = "f64551fcd6f07823cb87971cfb91446425da18286b3ab1ef935e0cbd7a69f68a";
        assert_eq!(Password::of(b"p1").to_string(), hex);
        assert_eq!(Password::from_hex(hex.as_bytes()), Some(Password::of(b"p1")));
        assert!(Password::of(b"p1").is_same(&Password::of(b"p1")));
        assert!(!Password::of(b"p1").is_same(&Password::of(b"p2")));
    }

    #[test]
    fn other_text_is_no_digest() {
        let hex = "a".repeat(64);
        for wrong in ["", &hex[1..], &format!("{hex}a"), &hex.to_uppercase(), &format!("{}g", &hex[1..])] {
            assert_eq!(Password::from_hex(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
