//! Which operation comes before which.

/// A graph whose nodes are numbers.
#[derive(Default)]
pub struct Graph {
    after: Vec<Vec<usize>>,
}

impl Graph {
    /// A new node.
    pub fn node(&mut self) -> usize {
        self.after.push(Vec::new());
        self.after.len() - 1
    }

    /// One comes before the other, unless they are the same.
    pub fn order(&mut self, before: usize, after: usize) {
        if before != after {
            self.after[before].push(after);
        }
    }

    /// Nodes of which each comes before the next, and the last before the first.
    pub fn cycle(&self) -> Option<Vec<usize>> {
        /// On the way from the root, or known to lead to no cycle.
        #[derive(Clone, Copy, PartialEq)]
        enum Seen {
            No,
            OnTheWay,
            Done,
        }
        let mut seen = vec![Seen::No; self.after.len()];
        for root in 0..self.after.len() {
            // Nodes on the way, and how many of their successors have been looked at.
            let mut way = Vec::new();
            if seen[root] == Seen::No {
                seen[root] = Seen::OnTheWay;
                way.push((root, 0));
            }
            while let Some((node, next)) = way.last_mut() {
                let Some(after) = self.after[*node].get(*next).copied() else {
                    seen[*node] = Seen::Done;
                    way.pop();
                    continue;
                };
                *next += 1;
                match seen[after] {
                    Seen::Done => {}
                    Seen::No => {
                        seen[after] = Seen::OnTheWay;
                        way.push((after, 0));
                    }
                    Seen::OnTheWay => {
                        let from = way.iter().position(|(node, _)| *node == after).unwrap();
                        return Some(way[from..].iter().map(|(node, _)| *node).collect());
                    }
                }
            }
        }
        None
    }
}

#[test]
fn cycles_are_found() {
    let mut graph = Graph::default();
    let nodes: Vec<usize> = (0..6).map(|_| graph.node()).collect();
    for (before, after) in [(0, 1), (1, 2), (0, 2), (3, 4), (2, 5), (4, 5), (3, 3)] {
        graph.order(nodes[before], nodes[after]);
    }
    assert_eq!(graph.cycle(), None);
    graph.order(nodes[5], nodes[1]);
    assert_eq!(graph.cycle(), Some(vec![1, 2, 5]));
}
