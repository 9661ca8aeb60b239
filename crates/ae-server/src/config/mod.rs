//! The parameters: their values, and one table that serves the command line, CONFIG GET and CONFIG SET.

pub mod catalog;
pub mod command_line;
pub mod fixed;
pub mod general;
pub mod parameter;
pub mod settings;
pub mod tls;
pub mod values;
