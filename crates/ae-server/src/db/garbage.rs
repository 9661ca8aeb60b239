//! Values that nobody can see any more. Large ones are freed piece by piece, so that no request waits for that.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use store::Value;

/// A value with more elements is large: fewer are freed in less time than a request takes.
const LARGE: usize = 1000;
/// How long one round of freeing may take.
const ROUND: Duration = Duration::from_micros(500);
/// Elements freed between two looks at the clock.
const BATCH: usize = 64;

/// Large values that wait to be freed.
#[derive(Default)]
pub struct Garbage {
    values: VecDeque<Value>,
}

impl Garbage {
    /// Frees a value: at once, or in rounds if it is large.
    pub fn add(&mut self, value: Value) {
        if value.elements() > LARGE {
            self.values.push_back(value);
        }
    }

    /// Frees some, for a bounded time. True if something is left.
    pub fn free(&mut self) -> bool {
        if self.values.is_empty() {
            return false;
        }
        let start = Instant::now();
        while let Some(value) = self.values.front_mut() {
            while value.free_some(BATCH) {
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
    fn a_round_is_bounded() {
        let mut garbage = Garbage::default();
        garbage.add(set(200_000));
        let rounds = (0..).take_while(|_| garbage.free()).count();
        assert!(rounds > 1, "200 000 members went in a single round");
    }
}
