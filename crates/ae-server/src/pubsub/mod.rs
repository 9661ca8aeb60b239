//! Publish and subscribe: who has subscribed to what, and messages on their way.

pub mod channels;
pub mod publish;
