//! BITFIELD: integers of any width at any bit.

use super::bit::bytes_for;
use crate::number;

/// The type of an integer: signed with 1 to 64 bits, or unsigned with 1 to 63.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    signed: bool,
    bits: u32,
}

/// What becomes of a value that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overflow {
    /// Its lowest bits are kept.
    #[default]
    Wrap,
    /// The nearest one that fits is taken.
    Saturate,
    /// Nothing is changed.
    Fail,
}

impl Overflow {
    /// What an argument spells, in any case.
    pub fn parse(text: &[u8]) -> Option<Overflow> {
        const NAMES: [(&[u8], Overflow); 3] =
            [(b"wrap", Overflow::Wrap), (b"sat", Overflow::Saturate), (b"fail", Overflow::Fail)];
        NAMES.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, overflow)| overflow)
    }
}

/// A field of 64 bits that does not start with a byte is in 9 of them.
const WINDOW: usize = 9;

impl Field {
    /// What an argument spells: `i` or `u`, and the number of bits.
    pub fn parse(text: &[u8]) -> Option<Field> {
        let (signed, bits) = match text {
            [b'i', bits @ ..] => (true, bits),
            [b'u', bits @ ..] => (false, bits),
            _ => return None,
        };
        let max = if signed { 64 } else { 63 };
        let bits = number::parse(bits).filter(|bits| (1..=max).contains(bits))?;
        Some(Field { signed, bits: bits as u32 })
    }

    /// How many bits it has.
    pub fn bits(self) -> u32 {
        self.bits
    }

    fn max(self) -> i64 {
        (u64::MAX >> (64 - self.bits) >> u32::from(self.signed)) as i64
    }

    fn min(self) -> i64 {
        if self.signed { -self.max() - 1 } else { 0 }
    }

    /// The number that the lowest bits of `value` are.
    fn wrap(self, value: i64) -> i64 {
        let unused = 64 - self.bits;
        match self.signed {
            true => value << unused >> unused,
            false => ((value as u64) << unused >> unused) as i64,
        }
    }

    /// Its value at an offset. Zeros follow the string.
    pub fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let (window, shift) = self.window(bytes, offset);
        self.wrap((window >> shift) as i64)
    }

    /// Writes the lowest bits of a number at an offset. Nothing is written beyond the end: [`Field::bytes_needed`]
    /// tells how long the string must be.
    pub fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        let (window, shift) = self.window(bytes, offset);
        let mask = u128::from(u64::MAX >> (64 - self.bits)) << shift;
        let window = window & !mask | (value as u128) << shift & mask;
        let start = usize::try_from(offset / 8).unwrap_or(usize::MAX).min(bytes.len());
        for (byte, new) in bytes[start..].iter_mut().zip(&window.to_be_bytes()[16 - WINDOW..]) {
            *byte = *new;
        }
    }

    /// How long a string is that has it at an offset.
    pub fn bytes_needed(self, offset: u64) -> u64 {
        bytes_for(offset.saturating_add(u64::from(self.bits)))
    }

    /// The bytes that have it as one number, and by how much that has to be shifted.
    fn window(self, bytes: &[u8], offset: u64) -> (u128, u32) {
        let start = usize::try_from(offset / 8).unwrap_or(usize::MAX).min(bytes.len());
        let mut window = [0; 16];
        for (byte, old) in window[16 - WINDOW..].iter_mut().zip(&bytes[start..]) {
            *byte = *old;
        }
        (u128::from_be_bytes(window), WINDOW as u32 * 8 - (offset % 8) as u32 - self.bits)
    }

    /// What SET makes of a number. None if it must fail.
    ///
    /// [`Overflow::Saturate`] makes the greatest value of a number that is too low in two cases, as in Redis: if the
    /// field is unsigned, and if the number's distance from the greatest value is beyond an `i64`.
    pub fn fit(self, value: i64, overflow: Overflow) -> Option<i64> {
        let nearest =
            if self.signed && value < 0 && self.max().checked_sub(value).is_some() { self.min() } else { self.max() };
        self.fitted(value.into(), nearest, overflow)
    }

    /// What INCRBY makes of a value that it has. None if it must fail.
    pub fn add(self, value: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        let nearest = if increment < 0 { self.min() } else { self.max() };
        self.fitted(i128::from(value) + i128::from(increment), nearest, overflow)
    }

    fn fitted(self, value: i128, nearest: i64, overflow: Overflow) -> Option<i64> {
        if (self.min().into()..=self.max().into()).contains(&value) {
            return Some(value as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.wrap(value as i64)),
            Overflow::Saturate => Some(nearest),
            Overflow::Fail => None,
        }
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;
