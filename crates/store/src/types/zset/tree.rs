//! A B-tree of ids that counts: where an id stands, and which one stands somewhere, in logarithmic time.
//!
//! Leaves hold ids alone, 4 bytes each; whoever owns the tree knows an id's score. Inner nodes repeat the first entry
//! of each child with its score, so that a search goes to the entries themselves only in the last node, or where scores
//! are equal. There are no links between leaves: going on from one to the next is another descent, once for dozens of
//! ids.

use super::score::Score;

/// As many ids as make a leaf 256 bytes.
const LEAF: usize = 63;
/// The most children of an inner node.
const FAN: usize = 32;

const _: () = assert!(size_of::<Leaf>() == 256);

#[derive(Clone)]
struct Leaf {
    ids: [u32; LEAF],
    len: u8,
}

#[derive(Clone)]
enum Node {
    Leaf(Box<Leaf>),
    Inner(Vec<Child>),
}

#[derive(Clone)]
struct Child {
    /// The score of its first entry.
    score: Score,
    /// Its first entry.
    first: u32,
    /// How many ids there are below it.
    count: u32,
    node: Node,
}

/// The tree.
#[derive(Clone)]
pub(super) struct Tree {
    root: Node,
    len: usize,
    sizes: Sizes,
}

#[derive(Clone, Default)]
struct Sizes {
    leaves: usize,
    inner: usize,
}

impl Tree {
    pub fn new() -> Tree {
        Tree { root: Node::Leaf(Leaf::empty()), len: 0, sizes: Sizes { leaves: 1, inner: 0 } }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// How many bytes are allocated.
    pub fn allocated(&self) -> usize {
        self.sizes.leaves * size_of::<Leaf>() + self.sizes.inner * FAN * size_of::<Child>()
    }

    /// Adds an id behind those that are `before` it: all the first ones and none of the others.
    pub fn insert(&mut self, id: u32, score_of: &impl Fn(u32) -> Score, before: &impl Fn(Score, u32) -> bool) {
        self.len += 1;
        if let Some(right) = self.root.insert(id, score_of, before, &mut self.sizes) {
            let left = std::mem::replace(&mut self.root, Node::Inner(Vec::with_capacity(FAN)));
            self.sizes.inner += 1;
            if let Node::Inner(children) = &mut self.root {
                children.extend([left, right].map(|node| Child::new(node, score_of)));
            }
        }
    }

    /// Removes the id at a rank, which must be below the length. The others' scores must be known.
    pub fn remove(&mut self, rank: usize, score_of: &impl Fn(u32) -> Score) -> u32 {
        let id = self.root.remove(rank, score_of, &mut self.sizes);
        self.len -= 1;
        while let Node::Inner(children) = &mut self.root
            && children.len() < 2
        {
            self.root = match children.pop() {
                Some(child) => child.node,
                None => {
                    self.sizes.leaves += 1;
                    Node::Leaf(Leaf::empty())
                }
            };
            self.sizes.inner -= 1;
        }
        id
    }

    /// How many ids `before` is true for: all the first ones and none of the others.
    pub fn count(&self, score_of: &impl Fn(u32) -> Score, before: &impl Fn(Score, u32) -> bool) -> usize {
        let (leaf, passed) = self.descend(before);
        passed + leaf.partition_point(|&id| before(score_of(id), id))
    }

    /// Where an id stands that is in the tree. `up_to` is true for all that are not behind it.
    pub fn rank(&self, id: u32, up_to: &impl Fn(Score, u32) -> bool) -> usize {
        let (leaf, passed) = self.descend(up_to);
        passed + leaf.iter().position(|&other| other == id).expect("an entry of the table is in the tree")
    }

    /// The leaf with the id at a rank below the length, and its place there.
    pub fn leaf(&self, rank: usize) -> (&[u32], usize) {
        let (mut node, mut rank) = (&self.root, rank);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf.ids(), rank),
                Node::Inner(children) => node = &children[child_at(children, &mut rank)].node,
            }
        }
    }

    /// The leaf with the last id that `before` is true for, or the first leaf, and how many ids are in front of it.
    fn descend(&self, before: &impl Fn(Score, u32) -> bool) -> (&[u32], usize) {
        let (mut node, mut passed) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf.ids(), passed),
                Node::Inner(children) => {
                    let at = last_before(children, before).unwrap_or(0);
                    passed += children[..at].iter().map(|child| child.count as usize).sum::<usize>();
                    node = &children[at].node;
                }
            }
        }
    }
}

impl Node {
    /// The right half, if the node had to be split.
    fn insert(
        &mut self,
        id: u32,
        score_of: &impl Fn(u32) -> Score,
        before: &impl Fn(Score, u32) -> bool,
        sizes: &mut Sizes,
    ) -> Option<Node> {
        match self {
            Node::Leaf(leaf) => {
                let at = leaf.ids().partition_point(|&id| before(score_of(id), id));
                let right = leaf.insert(at, id)?;
                sizes.leaves += 1;
                Some(Node::Leaf(right))
            }
            Node::Inner(children) => {
                let before_it = last_before(children, before);
                let at = before_it.unwrap_or(0);
                let child = &mut children[at];
                let split = child.node.insert(id, score_of, before, sizes);
                child.count += 1;
                if before_it.is_none() {
                    (child.score, child.first) = (score_of(id), id);
                }
                let right = Child::new(split?, score_of);
                child.count -= right.count;
                let right = add_child(children, at + 1, right)?;
                sizes.inner += 1;
                Some(Node::Inner(right))
            }
        }
    }

    fn remove(&mut self, mut rank: usize, score_of: &impl Fn(u32) -> Score, sizes: &mut Sizes) -> u32 {
        match self {
            Node::Leaf(leaf) => leaf.remove(rank),
            Node::Inner(children) => {
                let at = child_at(children, &mut rank);
                let child = &mut children[at];
                let id = child.node.remove(rank, score_of, sizes);
                child.count -= 1;
                if child.count == 0 {
                    sizes.forget(&children.remove(at).node);
                    return id;
                }
                if rank == 0 {
                    (child.score, child.first) = child.node.first(score_of);
                }
                merge(children, at, sizes);
                id
            }
        }
    }

    fn first(&self, score_of: &impl Fn(u32) -> Score) -> (Score, u32) {
        match self {
            Node::Leaf(leaf) => (score_of(leaf.ids[0]), leaf.ids[0]),
            Node::Inner(children) => (children[0].score, children[0].first),
        }
    }
}

impl Child {
    fn new(node: Node, score_of: &impl Fn(u32) -> Score) -> Child {
        let (score, first) = node.first(score_of);
        let count = match &node {
            Node::Leaf(leaf) => leaf.len.into(),
            Node::Inner(children) => children.iter().map(|child| child.count).sum(),
        };
        Child { score, first, count, node }
    }

    /// How much of its room a node uses, and how much it has.
    fn room(&self) -> (usize, usize) {
        match &self.node {
            // The leaf itself need not be in the cache for this.
            Node::Leaf(_) => (self.count as usize, LEAF),
            Node::Inner(children) => (children.len(), FAN),
        }
    }
}

impl Sizes {
    fn forget(&mut self, node: &Node) {
        match node {
            Node::Leaf(_) => self.leaves -= 1,
            Node::Inner(_) => self.inner -= 1,
        }
    }
}

impl Leaf {
    fn empty() -> Box<Leaf> {
        Box::new(Leaf { ids: [0; LEAF], len: 0 })
    }

    fn ids(&self) -> &[u32] {
        &self.ids[..self.len()]
    }

    fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// The right half, if the leaf was full.
    fn insert(&mut self, at: usize, id: u32) -> Option<Box<Leaf>> {
        let len = self.len();
        if len < LEAF {
            self.ids.copy_within(at..len, at + 1);
            self.ids[at] = id;
            self.len += 1;
            return None;
        }
        let cut = cut(at, LEAF);
        let mut right = Leaf::empty();
        right.append(&self.ids[cut..]);
        self.len = cut as u8;
        if goes_left(at, cut) {
            self.insert(at, id)
        } else {
            right.insert(at - cut, id)
        };
        Some(right)
    }

    fn remove(&mut self, at: usize) -> u32 {
        let len = self.len();
        let id = self.ids()[at];
        self.ids.copy_within(at + 1..len, at);
        self.len -= 1;
        id
    }

    fn append(&mut self, ids: &[u32]) {
        self.ids[usize::from(self.len)..][..ids.len()].copy_from_slice(ids);
        self.len += ids.len() as u8;
    }
}

/// Where a full node of `len` is split to make room at a place. Those who insert in order leave full nodes behind.
fn cut(at: usize, len: usize) -> usize {
    match at {
        0 => 0,
        _ if at == len => len,
        _ => len / 2,
    }
}

/// Whether a place is in the left part after the cut.
fn goes_left(at: usize, cut: usize) -> bool {
    at < cut || at == 0
}

/// The last child whose first entry is before something.
fn last_before(children: &[Child], before: &impl Fn(Score, u32) -> bool) -> Option<usize> {
    children.partition_point(|child| before(child.score, child.first)).checked_sub(1)
}

/// The child with the id at a rank, which becomes the rank within the child.
fn child_at(children: &[Child], rank: &mut usize) -> usize {
    let mut at = 0;
    while *rank >= children[at].count as usize {
        *rank -= children[at].count as usize;
        at += 1;
    }
    at
}

/// Adds a child. The right half, if the node was full.
fn add_child(children: &mut Vec<Child>, at: usize, child: Child) -> Option<Vec<Child>> {
    if children.len() < FAN {
        children.insert(at, child);
        return None;
    }
    let cut = cut(at, FAN);
    let mut right = Vec::with_capacity(FAN);
    right.extend(children.drain(cut..));
    if goes_left(at, cut) {
        children.insert(at, child)
    } else {
        right.insert(at - cut, child)
    }
    Some(right)
}

/// Merges a child with a neighbour if both together leave a quarter of the room free, so that neither fills up at once.
fn merge(children: &mut Vec<Child>, at: usize, sizes: &mut Sizes) {
    for left in [Some(at), at.checked_sub(1)].into_iter().flatten() {
        let Some(pair) = children.get(left..left + 2) else { continue };
        let ((used, room), (more, _)) = (pair[0].room(), pair[1].room());
        if used + more > room * 3 / 4 {
            continue;
        }
        let right = children.remove(left + 1);
        sizes.forget(&right.node);
        let left = &mut children[left];
        left.count += right.count;
        match (&mut left.node, right.node) {
            (Node::Leaf(left), Node::Leaf(right)) => left.append(right.ids()),
            (Node::Inner(left), Node::Inner(right)) => left.extend(right),
            _ => unreachable!("siblings are at the same height"),
        }
        return;
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
