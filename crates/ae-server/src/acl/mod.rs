//! Users and their rights: what a rule says, what a user may do, what was refused.

pub mod check;
pub mod command_set;
pub mod denials;
pub mod describe;
pub mod fault;
pub mod password;
pub mod rights;
pub mod selector;
pub mod user;
pub mod users;
pub mod users_file;
