use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// Ids whose scores are what the model says, equal ones ordered by id.
#[derive(Default)]
struct Model {
    scores: Vec<Score>,
    order: Vec<u32>,
}

fn score(value: i32) -> Score {
    Score::new(value.into()).unwrap()
}

impl Model {
    fn insert(&mut self, tree: &mut Tree, value: i32) {
        let id = self.scores.len() as u32;
        self.scores.push(score(value));
        let before = |other: Score, other_id: u32| (other, other_id) < (score(value), id);
        let at = self.order.partition_point(|&id| before(self.scores[id as usize], id));
        self.order.insert(at, id);
        tree.insert(id, &|id| self.scores[id as usize], &before);
    }

    fn remove(&mut self, tree: &mut Tree, rank: usize) {
        assert_eq!(tree.remove(rank, &|id| self.scores[id as usize]), self.order.remove(rank));
    }

    fn check(&self, tree: &Tree) {
        let mut found = Vec::new();
        let mut sizes = Sizes::default();
        check_node(&tree.root, self, &mut found, &mut sizes);
        assert_eq!(found, self.order);
        assert_eq!(tree.len(), found.len());
        assert_eq!((sizes.leaves, sizes.inner), (tree.sizes.leaves, tree.sizes.inner));
        for (rank, &id) in self.order.iter().enumerate() {
            let own = (self.scores[id as usize], id);
            assert_eq!(tree.rank(id, &|score, id| (score, id) <= own), rank);
            assert_eq!(tree.count(&|id| self.scores[id as usize], &|score, id| (score, id) < own), rank);
            let (ids, at) = tree.leaf(rank);
            assert_eq!(ids[at], id);
        }
    }
}

/// Collects the ids, and returns the height.
fn check_node(node: &Node, model: &Model, found: &mut Vec<u32>, sizes: &mut Sizes) -> usize {
    match node {
        Node::Leaf(leaf) => {
            found.extend(leaf.ids());
            sizes.leaves += 1;
            0
        }
        Node::Inner(children) => {
            sizes.inner += 1;
            assert!(!children.is_empty() && children.capacity() == FAN);
            let heights: Vec<usize> = children
                .iter()
                .map(|child| {
                    let before = found.len();
                    let height = check_node(&child.node, model, found, sizes);
                    assert_eq!(child.count as usize, found.len() - before);
                    assert_eq!(child.first, found[before]);
                    assert_eq!(child.score, model.scores[child.first as usize]);
                    height
                })
                .collect();
            assert!(heights.iter().all(|&height| height == heights[0]));
            heights[0] + 1
        }
    }
}

fn filled(values: impl Iterator<Item = i32>) -> (Tree, Model) {
    let (mut tree, mut model) = (Tree::new(), Model::default());
    values.for_each(|value| model.insert(&mut tree, value));
    (tree, model)
}

#[test]
fn insertions_in_order_fill_the_leaves() {
    const COUNT: usize = 20_000;
    let full = COUNT.div_ceil(LEAF);
    for values in [vec![0; COUNT], (0..COUNT as i32).collect(), (0..COUNT as i32).rev().collect::<Vec<_>>()] {
        let (tree, model) = filled(values.into_iter());
        model.check(&tree);
        assert_eq!(tree.sizes.leaves, full);
    }
}

#[test]
fn removals_give_memory_back() {
    let (mut tree, mut model) = filled((0..20_000).map(|i| i * 7919 % 20_011));
    model.check(&tree);
    // All except every 20th, then the others from the front and the back.
    for rank in (0..20_000).rev().filter(|rank| rank % 20 != 0) {
        model.remove(&mut tree, rank);
    }
    model.check(&tree);
    assert!(tree.sizes.leaves <= 3 * 1000 / LEAF, "{} leaves for 1000 ids", tree.sizes.leaves);
    for left in (0..1000).rev() {
        model.remove(&mut tree, if left % 2 == 0 { 0 } else { left });
    }
    model.check(&tree);
    assert_eq!((tree.sizes.leaves, tree.sizes.inner), (1, 0));
    assert!(matches!(tree.root, Node::Leaf(_)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// In waves of insertions and removals, some of them at one end, so that nodes split and merge at every height.
    #[test]
    fn behaves_like_a_sorted_vector(
        waves in vec((any::<bool>(), 0usize..1500, prop::sample::select(vec![1, 10, 1_000_000]), any::<u32>()), 1..8),
    ) {
        let (mut tree, mut model) = (Tree::new(), Model::default());
        for (add, count, spread, seed) in waves {
            let mut state = seed;
            for step in 0..count {
                state = state.wrapping_mul(1664525).wrapping_add(1013904223);
                if add {
                    let value = if seed % 3 == 0 { step as i32 } else { (state >> 8) as i32 % spread };
                    model.insert(&mut tree, value);
                } else if tree.len() > 0 {
                    let rank = if seed % 3 == 0 { 0 } else { state as usize >> 8 };
                    let rank = rank % tree.len();
                    model.remove(&mut tree, rank);
                }
            }
            model.check(&tree);
        }
    }
}
