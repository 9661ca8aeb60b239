//! cmsgpack: MessagePack.

mod library;
mod packing;
mod unpacking;

pub use library::library;
