//! cjson: JSON.

mod library;
mod reader;
mod settings;
mod writer;

pub use library::library;
