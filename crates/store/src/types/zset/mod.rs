//! The sorted set: members in the order of their scores.
//!
//! - `sorted_set`: the type, in its two forms
//! - `pairs`: the small form, packed
//! - `ranked`: the large form, a table of members and a `tree` that counts
//! - `entries`: iteration over either form
//! - `range`: which ranks a range of scores, of members or of ranks covers
//! - `algebra`: union, intersection, difference
//! - `score`: what a score is and how it is written; `float`: how one is read

mod algebra;
mod entries;
mod float;
mod pairs;
mod range;
mod ranked;
mod score;
mod sorted_set;
mod tree;

pub use algebra::{Aggregate, Source, Weighted, difference, in_order, intersection, union};
pub use entries::{Entries, Entry};
pub use range::{LexBound, LexRange, ScoreBound, ScoreRange, limited};
pub use score::{Score, ScoreText};
pub use sorted_set::{Change, Invalid, Limits, SortedSet};
