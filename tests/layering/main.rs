//! The rules of the house, read from the sources: who may import whom (the table in `src/lib.rs`), what the workspace's
//! other packages may use, who knows the ABI profiles, that no files import each other in a circle, that a `mod.rs` lists
//! its rooms and does no work, and that forks hold what threads share. Each rule has samples that it must refuse.

mod circles;
mod client;
mod imports;
mod layers;
mod mentions;
mod packages;
mod profiles;
mod rooms;
mod server;
mod shared;
mod source;
mod still_open;
