//! Integers of any size, with no more operations than reading and printing a long double takes.

use std::cmp::Ordering;

/// Limbs from the lowest on; the last one is not zero.
#[derive(Clone)]
pub struct Bignum(Vec<u32>);

impl From<u64> for Bignum {
    fn from(value: u64) -> Bignum {
        let mut number = Bignum(vec![value as u32, (value >> 32) as u32]);
        number.trim();
        number
    }
}

impl Bignum {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    pub fn bits(&self) -> u32 {
        self.0.last().map_or(0, |top| self.0.len() as u32 * 32 - top.leading_zeros())
    }

    pub fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.0 {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    pub fn shift_left(&mut self, bits: u32) {
        let factor = 1u32 << (bits % 32);
        self.multiply_add(factor, 0);
        if !self.0.is_empty() {
            let zeros = std::iter::repeat_n(0, (bits / 32) as usize);
            self.0.splice(..0, zeros);
        }
    }

    pub fn halve(&mut self) {
        let mut carry = 0;
        for limb in self.0.iter_mut().rev() {
            let low = *limb & 1;
            *limb = *limb >> 1 | carry << 31;
            carry = low;
        }
        self.trim();
    }

    /// Subtracts `other` unless it is larger; says whether it did.
    pub fn subtract_if_not_less(&mut self, other: &Bignum) -> bool {
        let order = self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()));
        if order == Ordering::Less {
            return false;
        }
        let mut borrow = false;
        for (i, limb) in self.0.iter_mut().enumerate() {
            let (difference, under) = limb.overflowing_sub(other.0.get(i).copied().unwrap_or(0));
            let (difference, under_again) = difference.overflowing_sub(u32::from(borrow));
            *limb = difference;
            borrow = under || under_again;
        }
        self.trim();
        true
    }

    pub fn to_decimal(&self) -> String {
        const PART: u64 = 1_000_000_000;
        let mut parts = Vec::new();
        let mut rest = self.clone();
        while !rest.0.is_empty() {
            let mut remainder = 0u64;
            for limb in rest.0.iter_mut().rev() {
                remainder = remainder << 32 | u64::from(*limb);
                *limb = (remainder / PART) as u32;
                remainder %= PART;
            }
            rest.trim();
            parts.push(remainder);
        }
        let Some(first) = parts.pop() else { return "0".into() };
        parts.iter().rev().fold(first.to_string(), |text, part| text + &format!("{part:09}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(number: &Bignum) -> u128 {
        number.0.iter().rev().fold(0, |value, limb| value << 32 | u128::from(*limb))
    }

    proptest! {
        #[test]
        fn agrees_with_u128(a: u64, b: u64, factor: u32, summand: u32, bits in 0u32..64) {
            let mut number = Bignum::from(a);
            number.multiply_add(factor, summand);
            let mut expected = u128::from(a) * u128::from(factor) + u128::from(summand);
            prop_assert_eq!(value(&number), expected);
            if expected >> (128 - bits).min(127) == 0 {
                number.shift_left(bits);
                expected <<= bits;
            }
            prop_assert_eq!(number.to_decimal(), expected.to_string());
            prop_assert_eq!(number.bits(), 128 - expected.leading_zeros());
            let mut half = number.clone();
            half.halve();
            prop_assert_eq!(value(&half), expected / 2);
            let subtracted = number.subtract_if_not_less(&Bignum::from(b));
            prop_assert_eq!(subtracted, expected >= u128::from(b));
            prop_assert_eq!(value(&number), expected.checked_sub(u128::from(b)).unwrap_or(expected));
        }
    }
}
