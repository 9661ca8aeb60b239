//! The directives: their values, the catalogue of all that Redis knows, and how files and command lines are read.

pub mod catalog;
pub mod choices;
pub mod command_line;
mod directives;
pub mod events;
mod file;
pub mod format;
pub mod groups;
mod line;
pub mod output_limits;
pub mod parameter;
pub mod replace;
pub mod rewrite;
pub mod settings;
mod words;
