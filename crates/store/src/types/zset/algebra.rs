//! Union, intersection and difference of sorted sets, with plain sets among them: their members have the score 1.
//!
//! The same set may be there more than once; a key that does not exist is an empty one. Members come in no order:
//! [`in_order`] sorts them.

use super::super::element::Element;
use super::super::set::Set;
use super::entries::Entry;
use super::score::Score;
use super::sorted_set::SortedSet;
use crate::number::Digits;
use std::collections::{HashMap, HashSet, hash_map};

/// What takes part.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// No such key.
    Empty,
    /// A sorted set.
    Sorted(&'a SortedSet),
    /// A set.
    Plain(&'a Set),
}

/// What takes part in a union or an intersection, and what its scores are multiplied by.
#[derive(Clone, Copy)]
pub struct Weighted<'a> {
    /// The set.
    pub source: Source<'a>,
    /// The factor. Not NaN.
    pub weight: f64,
}

/// What becomes of the scores of a member of several sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aggregate {
    /// They are added. The sum of two infinities with different signs is 0.
    Sum,
    /// The lowest one.
    Min,
    /// The highest one.
    Max,
}

impl<'a> Source<'a> {
    /// How many members there are.
    pub fn len(&self) -> usize {
        match self {
            Source::Empty => 0,
            Source::Sorted(set) => set.len(),
            Source::Plain(set) => set.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn score(&self, member: Element<'_>) -> Option<f64> {
        match self {
            Source::Empty => None,
            Source::Sorted(set) => set.score(member.as_slice(&mut Digits::new())).map(Score::get),
            Source::Plain(set) => set.contains_element(member).then_some(1.0),
        }
    }

    fn iter(self) -> impl Iterator<Item = (Element<'a>, f64)> {
        let (sorted, plain) = match self {
            Source::Empty => (None, None),
            Source::Sorted(set) => (Some(set), None),
            Source::Plain(set) => (None, Some(set)),
        };
        let sorted = sorted.into_iter().flat_map(|set| set.iter().map(|entry| (entry.member, entry.score.get())));
        sorted.chain(plain.into_iter().flat_map(|set| set.iter().map(|member| (member, 1.0))))
    }
}

impl Weighted<'_> {
    /// A score times the weight. An infinite one times 0 is 0.
    fn weighed(&self, score: f64) -> f64 {
        or_zero(self.weight * score)
    }
}

impl Aggregate {
    /// `other` may be NaN: an infinite score with the weight 0. That decides nothing, except that a sum with it is 0.
    fn of(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => or_zero(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

fn or_zero(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value }
}

fn entry(member: Element<'_>, score: f64) -> Entry<'_> {
    Entry { member, score: Score::new(or_zero(score)).expect("is not NaN") }
}

/// From the smallest to the largest: the order in which scores are aggregated decides how a sum is rounded.
fn by_size<'a>(sets: &[Weighted<'a>]) -> Vec<Weighted<'a>> {
    let mut sets = sets.to_vec();
    sets.sort_by_key(|set| set.source.len());
    sets
}

/// Every member of any of the sets, once.
pub fn union<'a>(sets: &[Weighted<'a>], aggregate: Aggregate) -> impl Iterator<Item = Entry<'a>> + use<'a> {
    let mut scores: HashMap<Element<'a>, f64, _> = HashMap::with_hasher(ahash::RandomState::new());
    for set in by_size(sets) {
        for (member, score) in set.source.iter() {
            let score = set.weighed(score);
            match scores.entry(member) {
                hash_map::Entry::Occupied(mut old) => *old.get_mut() = aggregate.of(*old.get(), score),
                hash_map::Entry::Vacant(place) => {
                    place.insert(score);
                }
            }
        }
    }
    scores.into_iter().map(|(member, score)| entry(member, score))
}

/// Every member that all of the sets have; none if there are no sets. ZINTERCARD's limit is a `take` of the result.
pub fn intersection<'a>(sets: &[Weighted<'a>], aggregate: Aggregate) -> impl Iterator<Item = Entry<'a>> + use<'a> {
    let sets = by_size(sets);
    let smallest = sets.first().copied();
    let members =
        smallest.into_iter().flat_map(|set| set.source.iter().map(move |(member, score)| (set, member, score)));
    members.filter_map(move |(smallest, member, score)| {
        let mut others = sets[1..].iter();
        let score = others.try_fold(smallest.weighed(score), |sum, set| {
            let score = set.source.score(member)?;
            Some(aggregate.of(sum, score * set.weight))
        });
        Some(entry(member, score?))
    })
}

/// Every member of the first set that none of the others has, with its score there.
///
/// Either looks for each member of the first in the others, or for each member of the others in the first, whichever
/// Redis's estimate calls cheaper.
pub fn difference<'a>(first: Source<'a>, others: &[Source<'a>]) -> impl Iterator<Item = Entry<'a>> + use<'a> {
    let mut others: Vec<Source<'_>> = others.iter().copied().filter(|set| !set.is_empty()).collect();
    let mut excluded = HashSet::with_hasher(ahash::RandomState::new());
    let members = others.iter().map(Source::len).sum::<usize>();
    // A member that is excluded needs about half of the looks.
    if first.len().saturating_mul(others.len() + 1) / 2 > first.len() + members {
        let members = others.drain(..).flat_map(|set| set.iter().map(|(member, _)| member));
        excluded.extend(members.filter(|member| first.score(*member).is_some()));
    }
    let is_excluded = move |member| excluded.contains(&member) || others.iter().any(|set| set.score(member).is_some());
    first.iter().filter(move |&(member, _)| !is_excluded(member)).map(|(member, score)| entry(member, score))
}

/// Entries in the order of a sorted set.
pub fn in_order<'a>(entries: impl Iterator<Item = Entry<'a>>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = entries.collect();
    entries.sort_unstable_by(|one, other| {
        let members = || one.member.as_slice(&mut Digits::new()).cmp(other.member.as_slice(&mut Digits::new()));
        one.score.cmp(&other.score).then_with(members)
    });
    entries
}

#[cfg(test)]
#[path = "algebra_tests.rs"]
mod tests;
