//! The longest common subsequence of two strings.
//!
//! The table of the classic algorithm has a cell for each pair of prefixes: the length of their longest common
//! subsequence. From one cell of a row to the next that grows by 0 or 1, and this bit is all that is kept of a cell. So
//! the row below comes from 64 cells at a time (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004), and 64
//! cells take as much memory as two of Redis's.

use std::ops::Range;

/// What the strings may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The bytes that a table with four bytes a cell would have, as Redis's has; `proto-max-bulk-len` there.
    pub table_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { table_bytes: 512 << 20 }
    }
}

/// Why two strings are not compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TooLong {
    /// A string of 4 GiB.
    String,
    /// The table, by [`Limits::table_bytes`].
    Table,
    /// The table, by what memory there is.
    Memory,
}

/// Two equal parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// Where it is in the first string.
    pub first: Range<usize>,
    /// Where it is in the second string.
    pub second: Range<usize>,
}

/// Two strings and the table of their prefixes.
pub struct Comparison<'a> {
    first: &'a [u8],
    second: &'a [u8],
    rows: Vec<u8>,
    length: usize,
}

/// How long the longest common subsequence of two strings is.
pub fn length(first: &[u8], second: &[u8], limits: Limits) -> Result<usize, TooLong> {
    check(first, second, limits)?;
    Ok(compare(first, second, |_| {}))
}

impl<'a> Comparison<'a> {
    /// Compares two strings, in a time for each pair of their bytes.
    pub fn new(first: &'a [u8], second: &'a [u8], limits: Limits) -> Result<Comparison<'a>, TooLong> {
        check(first, second, limits)?;
        let mut rows = Vec::new();
        let bytes = first.len() * stride(second) + size_of::<u64>();
        rows.try_reserve_exact(bytes).map_err(|_| TooLong::Memory)?;
        let mut end = 0;
        let length = compare(first, second, |row| {
            row.iter().for_each(|word| rows.extend_from_slice(&word.to_le_bytes()));
            end += stride(second);
            rows.truncate(end);
        });
        Ok(Comparison { first, second, rows, length })
    }

    /// How long the longest common subsequence is.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The parts that make up the longest common subsequence, the last one first. Where there are several such
    /// subsequences, it is the one that Redis finds.
    pub fn matches(&self) -> impl Iterator<Item = Match> + use<'_> {
        let (mut first, mut second) = (self.first.len(), self.second.len());
        std::iter::from_fn(move || {
            while first > 0 && second > 0 {
                let equal = self.equal_at_end(first, second);
                if equal > 0 {
                    let found = Match { first: first - equal..first, second: second - equal..second };
                    (first, second) = (found.first.start, found.second.start);
                    return Some(found);
                }
                match self.grows(first, second) {
                    true => first -= 1,
                    false => second -= 1,
                }
            }
            None
        })
    }

    /// The longest common subsequence itself.
    pub fn sequence(&self) -> Vec<u8> {
        let mut sequence = vec![0; self.length];
        let mut end = self.length;
        for Match { first, .. } in self.matches() {
            let start = end - first.len();
            sequence[start..end].copy_from_slice(&self.first[first]);
            end = start;
        }
        sequence
    }

    /// How many bytes at the ends of two prefixes are equal.
    fn equal_at_end(&self, first: usize, second: usize) -> usize {
        let pairs = self.first[..first].iter().rev().zip(self.second[..second].iter().rev());
        pairs.take_while(|(a, b)| a == b).count()
    }

    /// Whether the subsequence of two prefixes is longer than without the last byte of the second one. If these end
    /// with different bytes, the last one of the first string is not needed then.
    fn grows(&self, first: usize, second: usize) -> bool {
        let (row, bit) = ((first - 1) * stride(self.second), second - 1);
        self.rows[row + bit / 8] >> (bit % 8) & 1 == 0
    }
}

/// The bytes of a row of the table.
fn stride(second: &[u8]) -> usize {
    second.len().div_ceil(8)
}

fn check(first: &[u8], second: &[u8], limits: Limits) -> Result<(), TooLong> {
    const CELL: u64 = 4;
    const STRING_MAX: u64 = u32::MAX as u64 - 1;
    let [first, second] = [first.len() as u64, second.len() as u64];
    if first.max(second) >= STRING_MAX {
        return Err(TooLong::String);
    }
    // Neither product is beyond 64 bits, as long as the strings are shorter than that.
    let table = u128::from(first + 1) * u128::from(second + 1) * u128::from(CELL);
    if table > limits.table_bytes.into() { Err(TooLong::Table) } else { Ok(()) }
}

/// Calls `each` with each row of the table, and returns the last length of the last row.
///
/// A row has a bit for each byte of the second string, from the lowest bit of the first word on: 0 where the length
/// grows. Behind the string the bits are 1.
fn compare(first: &[u8], second: &[u8], mut each: impl FnMut(&[u64])) -> usize {
    let words = second.len().div_ceil(64);
    // For each byte that the first string has: where the second one has it.
    let mut places: [Option<Box<[u64]>>; 256] = [const { None }; 256];
    for byte in first {
        places[usize::from(*byte)].get_or_insert_with(|| vec![0; words].into());
    }
    for (at, byte) in second.iter().enumerate() {
        if let Some(places) = &mut places[usize::from(*byte)] {
            places[at / 64] |= 1 << (at % 64);
        }
    }
    let mut row = vec![u64::MAX; words];
    for byte in first {
        let mut carry = false;
        for (word, places) in row.iter_mut().zip(places[usize::from(*byte)].iter().flatten()) {
            let (sum, first_carry) = word.overflowing_add(*word & places);
            let (sum, second_carry) = sum.overflowing_add(carry.into());
            carry = first_carry || second_carry;
            *word = sum | *word & !places;
        }
        each(&row);
    }
    row.iter().map(|word| word.count_zeros() as usize).sum()
}

#[cfg(test)]
#[path = "lcs_tests.rs"]
mod tests;
