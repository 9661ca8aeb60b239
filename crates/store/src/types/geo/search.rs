//! The members of a sorted set that are in an area.

use super::area::Area;
use super::point::Point;
use crate::types::Element;
use crate::types::zset::{Score, ScoreBound, ScoreRange, SortedSet};

/// A member in an area.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Found<'a> {
    /// The member.
    pub member: Element<'a>,
    /// Its score.
    pub score: Score,
    /// The place that the score stands for.
    pub point: Point,
    /// How far it is from the centre, in metres.
    pub distance: f64,
}

/// The members in an area, in the order in which Redis finds them, none twice.
pub fn search<'a>(set: &'a SortedSet, area: Area) -> impl Iterator<Item = Found<'a>> + use<'a> {
    let entries = area.cells().flat_map(|cell| {
        let (from, to) = cell.scores();
        let bound = |bits: u64, exclusive| {
            let score = Score::new(bits as f64).expect("an integer is not NaN");
            ScoreBound { score, exclusive }
        };
        set.range(set.ranks_by_score(&ScoreRange { min: bound(from, false), max: bound(to, true) }))
    });
    entries.filter_map(move |entry| {
        let point = Point::of(entry.score);
        let distance = area.distance(point)?;
        Some(Found { member: entry.member, score: entry.score, point, distance })
    })
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
