//! Replies as text, byte for byte as redis-cli prints them.

mod csv;
mod formatted;
mod json;
mod raw;
mod style;

pub use formatted::invalidation;
pub use raw::raw;
pub use style::{Style, printed};

#[cfg(test)]
mod tests;
