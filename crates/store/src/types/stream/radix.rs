//! The size of the radix tree that Redis would keep a stream's nodes in, for XINFO's reply.

use super::id::Id;

/// How many bytes a key has.
const KEY: usize = 16;

/// How many nodes a radix tree has with these ids as keys, which are in order. Each key has a leaf, each place where keys
/// part a node, and what several bytes lead to alone is one node more.
pub(super) fn radix_nodes(ids: impl Iterator<Item = Id>) -> usize {
    let mut nodes = 0;
    // How many bytes the keys have in common at the places where they part, on the way to the last key.
    let mut forks: Vec<usize> = Vec::new();
    let mut last: Option<Id> = None;
    let mut close = |depth: usize, parent: Option<usize>| {
        let start = parent.map_or(0, |parent| parent + 1);
        nodes += 1 + usize::from(depth > start);
    };
    for id in ids {
        if let Some(last) = last.replace(id) {
            let common = common_prefix(last, id);
            close(KEY, forks.last().copied().max(Some(common)));
            while let Some(fork) = forks.pop_if(|fork| *fork > common) {
                close(fork, forks.last().copied().max(Some(common)));
            }
            if forks.last() != Some(&common) {
                forks.push(common);
            }
        }
    }
    if last.is_none() {
        return 1;
    }
    close(KEY, forks.last().copied());
    while let Some(fork) = forks.pop() {
        close(fork, forks.last().copied());
    }
    nodes
}

fn common_prefix(one: Id, other: Id) -> usize {
    one.to_bytes().iter().zip(other.to_bytes()).take_while(|(one, other)| **one == *other).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(ids: &[(u64, u64)]) -> usize {
        radix_nodes(ids.iter().map(|(ms, seq)| Id::new(*ms, *seq)))
    }

    #[test]
    fn counts_as_redis_does() {
        // Compared with what XINFO STREAM of Redis 7.0 replies to streams with these ids and one entry a node.
        assert_eq!(count(&[]), 1);
        assert_eq!(count(&[(1, 0)]), 2);
        assert_eq!(count(&[(1, 0), (1, 1)]), 4);
        assert_eq!(count(&[(1, 0), (2, 0)]), 6);
        assert_eq!(count(&[(1, 0), (2, 0), (3, 0), (4, 0)]), 10);
        assert_eq!(count(&[(1, 0), (1, 1), (2, 0)]), 8);
        assert_eq!(count(&[(1, 0), (1, 1), (1, 256), (300, 7), (1 << 60, 0)]), 14);
    }
}
