//! Ranges as arguments spell them: of scores, of members, and windows of ranks.

use super::float;
use super::score::Score;
use std::ops::Range;

/// One end of a range of scores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScoreBound {
    /// The score at the end.
    pub score: Score,
    /// Whether that score is outside.
    pub exclusive: bool,
}

/// Scores from one to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScoreRange {
    /// The lower end.
    pub min: ScoreBound,
    /// The upper end.
    pub max: ScoreBound,
}

impl ScoreBound {
    /// What an argument spells: a number, behind `(` an exclusive one. As in Redis, this is laxer than a score: spaces
    /// may come first, nothing at all is 0, a null byte ends the text, and what is beyond a double's range is infinite
    /// or 0.
    pub fn parse(text: &[u8]) -> Option<ScoreBound> {
        let (exclusive, text) = match text {
            [b'(', text @ ..] => (true, text),
            text => (false, text),
        };
        let end = text.iter().position(|&c| c == 0).unwrap_or(text.len());
        let start = text.iter().position(|c| !matches!(c, b' ' | b'\t'..=b'\r')).unwrap_or(0);
        let value = match &text[..end] {
            [] => 0.0,
            text => float::parse(&text[start.min(end)..])?.value,
        };
        Some(ScoreBound { score: Score::new(value)?, exclusive })
    }
}

impl ScoreRange {
    /// What two arguments spell. None: "min or max is not a float".
    pub fn parse(min: &[u8], max: &[u8]) -> Option<ScoreRange> {
        Some(ScoreRange { min: ScoreBound::parse(min)?, max: ScoreBound::parse(max)? })
    }

    /// Whether a score is below the range.
    pub fn starts_after(&self, score: Score) -> bool {
        score < self.min.score || self.min.exclusive && score == self.min.score
    }

    /// Whether a score is not above the range.
    pub fn reaches(&self, score: Score) -> bool {
        score < self.max.score || !self.max.exclusive && score == self.max.score
    }
}

/// One end of a range of members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LexBound<'a> {
    /// `-`: before every member.
    Lowest,
    /// `+`: behind every member.
    Highest,
    /// `[`: from the member on, or up to it.
    Inclusive(&'a [u8]),
    /// `(`: without the member.
    Exclusive(&'a [u8]),
}

/// Members from one to another, in the order of their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LexRange<'a> {
    /// The lower end.
    pub min: LexBound<'a>,
    /// The upper end.
    pub max: LexBound<'a>,
}

impl<'a> LexBound<'a> {
    /// What an argument spells.
    pub fn parse(text: &'a [u8]) -> Option<LexBound<'a>> {
        match text {
            b"-" => Some(LexBound::Lowest),
            b"+" => Some(LexBound::Highest),
            [b'[', member @ ..] => Some(LexBound::Inclusive(member)),
            [b'(', member @ ..] => Some(LexBound::Exclusive(member)),
            _ => None,
        }
    }
}

impl<'a> LexRange<'a> {
    /// What two arguments spell. None: "min or max not valid string range item".
    pub fn parse(min: &'a [u8], max: &'a [u8]) -> Option<LexRange<'a>> {
        Some(LexRange { min: LexBound::parse(min)?, max: LexBound::parse(max)? })
    }

    /// Whether a member is below the range.
    pub fn starts_after(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(min) => member < min,
            LexBound::Exclusive(min) => member <= min,
        }
    }

    /// Whether a member is not above the range.
    pub fn reaches(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Inclusive(max) => member <= max,
            LexBound::Exclusive(max) => member < max,
        }
    }
}

/// The ranks from `start` to `stop`, both included, of `len`; negative ones count from the end.
pub(super) fn ranks(start: i64, stop: i64, len: usize) -> Range<usize> {
    let from_start = |rank: i64| if rank < 0 { rank.saturating_add_unsigned(len as u64) } else { rank };
    let (start, stop) = (from_start(start).max(0), from_start(stop));
    if start > stop || start as u64 >= len as u64 {
        return 0..0;
    }
    start as usize..(stop as u64 + 1).min(len as u64) as usize
}

/// The part of a range of ranks that LIMIT leaves: without the first `offset`, and at most `count`, or all if that is
/// negative. With `reverse`, the first are those with the highest ranks. A negative offset leaves nothing.
pub fn limited(ranks: Range<usize>, offset: i64, count: i64, reverse: bool) -> Range<usize> {
    let size = |value: i64| usize::try_from(value).ok();
    let skipped = size(offset).unwrap_or(usize::MAX).min(ranks.len());
    let taken = size(count).unwrap_or(usize::MAX).min(ranks.len() - skipped);
    if reverse {
        let end = ranks.end - skipped;
        end - taken..end
    } else {
        let start = ranks.start + skipped;
        start..start + taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> Option<(f64, bool)> {
        ScoreBound::parse(text.as_bytes()).map(|bound| (bound.score.get(), bound.exclusive))
    }

    /// As redis-server 7.0.15 takes them.
    #[test]
    fn ends_of_a_range_of_scores() {
        for (text, value) in [
            ("", (0.0, false)),
            (" 1", (1.0, false)),
            ("\n1", (1.0, false)),
            ("(", (0.0, true)),
            ("(1", (1.0, true)),
            ("( 1", (1.0, true)),
            ("1\0x", (1.0, false)),
            ("\0x", (0.0, false)),
            ("(0x10", (16.0, true)),
            ("1e999", (f64::INFINITY, false)),
            ("1e-999", (0.0, false)),
            ("(-INF", (f64::NEG_INFINITY, true)),
        ] {
            assert_eq!(bound(text), Some(value), "{text:?}");
        }
        for text in ["1 ", "nan", "[1", "1x", "((1", " ", "  \0", "(("] {
            assert_eq!(bound(text), None, "{text:?}");
        }
    }

    #[test]
    fn ends_of_a_range_of_members() {
        assert_eq!(LexBound::parse(b"["), Some(LexBound::Inclusive(b"")));
        assert_eq!(LexBound::parse(b"(a"), Some(LexBound::Exclusive(b"a")));
        for text in ["", "++", "-a", "a"] {
            assert_eq!(LexBound::parse(text.as_bytes()), None, "{text:?}");
        }
        let range = LexRange::parse(b"+", b"-").unwrap();
        assert!(range.starts_after(b"a") && !range.reaches(b"a"));
    }

    #[test]
    fn ranks_from_both_ends() {
        for (start, stop, expected) in [
            (0, -1, 0..5),
            (1, 2, 1..3),
            (-2, -1, 3..5),
            (-100, 100, 0..5),
            (3, 1, 0..0),
            (5, 9, 0..0),
            (0, -6, 0..0),
            (i64::MIN, i64::MAX, 0..5),
            (i64::MAX, i64::MIN, 0..0),
        ] {
            assert_eq!(ranks(start, stop, 5), expected, "{start} {stop}");
        }
        assert_eq!(ranks(0, -1, 0), 0..0);
    }

    #[test]
    fn limits() {
        assert_eq!(limited(10..20, 2, 3, false), 12..15);
        assert_eq!(limited(10..20, 2, 3, true), 15..18);
        assert_eq!(limited(10..20, 0, -1, true), 10..20);
        assert_eq!(limited(10..20, 8, 5, false), 18..20);
        assert_eq!(limited(10..20, 8, 5, true), 10..12);
        assert_eq!(limited(10..20, i64::MAX, i64::MAX, false).len(), 0);
        assert_eq!(limited(10..20, -1, 5, false).len(), 0);
        assert_eq!(limited(10..20, 0, 0, true).len(), 0);
    }
}
