//! A bucket array in segments. They get memory when something is first written there, and are given back one by one, so
//! that neither a new array of millions of buckets nor the end of an old one takes more time than a few buckets.

use std::ops::Range;

/// Reference to an entry: its id plus one.
pub type Link = u32;
/// The end of a chain.
pub const NONE: Link = 0;

/// Buckets in a segment.
const SEGMENT: usize = if cfg!(test) { 16 } else { 4096 };

#[derive(Clone, Default)]
pub struct Buckets {
    segments: Vec<Option<Box<[Link]>>>,
    len: usize,
}

impl Buckets {
    /// So many buckets, all of them empty.
    pub fn new(len: usize) -> Buckets {
        Buckets { segments: vec![None; len.div_ceil(SEGMENT)], len }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, at: usize) -> Link {
        match &self.segments[at / SEGMENT] {
            Some(segment) => segment[at % SEGMENT],
            None => NONE,
        }
    }

    pub fn get_mut(&mut self, at: usize) -> &mut Link {
        let len = self.len.min(SEGMENT);
        let segment = self.segments[at / SEGMENT].get_or_insert_with(|| vec![NONE; len].into_boxed_slice());
        &mut segment[at % SEGMENT]
    }

    /// Gives back the segments that end in a range of buckets: nobody needs those before its end any more.
    pub fn free(&mut self, passed: Range<usize>) {
        self.segments[passed.start / SEGMENT..passed.end / SEGMENT].fill(None);
    }

    /// Gives back up to `budget` segments. No bucket is left.
    pub fn drop_some(&mut self, budget: usize) {
        self.len = 0;
        self.segments.truncate(self.segments.len().saturating_sub(budget));
    }

    #[cfg(test)]
    pub fn segments_in_use(&self) -> usize {
        self.segments.iter().flatten().count()
    }

    /// How many bytes of memory it has.
    pub fn allocated(&self) -> usize {
        let used = self.segments.iter().flatten().map(|segment| size_of_val(&**segment)).sum::<usize>();
        used + self.segments.capacity() * size_of::<Option<Box<[Link]>>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_and_goes_segment_by_segment() {
        let mut buckets = Buckets::new(100 * SEGMENT);
        assert_eq!((buckets.get(7), buckets.segments_in_use()), (NONE, 0));
        (0..buckets.len()).step_by(SEGMENT / 2).for_each(|at| *buckets.get_mut(at) = 1);
        assert_eq!(buckets.segments_in_use(), 100);
        for at in (0..buckets.len()).step_by(SEGMENT / 4) {
            let before = buckets.segments_in_use();
            buckets.free(at..at + SEGMENT / 4);
            assert!(before - buckets.segments_in_use() <= 1);
        }
        assert_eq!(buckets.segments_in_use(), 0);
    }

    #[test]
    fn no_more_is_dropped_than_may_be() {
        let mut buckets = Buckets::new(100 * SEGMENT);
        (0..buckets.len()).step_by(SEGMENT).for_each(|at| *buckets.get_mut(at) = 1);
        buckets.drop_some(30);
        assert_eq!((buckets.len(), buckets.segments_in_use()), (0, 70));
        (0..3).for_each(|_| buckets.drop_some(30));
        assert_eq!(buckets.segments_in_use(), 0);
    }

    #[test]
    fn small_arrays_have_no_more_than_they_need() {
        let mut buckets = Buckets::new(4);
        *buckets.get_mut(3) = 1;
        assert!(buckets.allocated() <= 4 * size_of::<Link>() + 16, "{}", buckets.allocated());
    }
}
