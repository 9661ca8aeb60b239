//! What concurrent clients were told, over kills and failovers, has to be one history of one server.
//!
//! - `history`: what clients did, and what they were told
//! - `checker`: looks for what is lost, doubled, reordered or torn; `graph`: for orders that contradict each other
//! - `clients`: they append to lists and read them, count, and run transactions
//! - `kills`: one server that is killed and started again
//! - `failovers`: a primary that is killed or hands over, and its replica

mod checker;
mod clients;
mod failovers;
mod graph;
mod history;
mod kills;
