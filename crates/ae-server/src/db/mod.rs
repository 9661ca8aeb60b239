//! The data, behind the one door for changes: [`Db`](door::Db).
//!
//! - `databases`: all of it, and what is done regularly
//! - `door`: one database as a command sees it; `edit`: a value that is being changed
//! - `observers`: who has to know of a change: `watched` keys, clients that are `waiting` for one, `event`s

pub mod databases;
pub mod door;
pub mod edit;
pub mod event;
pub mod observers;
pub mod random;
pub mod waiting;
pub mod watched;
