//! What the operator sees.

pub mod info;
