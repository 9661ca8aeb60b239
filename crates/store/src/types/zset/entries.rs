//! Iteration over the members at a range of ranks, in either form and direction.

use super::pairs::Pairs;
use super::ranked::Ranked;
use super::score::Score;
use crate::types::Element;
use crate::types::packed::At;
use std::ops::Range;

/// A member and its score.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'a> {
    /// The member.
    pub member: Element<'a>,
    /// Its score.
    pub score: Score,
}

/// Members in the order of their ranks; from the back, in the reverse order.
#[derive(Clone)]
pub struct Entries<'a> {
    ranks: Range<usize>,
    form: Form<'a>,
}

#[derive(Clone)]
enum Form<'a> {
    /// The next place from either end, if it is known already.
    Small { pairs: &'a Pairs, front: Option<At>, back: Option<At> },
    /// The ids that follow from either end, as far as they stand together; possibly more than are asked for.
    Large { ranked: &'a Ranked, front: &'a [u32], back: &'a [u32] },
}

impl<'a> Entry<'a> {
    pub(super) fn of_pair(pairs: &'a Pairs, at: At) -> Entry<'a> {
        let (member, score) = pairs.get(at);
        Entry { member, score }
    }

    pub(super) fn of_id(ranked: &'a Ranked, id: u32) -> Entry<'a> {
        let (member, score) = ranked.get(id);
        Entry { member: Element::of(member), score }
    }
}

impl<'a> Entries<'a> {
    pub(super) fn small(pairs: &'a Pairs, ranks: Range<usize>) -> Entries<'a> {
        Entries { ranks, form: Form::Small { pairs, front: None, back: None } }
    }

    pub(super) fn large(ranked: &'a Ranked, ranks: Range<usize>) -> Entries<'a> {
        Entries { ranks, form: Form::Large { ranked, front: &[], back: &[] } }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let rank = self.ranks.next()?;
        match &mut self.form {
            Form::Small { pairs, front, .. } => {
                let (member, score, next) = pairs.step(front.or_else(|| pairs.seek(rank))?);
                *front = next;
                Some(Entry { member, score })
            }
            Form::Large { ranked, front, .. } => {
                if front.is_empty() {
                    let (ids, at) = ranked.run(rank);
                    *front = &ids[at..];
                }
                let (&id, others) = front.split_first()?;
                *front = others;
                Some(Entry::of_id(ranked, id))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }

    fn nth(&mut self, n: usize) -> Option<Entry<'a>> {
        // The place that was known is another one's.
        if n > 0 {
            self.ranks.nth(n - 1)?;
            match &mut self.form {
                Form::Small { front, .. } => *front = None,
                Form::Large { front, .. } => *front = &[],
            }
        }
        self.next()
    }
}

impl DoubleEndedIterator for Entries<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next_back()?;
        match &mut self.form {
            Form::Small { pairs, back, .. } => {
                let at = back.or_else(|| pairs.seek(rank))?;
                *back = pairs.previous(at);
                Some(Entry::of_pair(pairs, at))
            }
            Form::Large { ranked, back, .. } => {
                if back.is_empty() {
                    let (ids, at) = ranked.run(rank);
                    *back = &ids[..=at];
                }
                let (&id, others) = back.split_last()?;
                *back = others;
                Some(Entry::of_id(ranked, id))
            }
        }
    }
}

impl ExactSizeIterator for Entries<'_> {}
