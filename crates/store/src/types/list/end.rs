//! The words for the two directions of a list.

/// An end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// LEFT, with element 0.
    Head,
    /// RIGHT, with element -1.
    Tail,
}

impl End {
    /// The other end.
    pub fn opposite(self) -> End {
        match self {
            End::Head => End::Tail,
            End::Tail => End::Head,
        }
    }
}

/// On which side of another element a new one goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// BEFORE.
    Before,
    /// AFTER.
    After,
}
