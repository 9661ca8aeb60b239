//! Sorted integers in one contiguous block: Redis's intset, byte for byte, so that a file or a DUMP payload takes it as
//! it is.
//!
//! Eight bytes of header (the width of an integer in bytes and the number of integers, little-endian, 32 bits each),
//! then the integers in ascending order, little-endian. All have the width that the widest one that was ever there
//! needs.

use super::super::block;

const HEADER: usize = 8;
/// The most integers in a block.
pub const MAX_LEN: usize = 1 << 30;

/// A block.
#[derive(Clone, Debug)]
pub struct IntSet {
    /// As many as the header says, then room for more.
    bytes: Box<[u8]>,
}

impl PartialEq for IntSet {
    fn eq(&self, other: &IntSet) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for IntSet {}

/// Why bytes are not a block: the offset of what is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupt(pub usize);

impl Default for IntSet {
    fn default() -> Self {
        Self::new()
    }
}

impl IntSet {
    /// An empty one.
    pub fn new() -> IntSet {
        IntSet { bytes: Box::new([2, 0, 0, 0, 0, 0, 0, 0]) }
    }

    /// A block that somebody else has made. Refused unless the width is 2, 4 or 8, the count agrees with the length,
    /// and every integer is greater than the one before it. An empty block is one too.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<IntSet, Corrupt> {
        const COUNT: usize = 4;
        if bytes.len() < HEADER || !matches!(bytes[..COUNT], [2 | 4 | 8, 0, 0, 0]) {
            return Err(Corrupt(0));
        }
        let count = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        let set = IntSet { bytes: bytes.into_boxed_slice() };
        let data = set.bytes.len() - HEADER;
        if count > MAX_LEN || data != count * set.width() {
            return Err(Corrupt(COUNT));
        }
        match (1..count).find(|&at| set.at(at - 1) >= set.at(at)) {
            Some(at) => Err(Corrupt(HEADER + at * set.width())),
            None => Ok(set),
        }
    }

    /// The block as it is written to a file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.size()]
    }

    /// How many bytes it has.
    fn size(&self) -> usize {
        HEADER + self.len() * self.width()
    }

    /// How many bytes are allocated.
    pub fn allocated(&self) -> usize {
        self.bytes.len()
    }

    /// How many integers there are.
    pub fn len(&self) -> usize {
        u32::from_le_bytes([self.bytes[4], self.bytes[5], self.bytes[6], self.bytes[7]]) as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer with this number in ascending order, from 0.
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.at(index))
    }

    /// Every integer in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Whether it is there.
    pub fn contains(&self, value: i64) -> bool {
        width_of(value) <= self.width() && self.search(value).is_ok()
    }

    /// Adds an integer and says whether it is new.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(index) = self.search(value) else { return false };
        if width_of(value) > self.width() {
            self.widen(width_of(value));
        }
        let (len, width) = (self.len(), self.width());
        let at = HEADER + index * width;
        let used = self.size();
        block::make_gap(&mut self.bytes, used, at..at, width);
        self.bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
        self.note(len + 1);
        true
    }

    /// Removes an integer and says whether it was there. The width stays.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.search(value) else { return false };
        let (len, used) = (self.len(), self.size());
        let at = HEADER + index * self.width();
        let old = at..at + self.width();
        block::make_gap(&mut self.bytes, used, old, 0);
        self.note(len - 1);
        true
    }

    fn width(&self) -> usize {
        usize::from(self.bytes[0])
    }

    /// The integer at an index below the count.
    fn at(&self, index: usize) -> i64 {
        let width = self.width();
        let data = &self.bytes[HEADER + index * width..][..width];
        match *data {
            [a, b] => i16::from_le_bytes([a, b]).into(),
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
            _ => i64::from_le_bytes(data.try_into().expect("the width is 2, 4 or 8")),
        }
    }

    /// The index of an integer, or the one it would have.
    fn search(&self, value: i64) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at(middle).cmp(&value) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Makes each integer so much wider, with room for one more.
    fn widen(&mut self, width: usize) {
        let mut bytes = vec![0; block::size_for(HEADER + (self.len() + 1) * width)];
        bytes[..HEADER].copy_from_slice(&self.bytes[..HEADER]);
        bytes[0] = width as u8;
        for (room, value) in bytes[HEADER..].chunks_exact_mut(width).zip(self.iter()) {
            room.copy_from_slice(&value.to_le_bytes()[..width]);
        }
        self.bytes = bytes.into_boxed_slice();
    }

    /// Writes the count.
    fn note(&mut self, count: usize) {
        self.bytes[4..HEADER].copy_from_slice(&(count as u32).to_le_bytes());
    }
}

fn width_of(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

#[cfg(test)]
#[path = "intset_tests.rs"]
mod tests;
