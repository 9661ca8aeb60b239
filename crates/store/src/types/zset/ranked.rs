//! The large form: a table from members to scores, and a tree of the table's ids in the order of scores.
//!
//! A million members of 16 bytes take 49 to 53 bytes each: 40 are the table's entry, with the member and the score in
//! it, 4 to 8 its buckets, 4 to 8 the tree. Members of more than 22 bytes have memory of their own besides.

use super::score::Score;
use super::tree::Tree;
use crate::bytes::Bytes;
use crate::dict::{Dict, Node};
use std::ops::Range;

/// Members, ordered by score, then by their bytes.
#[derive(Clone)]
pub(super) struct Ranked {
    members: Dict<Score>,
    tree: Tree,
    /// Bytes of members that are too long for the table's entries.
    outside: usize,
}

impl Ranked {
    pub fn new() -> Ranked {
        Ranked { members: Dict::new(), tree: Tree::new(), outside: 0 }
    }

    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// About how many bytes are allocated. After removals, the table may have more than this.
    pub fn allocated(&self) -> usize {
        // What the table allocates at a time, and how many buckets it begins with.
        const CHUNK: usize = 256;
        const BUCKETS: usize = 16;
        let entries = self.len().next_multiple_of(CHUNK) * size_of::<Node<Score>>();
        let buckets = self.len().next_power_of_two().max(BUCKETS) * size_of::<u32>();
        size_of::<Self>() + entries + buckets + self.outside + self.tree.allocated()
    }

    /// The id of a member.
    pub fn find(&self, member: &[u8]) -> Option<u32> {
        self.members.find(self.members.hash(member), member)
    }

    /// The member and the score of an id.
    pub fn get(&self, id: u32) -> (&[u8], Score) {
        let node = node(&self.members, id);
        (node.key.as_slice(), node.value)
    }

    /// Adds a member that is not there.
    pub fn insert(&mut self, member: &[u8], score: Score) {
        let id = self.members.insert(self.members.hash(member), member, score);
        self.outside += outside(&node(&self.members, id).key);
        self.place(id);
    }

    /// Gives an id another score.
    pub fn set_score(&mut self, id: u32, score: Score) {
        // Out of the tree first: it is ordered only as long as the scores of all its ids stay.
        self.displace(self.rank(id));
        if let Some(value) = self.members.get_mut(id) {
            *value = score;
        }
        self.place(id);
    }

    /// The rank of an id.
    pub fn rank(&self, id: u32) -> usize {
        let (member, score) = self.get(id);
        let members = &self.members;
        self.tree.rank(id, &|other_score, other| {
            other_score < score || other_score == score && (other == id || node(members, other).key.as_slice() < member)
        })
    }

    /// A run of ids in order that contains the one at a rank below the length, and its place there.
    pub fn run(&self, rank: usize) -> (&[u32], usize) {
        self.tree.leaf(rank)
    }

    /// How many of the first members have scores that `before` is true for.
    pub fn count_scores(&self, before: impl Fn(Score) -> bool) -> usize {
        self.tree.count(&|id| node(&self.members, id).value, &|score, _| before(score))
    }

    /// How many of the first members `before` is true for, if all have the same score.
    pub fn count_members(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        // The score is not looked at, so there is no need to fetch it.
        self.tree.count(&|_| Score::LOWEST, &|_, id| before(node(&self.members, id).key.as_slice()))
    }

    /// Removes an id.
    pub fn remove(&mut self, id: u32) {
        self.remove_rank(self.rank(id));
    }

    /// Removes the members at these ranks, from the highest on.
    pub fn remove_range(&mut self, ranks: Range<usize>) {
        ranks.rev().for_each(|rank| self.remove_rank(rank));
    }

    /// Part of a scan: see [`Dict::scan`].
    pub fn scan(&self, cursor: u64, mut found: impl FnMut(&[u8], Score)) -> u64 {
        self.members.scan(cursor, |node| found(node.key.as_slice(), node.value))
    }

    fn remove_rank(&mut self, rank: usize) {
        let id = self.displace(rank);
        self.outside -= outside(&node(&self.members, id).key);
        self.members.remove(id);
    }

    /// Puts an id that is in the table into the tree.
    fn place(&mut self, id: u32) {
        let members = &self.members;
        let Node { key, value: score, .. } = node(members, id);
        self.tree.insert(id, &|id| node(members, id).value, &|other_score, other| {
            other_score < *score || other_score == *score && node(members, other).key.as_slice() < key.as_slice()
        });
    }

    /// Takes the id at a rank out of the tree.
    fn displace(&mut self, rank: usize) -> u32 {
        let members = &self.members;
        self.tree.remove(rank, &|id| node(members, id).value)
    }
}

fn node(members: &Dict<Score>, id: u32) -> &Node<Score> {
    members.get(id).expect("the tree has the table's ids")
}

/// Bytes of a member that are allocated besides the table's entry.
fn outside(member: &Bytes) -> usize {
    const COUNTS_AND_VECTOR: usize = 40;
    match member {
        Bytes::Inline(..) => 0,
        Bytes::Heap(bytes) => bytes.len(),
        Bytes::Shared(bytes) => bytes.capacity() + COUNTS_AND_VECTOR,
    }
}
