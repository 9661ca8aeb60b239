//! What all parts of a HyperLogLog have to agree on.

/// The bits of a hash that choose the register.
pub(super) const REGISTER_BITS: usize = 14;
/// How many registers there are.
pub const REGISTERS: usize = 1 << REGISTER_BITS;
/// The bits of a hash that do not choose the register.
pub(super) const HASH_BITS: usize = 64 - REGISTER_BITS;

/// Why the runs of a sparse one cannot be read: the offset of what is wrong. INVALIDOBJ in Redis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupt(pub usize);
