//! A disk that fails: every operation on files in turn, while the server runs and when it starts.
//!
//! - `fail.c`: stands between the server and the C library
//! - `faults`: tells it what is to fail
//! - `failures`: what the server does then
//! - `starts`: what a start does then

mod failures;
mod faults;
mod starts;
