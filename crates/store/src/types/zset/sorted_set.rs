//! The sorted set: packed while it is small, a table and a tree beyond that.

use super::entries::{Entries, Entry};
use super::pairs::Pairs;
use super::range::{self, LexRange, ScoreRange};
use super::ranked::Ranked;
use super::score::{Score, ScoreText};
use crate::number::Digits;
use crate::types::Element;
use crate::types::packed::Packed;
use crate::types::table::choose;
use std::collections::HashSet;
use std::ops::Range;

/// What the small form may hold; one member more or one longer changes it to the large one, for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The most members: `zset-max-listpack-entries`.
    pub entries: usize,
    /// The most bytes of a member: `zset-max-listpack-value`.
    pub value: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { entries: 128, value: 64 }
    }
}

/// What a change did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing: the score is what it was, or was not to be changed.
    Kept,
    /// The member is new.
    Added,
    /// The member has another score.
    Updated,
}

/// Why a packed sequence is not a sorted set: the number of a pair, from 0, that has no score, is out of order, repeats
/// a member, or keeps an integer as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invalid(pub usize);

/// Members, each once, ordered by score, then by their bytes. Ranks count from 0, the lowest score.
#[derive(Clone)]
pub struct SortedSet {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Small(Pairs),
    Large(Box<Ranked>),
}

const _: () = assert!(size_of::<SortedSet>() == 16);

impl Default for SortedSet {
    fn default() -> Self {
        Self::new()
    }
}

impl SortedSet {
    /// An empty one.
    pub fn new() -> SortedSet {
        SortedSet { form: Form::Small(Pairs::new()) }
    }

    /// The set that a file or a DUMP payload has packed. Nothing in it is trusted; beyond the limits, it becomes large.
    pub fn from_packed(packed: Packed, limits: &Limits) -> Result<SortedSet, Invalid> {
        let mut set = SortedSet { form: Form::Small(Pairs::from_packed(packed).map_err(Invalid)?) };
        let too_long = |entry: Entry<'_>| entry.member.len() > limits.value;
        if set.len() > limits.entries || set.iter().any(too_long) {
            set.enlarge();
        }
        Ok(set)
    }

    /// The packed sequence, as long as the set is small.
    pub fn as_packed(&self) -> Option<&Packed> {
        match &self.form {
            Form::Small(pairs) => Some(pairs.as_packed()),
            Form::Large(_) => None,
        }
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Small(pairs) => pairs.len(),
            Form::Large(ranked) => ranked.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        match &self.form {
            Form::Small(pairs) => pairs.as_packed().is_empty(),
            Form::Large(ranked) => ranked.len() == 0,
        }
    }

    /// The name that OBJECT ENCODING gives to such a set in Redis.
    pub fn encoding(&self) -> &'static str {
        match &self.form {
            Form::Small(_) => "listpack",
            Form::Large(_) => "skiplist",
        }
    }

    /// About how many bytes are allocated, besides the set itself.
    pub fn allocated(&self) -> usize {
        match &self.form {
            Form::Small(pairs) => pairs.as_packed().allocated(),
            Form::Large(ranked) => ranked.allocated(),
        }
    }

    /// The score of a member.
    pub fn score(&self, member: &[u8]) -> Option<Score> {
        match &self.form {
            Form::Small(pairs) => Some(pairs.score(pairs.find(member)?)),
            Form::Large(ranked) => Some(ranked.get(ranked.find(member)?).1),
        }
    }

    /// The rank of a member, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, Score)> {
        match &self.form {
            Form::Small(pairs) => pairs.find(member).map(|at| (pairs.rank(at), pairs.score(at))),
            Form::Large(ranked) => ranked.find(member).map(|id| (ranked.rank(id), ranked.get(id).1)),
        }
    }

    /// The member at a rank.
    pub fn get(&self, rank: usize) -> Option<Entry<'_>> {
        if rank >= self.len() { None } else { self.range(rank..rank + 1).next() }
    }

    /// Any member, all with the same probability.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Entry<'_>> {
        self.get(random().checked_rem(self.len() as u64)? as usize)
    }

    /// Calls `found` with `count` different members, or with all if there are no more; any choice is as likely as any
    /// other.
    pub fn random_distinct(&self, count: usize, mut random: impl FnMut() -> u64, mut found: impl FnMut(Entry<'_>)) {
        // A third of the set: then three picks in two hit something new, and passing over all members is no dearer.
        const SHARE: usize = 3;
        if count >= self.len() / SHARE {
            return choose(self.iter(), self.len(), count, random, found);
        }
        let mut seen = HashSet::with_capacity_and_hasher(count, ahash::RandomState::new());
        while seen.len() < count {
            let rank = (random() % self.len() as u64) as usize;
            if seen.insert(rank) {
                self.get(rank).into_iter().for_each(&mut found);
            }
        }
    }

    /// Gives a member a score, whether it is there or not.
    pub fn insert(&mut self, member: &[u8], score: Score, limits: &Limits) -> Change {
        self.update(member, limits, |_| Some(score))
    }

    /// Adds what another one has. What becomes large was never small: there a score of -0 is one of 0.
    pub fn extend<'a>(&mut self, entries: impl Iterator<Item = Entry<'a>>, limits: &Limits) {
        let entries: Vec<Entry<'a>> = entries.collect();
        let is_long = |entry: &Entry<'a>| entry.member.as_slice(&mut Digits::new()).len() > limits.value;
        if self.len() + entries.len() > limits.entries || entries.iter().any(is_long) {
            self.enlarge();
        }
        entries.into_iter().for_each(|entry| {
            self.insert(entry.member.as_slice(&mut Digits::new()), entry.score, limits);
        });
    }

    /// Gives a member the score that `decide` says when it has seen the old one, if there is one. None: all stays.
    pub fn update(
        &mut self,
        member: &[u8],
        limits: &Limits,
        decide: impl FnOnce(Option<Score>) -> Option<Score>,
    ) -> Change {
        match &mut self.form {
            Form::Small(pairs) => match pairs.find(member) {
                Some(at) => {
                    let old = pairs.score(at);
                    let Some(new) = decide(Some(old)).filter(|&new| new != old) else { return Change::Kept };
                    pairs.remove(at);
                    pairs.insert(member, new);
                    Change::Updated
                }
                None => {
                    let Some(new) = decide(None) else { return Change::Kept };
                    if pairs.len() < limits.entries && member.len() <= limits.value && pairs.has_room(member) {
                        pairs.insert(member, new);
                    } else {
                        self.enlarge().insert(member, new);
                    }
                    Change::Added
                }
            },
            Form::Large(ranked) => match ranked.find(member) {
                Some(id) => {
                    let old = ranked.get(id).1;
                    let Some(new) = decide(Some(old)).filter(|&new| new != old) else { return Change::Kept };
                    ranked.set_score(id, new);
                    Change::Updated
                }
                None => {
                    let Some(new) = decide(None) else { return Change::Kept };
                    ranked.insert(member, new);
                    Change::Added
                }
            },
        }
    }

    /// Removes a member, and returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<Score> {
        match &mut self.form {
            Form::Small(pairs) => {
                let at = pairs.find(member)?;
                let score = pairs.score(at);
                pairs.remove(at);
                Some(score)
            }
            Form::Large(ranked) => {
                let id = ranked.find(member)?;
                let score = ranked.get(id).1;
                ranked.remove(id);
                Some(score)
            }
        }
    }

    /// Removes the members at these ranks, as far as there are any, and returns how many they were. Those to be told
    /// about them (ZPOPMIN) read [`SortedSet::range`] before.
    pub fn remove_range(&mut self, ranks: Range<usize>) -> usize {
        let ranks = self.existing(ranks);
        if !ranks.is_empty() {
            match &mut self.form {
                Form::Small(pairs) => pairs.remove_range(ranks.clone()),
                Form::Large(ranked) => ranked.remove_range(ranks.clone()),
            }
        }
        ranks.len()
    }

    /// Every member in order.
    pub fn iter(&self) -> Entries<'_> {
        self.range(0..self.len())
    }

    /// The members at these ranks, as far as there are any.
    pub fn range(&self, ranks: Range<usize>) -> Entries<'_> {
        let ranks = self.existing(ranks);
        match &self.form {
            Form::Small(pairs) => Entries::small(pairs, ranks),
            Form::Large(ranked) => Entries::large(ranked, ranks),
        }
    }

    /// The ranks from `start` to `stop`, both included; negative ones count from the end.
    pub fn ranks(&self, start: i64, stop: i64) -> Range<usize> {
        range::ranks(start, stop, self.len())
    }

    /// The ranks of the members whose scores are in a range.
    pub fn ranks_by_score(&self, range: &ScoreRange) -> Range<usize> {
        let (start, end) = match &self.form {
            Form::Small(pairs) => {
                (pairs.count(|_, score| range.starts_after(score)), pairs.count(|_, score| range.reaches(score)))
            }
            Form::Large(ranked) => (
                ranked.count_scores(|score| range.starts_after(score)),
                ranked.count_scores(|score| range.reaches(score)),
            ),
        };
        start..end.max(start)
    }

    /// The ranks of the members that are in a range, if all have the same score. Otherwise those that Redis finds in a
    /// small set: none unless the last member is above the range's start and the first below its end; then those from the
    /// first above the start up to one above the end.
    pub fn ranks_by_lex(&self, range: &LexRange<'_>) -> Range<usize> {
        let (Some(first), Some(last)) = (self.get(0), self.get(self.len().wrapping_sub(1))) else { return 0..0 };
        let mut digits = Digits::new();
        if range.starts_after(last.member.as_slice(&mut digits)) || !range.reaches(first.member.as_slice(&mut digits)) {
            return 0..0;
        }
        let (start, end) = match &self.form {
            Form::Small(pairs) => {
                let start = pairs.count(|member, _| range.starts_after(member.as_slice(&mut digits)));
                (start, pairs.count(|member, _| range.reaches(member.as_slice(&mut digits))))
            }
            Form::Large(ranked) => (
                ranked.count_members(|member| range.starts_after(member)),
                ranked.count_members(|member| range.reaches(member)),
            ),
        };
        start..end.max(start)
    }

    /// One step of a scan that began with cursor 0: calls `found` with members and the text of their scores in ZSCAN's
    /// reply, and returns the next cursor, 0 at the end. A member that is there during the whole scan is found at least
    /// once. A small set comes whole.
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(Element<'_>, Element<'_>)) -> u64 {
        match &self.form {
            Form::Small(pairs) => {
                let places = std::iter::successors(pairs.seek(0), |&at| pairs.next(at));
                places.for_each(|at| found(pairs.get(at).0, pairs.score_element(at)));
                0
            }
            Form::Large(ranked) => {
                let mut text = ScoreText::new();
                ranked.scan(cursor, |member, score| found(Element::of(member), Element::of(text.of(score))))
            }
        }
    }

    /// Drops up to `budget` members and says whether something is left: for a set that nobody can see any more.
    pub fn free_some(&mut self, budget: usize) -> bool {
        match &mut self.form {
            Form::Small(_) => *self = SortedSet::new(),
            Form::Large(ranked) => {
                let len = ranked.len();
                ranked.remove_range(len.saturating_sub(budget)..len);
            }
        }
        !self.is_empty()
    }

    fn existing(&self, ranks: Range<usize>) -> Range<usize> {
        let end = ranks.end.min(self.len());
        ranks.start.min(end)..end
    }

    /// Changes to the large form, as SORT in Redis does.
    pub fn make_large(&mut self) {
        self.enlarge();
    }

    /// Changes to the large form.
    fn enlarge(&mut self) -> &mut Ranked {
        if let Form::Small(_) = self.form {
            let mut ranked = Box::new(Ranked::new());
            for Entry { member, score } in self.iter() {
                ranked.insert(member.as_slice(&mut Digits::new()), score);
            }
            self.form = Form::Large(ranked);
        }
        match &mut self.form {
            Form::Large(ranked) => ranked,
            Form::Small(_) => unreachable!("was just made large"),
        }
    }
}

#[cfg(test)]
#[path = "sorted_set_tests.rs"]
mod tests;
