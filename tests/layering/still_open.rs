//! What is known to break the rules of the house, and is to be mended. An entry that is no longer needed fails the
//! test.

/// Files that import each other in a circle: the package's folder, and their paths from its `src`.
pub const CIRCLES: [(&str, &[&str]); 0] = [];

/// Files `mod.rs` that do work.
pub const WORKING_MODS: [&str; 0] = [];

/// Files `x.rs` beside a folder `x`.
pub const BESIDE_THEIR_FOLDERS: [&str; 0] = [];
