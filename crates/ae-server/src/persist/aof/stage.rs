//! How far the append-only file is.

/// How far the file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stage {
    #[default]
    Off,
    On,
    /// It was turned on while the server was running: what is written counts when there is a base before it.
    WaitsForBase,
}
