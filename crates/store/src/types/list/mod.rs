//! The list: a sequence of nodes of some kilobytes, as Redis's quicklist.
//!
//! Both ends are O(1). An element in the middle is found by passing over chunks of nodes, then nodes. Adding one there
//! moves the bytes of one node.

mod end;
mod iter;
mod limits;
mod node;
mod nodes;
mod sequence;

pub use end::{End, Side};
pub use iter::Iter;
pub use limits::Limits;
pub use node::{Node, NodeRef};
pub use sequence::List;
