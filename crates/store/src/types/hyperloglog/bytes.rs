//! What a HyperLogLog can do with its bytes.

use super::estimate::{Histogram, estimate};
use super::layout::{Corrupt, HASH_BITS, REGISTER_BITS, REGISTERS};
use super::murmur;
use super::sparse::{self, Run, Set};

const SEED: u64 = 0xadc8_3b19;

const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING: usize = 4;
const CACHE: usize = 8;
const STALE: usize = 15;
const HEADER: usize = 16;
const DENSE_SIZE: usize = HEADER + REGISTERS / 4 * 3;

/// How the registers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Each in 6 bits.
    Dense,
    /// As runs of the same value.
    Sparse,
}

/// When a sparse one becomes dense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `hll-sparse-max-bytes`: with the header.
    pub sparse_max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { sparse_max_bytes: 3000 }
    }
}

/// One of no element, sparse.
pub fn new() -> Vec<u8> {
    let mut bytes = [&MAGIC[..], &[1], &[0; 11]].concat();
    bytes.extend_from_slice(&[0x7f, 0xff]);
    bytes
}

/// Whether a string is one, by its header and length; WRONGTYPE in Redis if not. The runs are checked when they are
/// read.
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
        return None;
    }
    match bytes[ENCODING] {
        0 if bytes.len() == DENSE_SIZE => Some(Encoding::Dense),
        1 => Some(Encoding::Sparse),
        _ => None,
    }
}

/// The estimate that is kept with the registers, unless it is stale.
pub fn cached(bytes: &[u8]) -> Option<u64> {
    let cache = u64::from_le_bytes(bytes.get(CACHE..HEADER)?.try_into().ok()?);
    (cache >> 63 == 0).then_some(cache)
}

/// Keeps an estimate with the registers. Redis counts this as a change of the key.
pub fn cache(bytes: &mut [u8], count: u64) {
    bytes[CACHE..HEADER].copy_from_slice(&count.to_le_bytes());
}

/// Says that the kept estimate is stale. PFADD does so for a new key too.
pub fn make_stale(bytes: &mut [u8]) {
    bytes[STALE] |= 0x80;
}

/// Which register an element is for, and the least value that it has then.
fn register_of(element: &[u8]) -> (usize, u8) {
    let hash = murmur::hash(element, SEED);
    let rest = hash >> REGISTER_BITS | 1 << HASH_BITS;
    (hash as usize % REGISTERS, rest.trailing_zeros() as u8 + 1)
}

/// Adds an element to one that [`encoding`] knows; true if a register has changed.
pub fn add(bytes: &mut Vec<u8>, element: &[u8], limits: Limits) -> Result<bool, Corrupt> {
    let (register, value) = register_of(element);
    set(bytes, register, value, limits)
}

/// Raises a register of one that [`encoding`] knows to a value; true if it was lower.
pub(super) fn set(bytes: &mut Vec<u8>, register: usize, value: u8, limits: Limits) -> Result<bool, Corrupt> {
    if encoding(bytes) == Some(Encoding::Sparse) {
        match sparse::set(bytes, HEADER, register, value, limits.sparse_max_bytes)? {
            Set::Kept => return Ok(false),
            Set::Changed => {
                make_stale(bytes);
                return Ok(true);
            }
            Set::Full => make_dense(bytes)?,
        }
    }
    let changed = set_dense(&mut bytes[HEADER..], register, value);
    if changed {
        make_stale(bytes);
    }
    Ok(changed)
}

/// Makes a sparse one dense; if that cannot be, nothing has changed.
pub fn make_dense(bytes: &mut Vec<u8>) -> Result<(), Corrupt> {
    if encoding(bytes) != Some(Encoding::Sparse) {
        return Ok(());
    }
    let mut dense = vec![0; DENSE_SIZE];
    dense[..HEADER].copy_from_slice(&bytes[..HEADER]);
    dense[ENCODING] = 0;
    sparse::runs(bytes, HEADER, |first, run| {
        if run.value() > 0 {
            (first..first + run.length()).for_each(|register| {
                set_dense(&mut dense[HEADER..], register, run.value());
            });
        }
    })?;
    *bytes = dense;
    Ok(())
}

fn set_dense(registers: &mut [u8], register: usize, value: u8) -> bool {
    let group = &mut registers[register / 4 * 3..][..3];
    let mut bits = u32::from_le_bytes([group[0], group[1], group[2], 0]);
    let shift = register % 4 * 6;
    let larger = u32::from(value) > bits >> shift & 0x3f;
    if larger {
        bits = bits & !(0x3f << shift) | u32::from(value) << shift;
        group.copy_from_slice(&bits.to_le_bytes()[..3]);
    }
    larger
}

/// The runs of a sparse one, as PFDEBUG DECODE shows them. They may make no sense.
pub fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> {
    sparse::listed(bytes, HEADER)
}

/// Calls `each` with a first register, how many there are from there on, and the value that they have.
fn registers(bytes: &[u8], mut each: impl FnMut(usize, usize, u8)) -> Result<(), Corrupt> {
    if encoding(bytes) == Some(Encoding::Sparse) {
        return sparse::runs(bytes, HEADER, |first, run| each(first, run.length(), run.value()));
    }
    for (number, group) in bytes[HEADER..].as_chunks::<3>().0.iter().enumerate() {
        let bits = u32::from_le_bytes([group[0], group[1], group[2], 0]);
        for register in 0..4 {
            each(4 * number + register, 1, (bits >> (6 * register) & 0x3f) as u8);
        }
    }
    Ok(())
}

/// The estimate, from the registers of one that [`encoding`] knows.
pub fn count(bytes: &[u8]) -> Result<u64, Corrupt> {
    let mut histogram: Histogram = [0; 64];
    registers(bytes, |_, length, value| histogram[usize::from(value)] += length as u32)?;
    Ok(estimate(&histogram))
}

/// The registers of several: for PFCOUNT of several keys, PFMERGE, and PFDEBUG GETREG.
pub struct Union {
    registers: Box<[u8]>,
    encoding: Encoding,
}

impl Default for Union {
    fn default() -> Self {
        Self::new()
    }
}

impl Union {
    /// Of none yet.
    pub fn new() -> Union {
        Union { registers: vec![0; REGISTERS].into(), encoding: Encoding::Sparse }
    }

    /// Takes in another one that [`encoding`] knows.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Corrupt> {
        if encoding(bytes) == Some(Encoding::Dense) {
            self.encoding = Encoding::Dense;
        }
        registers(bytes, |first, length, value| {
            for register in &mut self.registers[first..first + length] {
                *register = value.max(*register);
            }
        })
    }

    /// The registers' values.
    pub fn registers(&self) -> &[u8] {
        &self.registers
    }

    /// The estimate for all together.
    pub fn count(&self) -> u64 {
        let mut histogram: Histogram = [0; 64];
        for &value in &self.registers {
            histogram[usize::from(value)] += 1;
        }
        estimate(&histogram)
    }

    /// Raises the registers of PFMERGE's destination to these. It becomes dense if one of those taken in was.
    pub fn merge_into(&self, bytes: &mut Vec<u8>, limits: Limits) -> Result<(), Corrupt> {
        if self.encoding == Encoding::Dense {
            make_dense(bytes)?;
        }
        for (register, &value) in self.registers.iter().enumerate() {
            if value > 0 {
                set(bytes, register, value, limits)?;
            }
        }
        make_stale(bytes);
        Ok(())
    }
}

#[cfg(test)]
#[path = "hyperloglog_tests.rs"]
mod tests;
