//! PFSELFTEST: whether registers keep what they are given, and estimates are as good as is promised.

use super::bytes::{Limits, Union, add, count, make_dense, new, set};
use super::layout::REGISTERS;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The register with this number has another value than it was given.
    Register(usize),
    /// After so many elements the sparse form and the dense one have different estimates.
    Forms(u64),
    /// After so many elements the estimate is this, which is too far off.
    Estimate {
        /// How many elements there were.
        elements: u64,
        /// The estimate.
        estimate: u64,
    },
}

/// How often all registers are filled.
const ROUNDS: u32 = 20;
/// How many elements are counted. A hundred times as many would stop a server for a second.
const ELEMENTS: u64 = 100_000;

/// Runs both tests, in some ten milliseconds.
pub fn self_test() -> Result<(), Failure> {
    registers()?;
    estimates()
}

fn registers() -> Result<(), Failure> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for _ in 0..ROUNDS {
        let mut dense = new();
        make_dense(&mut dense).map_err(|_| Failure::Register(0))?;
        let mut values = vec![0; REGISTERS];
        for (number, value) in values.iter_mut().enumerate() {
            // Marsaglia's xorshift.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *value = (state % 64) as u8;
            set(&mut dense, number, *value, Limits::default()).map_err(|_| Failure::Register(number))?;
        }
        let mut read = Union::new();
        read.add(&dense).map_err(|_| Failure::Register(0))?;
        let wrong = values.iter().zip(read.registers()).position(|(value, read)| value != read);
        wrong.map_or(Ok(()), |number| Err(Failure::Register(number)))?;
    }
    Ok(())
}

fn estimates() -> Result<(), Failure> {
    let (mut sparse, mut dense) = (new(), new());
    make_dense(&mut dense).map_err(|_| Failure::Forms(0))?;
    let mut checked_next = 1;
    for elements in 1..=ELEMENTS {
        let element = elements.to_le_bytes();
        for bytes in [&mut sparse, &mut dense] {
            add(bytes, &element, Limits::default()).map_err(|_| Failure::Forms(elements))?;
        }
        if elements == checked_next {
            checked_next *= 10;
            let estimate = count(&dense).map_err(|_| Failure::Forms(elements))?;
            if count(&sparse) != Ok(estimate) {
                return Err(Failure::Forms(elements));
            }
            // Four standard errors, and at least one element.
            let standard_error = 1.04 / (REGISTERS as f64).sqrt();
            let allowed = (4.0 * standard_error * elements as f64).ceil() as u64;
            if estimate.abs_diff(elements) > allowed {
                return Err(Failure::Estimate { elements, estimate });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wrong() {
        assert_eq!(self_test(), Ok(()));
    }
}
