//! How many different elements a histogram of registers speaks of.
//!
//! Ertl's improved estimator ("New cardinality estimation algorithms for HyperLogLog sketches", 2017), in the order of
//! operations that gives Redis's figures to the last digit.

use super::layout::{HASH_BITS, REGISTERS};

/// How many registers have each value.
pub(super) type Histogram = [u32; 64];

/// 0.5 / ln 2.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// At most `i64::MAX`, what a reply and the kept estimate can tell. (Redis overflows for registers that no elements can
/// have filled.)
pub(super) fn estimate(histogram: &Histogram) -> u64 {
    let registers = REGISTERS as f64;
    let full = f64::from(histogram[HASH_BITS + 1]);
    let mut z = registers * tau((registers - full) / registers);
    for &count in histogram[1..=HASH_BITS].iter().rev() {
        z = (z + f64::from(count)) * 0.5;
    }
    z += registers * sigma(f64::from(histogram[0]) / registers);
    (ALPHA * registers * registers / z).round() as i64 as u64
}

/// Corrects for registers that are still 0.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// Corrects for registers that can grow no more.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the paper has it: a series, of which sixty terms are all that matters.
    #[test]
    fn registers_that_can_grow_no_more_are_corrected_for() {
        for share in [0.01f64, 0.5, 0.9, 0.999] {
            let term = |k: i32| (1.0 - share.powf(0.5f64.powi(k))).powi(2) * 0.5f64.powi(k);
            let series = (1.0 - share - (1..=60).map(term).sum::<f64>()) / 3.0;
            assert!((tau(share) - series).abs() < 1e-12, "{share}: {} {series}", tau(share));
        }
        assert_eq!((tau(0.0), tau(1.0)), (0.0, 0.0));
    }
}
