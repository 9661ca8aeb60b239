//! What the workspace's tests share.
#![forbid(unsafe_code)]

mod certificates;
mod client;
mod local_client;
mod ports;
mod redis;
mod server;
mod wait;

pub use certificates::Certificates;
pub use client::{Client, request};
pub use local_client::LocalClient;
pub use ports::free_port;
pub use redis::redis_server;
pub use server::{End, Server};
pub use wait::{PATIENCE, eventually};
