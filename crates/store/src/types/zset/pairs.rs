//! The small form: members and their scores, one behind the other, in a packed sequence that is byte for byte Redis's.

use super::float;
use super::score::{Score, ScoreText};
use crate::number::Digits;
use crate::types::Element;
use crate::types::packed::{At, MAX_BYTES, Packed};
use std::cmp::Ordering;
use std::ops::Range;

/// The sequence: pairs of a member and a score, ordered by score, then by the members' bytes.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    packed: Packed,
}

impl Pairs {
    pub fn new() -> Pairs {
        Pairs { packed: Packed::new() }
    }

    /// A sequence that somebody else has made; otherwise, the number of the pair that is wrong.
    pub fn from_packed(packed: Packed) -> Result<Pairs, usize> {
        let mut members = Vec::with_capacity(packed.len() / 2);
        let mut last = None;
        let mut elements = packed.iter();
        while let Some(member) = elements.next() {
            let wrong = members.len();
            let score = elements.next().and_then(score_of).ok_or(wrong)?;
            if last.is_some_and(|last| order(last, (score, member)) != Ordering::Less) {
                return Err(wrong);
            }
            last = Some((score, member));
            members.push((member, wrong));
        }
        // In the order of scores a member may be there twice.
        members.sort_unstable_by(|(one, _), (other, _)| compare(*one, *other));
        match members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(pair[0].1.max(pair[1].1)),
            None => Ok(Pairs { packed }),
        }
    }

    pub fn as_packed(&self) -> &Packed {
        &self.packed
    }

    pub fn len(&self) -> usize {
        self.packed.len() / 2
    }

    /// Whether a sequence with one more member can still be written.
    pub fn has_room(&self, member: &[u8]) -> bool {
        // A score, and what is written around it and the member.
        const REST: usize = 64;
        self.packed.size() + member.len() + REST <= MAX_BYTES
    }

    /// Where a member is.
    pub fn find(&self, member: &[u8]) -> Option<At> {
        self.packed.find(self.packed.first(), member, 2)
    }

    /// Where the member at a rank is.
    pub fn seek(&self, rank: usize) -> Option<At> {
        self.packed.seek(2 * rank as i64)
    }

    /// The member at a place, its score, and where the member after it is.
    pub fn step(&self, at: At) -> (Element<'_>, Score, Option<At>) {
        let (member, score_at) = self.packed.step(at);
        let (score, next) = self.packed.step(score_at.expect("a member has a score"));
        (member, score_of(score).expect("every second element is a score"), next)
    }

    /// The member after the one at a place.
    pub fn next(&self, at: At) -> Option<At> {
        self.packed.next(self.packed.next(at)?)
    }

    /// The one before it.
    pub fn previous(&self, at: At) -> Option<At> {
        self.packed.previous(self.packed.previous(at)?)
    }

    /// The member at a place, and its score.
    pub fn get(&self, at: At) -> (Element<'_>, Score) {
        let (member, score, _) = self.step(at);
        (member, score)
    }

    /// The score of the member at a place.
    pub fn score(&self, at: At) -> Score {
        score_of(self.score_element(at)).expect("every second element is a score")
    }

    /// The score as it is kept.
    pub fn score_element(&self, at: At) -> Element<'_> {
        self.packed.get(self.packed.next(at).expect("a member has a score"))
    }

    /// The rank of the member at a place.
    pub fn rank(&self, at: At) -> usize {
        self.places().take_while(|&other| other != at).count()
    }

    /// How many of the first pairs `before` is true for, without a gap.
    pub fn count(&self, mut before: impl FnMut(Element<'_>, Score) -> bool) -> usize {
        self.places().take_while(|&at| before(self.packed.get(at), self.score(at))).count()
    }

    /// Adds a member that is not there.
    pub fn insert(&mut self, member: &[u8], score: Score) {
        let new = Element::of(member);
        let at = self.places().find(|&at| {
            let old = self.score(at);
            // Scores nearly always decide, and are cheaper to compare.
            old > score || old == score && compare(self.packed.get(at), new) == Ordering::Greater
        });
        self.packed.insert_all(at, &[member, ScoreText::new().packed(score)]);
    }

    /// Removes the member at a place.
    pub fn remove(&mut self, at: At) {
        self.packed.remove(at, 2);
    }

    /// Removes the members at these ranks.
    pub fn remove_range(&mut self, ranks: Range<usize>) {
        if let Some(at) = self.seek(ranks.start) {
            self.packed.remove(at, 2 * ranks.len());
        }
    }

    fn places(&self) -> impl Iterator<Item = At> {
        std::iter::successors(self.packed.first(), |&at| self.next(at))
    }
}

fn score_of(element: Element<'_>) -> Option<Score> {
    match element {
        Element::Integer(value) => Score::new(value as f64),
        Element::Text(text) => Score::new(float::parse(text)?.value),
    }
}

/// The order of two members' bytes.
fn compare(one: Element<'_>, other: Element<'_>) -> Ordering {
    one.as_slice(&mut Digits::new()).cmp(other.as_slice(&mut Digits::new()))
}

fn order(one: (Score, Element<'_>), other: (Score, Element<'_>)) -> Ordering {
    one.0.cmp(&other.0).then_with(|| compare(one.1, other.1))
}
