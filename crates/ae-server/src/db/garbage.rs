//! Values that nobody can see any more. Large ones are freed piece by piece, so that no request waits for that.

use super::discard::discard_value;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use store::Value;

/// A collection with more elements, or with more bytes, is large: what is smaller is freed in less time than a request
/// takes.
const LARGE: usize = 64;
const LARGE_BYTES: usize = 256 * 1024;
/// A string of so many bytes is large. It has no pieces, so a thread frees it: the allocator keeps nothing of this size,
/// and to give its pages back to the system takes milliseconds.
const LARGE_STRING: usize = 4 * 1024 * 1024;
/// How long one round of freeing may take.
const ROUND: Duration = Duration::from_micros(500);
/// Elements freed between two looks at the clock, and about how many bytes.
const BATCH: usize = 64;
const BATCH_BYTES: usize = 1024 * 1024;

/// Large values that wait to be freed.
#[derive(Default)]
pub struct Garbage {
    values: VecDeque<Large>,
}

struct Large {
    value: Value,
    /// Elements that are freed between two looks at the clock.
    batch: usize,
}

impl Garbage {
    /// Frees a value: at once; or in rounds, or in a thread, if it is large.
    pub fn add(&mut self, value: Value) {
        match &value {
            Value::String(string) if string.allocated() >= LARGE_STRING => discard_value(value),
            _ => self.add_here(value),
        }
    }

    /// As [`Garbage::add`], but without a thread: for those who wait for the memory.
    pub fn add_here(&mut self, value: Value) {
        let elements = value.elements();
        if !matches!(value, Value::String(_)) && (elements > LARGE || value.allocated() > LARGE_BYTES) {
            let size = value.allocated() / elements.max(1);
            let batch = (BATCH_BYTES / size.max(1)).clamp(1, BATCH);
            self.values.push_back(Large { value, batch });
        }
    }

    /// Frees some, for a bounded time. True if something is left.
    pub fn free(&mut self) -> bool {
        if self.values.is_empty() {
            return false;
        }
        let start = Instant::now();
        while let Some(Large { value, batch }) = self.values.front_mut() {
            while value.free_some(*batch) {
                if start.elapsed() >= ROUND {
                    return true;
                }
            }
            self.values.pop_front();
        }
        false
    }

    /// How many values wait.
    pub fn len(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::background;
    use store::StringValue;
    use store::types::hash::Hash;
    use store::types::set::{Limits, Set};

    fn set(len: u32) -> Value {
        let mut set = Set::new();
        for i in 0..len {
            set.add(format!("member {i}").as_bytes(), &Limits::default());
        }
        set.into()
    }

    #[test]
    fn only_large_values_wait() {
        let mut garbage = Garbage::default();
        garbage.add(set(LARGE as u32));
        assert_eq!(garbage.len(), 0);
        for _ in 0..3 {
            garbage.add(set(LARGE as u32 + 1));
        }
        assert_eq!(garbage.len(), 3);
        while garbage.free() {}
        assert_eq!(garbage.len(), 0);
    }

    #[test]
    fn large_elements_make_a_large_value() {
        let mut hash = Hash::new();
        (0..20).for_each(|i: u32| _ = hash.set(&i.to_le_bytes(), &vec![b'x'; 200_000], &Default::default()));
        let mut garbage = Garbage::default();
        garbage.add(hash.into());
        let mut hash = Hash::new();
        (0..2).for_each(|i: u32| _ = hash.set(&i.to_le_bytes(), &vec![b'x'; 1_500_000], &Default::default()));
        garbage.add(hash.into());
        assert_eq!(garbage.values.iter().map(|large| large.batch).collect::<Vec<_>>(), [5, 1]);
        while garbage.free() {}
        assert_eq!(garbage.len(), 0);
    }

    #[test]
    fn a_large_string_goes_elsewhere() {
        let large = || Value::from(StringValue::new(&vec![b'x'; LARGE_STRING][..]));
        let before = background::freed();
        let mut garbage = Garbage::default();
        garbage.add(large());
        garbage.add_here(large());
        while background::freed() == before {
            std::thread::yield_now();
        }
        assert!(background::pending() < 1 << 32, "more than have ever been");
        assert_eq!(garbage.len(), 0);
    }

    #[test]
    fn a_round_is_bounded() {
        let mut garbage = Garbage::default();
        garbage.add(set(200_000));
        let rounds = (0..).take_while(|_| garbage.free()).count();
        assert!(rounds > 1, "200 000 members went in a single round");
    }
}
