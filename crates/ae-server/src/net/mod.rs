//! Input and output: accept, read and run, write before the loop sleeps, close.

pub mod accept;
pub mod background;
pub mod events;
pub mod idle;
pub mod limits;
pub mod load;
pub mod primary;
pub mod primary_link;
pub mod primary_stream;
pub mod read;
pub mod shared;
pub mod spin;
pub mod state;
pub mod stream;
#[cfg(test)]
mod turns;
pub mod unread;
pub mod waiting;
pub mod write;
