//! What can stand where an entry's type is expected.

/// Ranges of slots that are being imported: Valkey 9's.
pub const SLOT_IMPORT: u8 = 243;
/// How many keys a slot of a cluster has, for whoever makes room: since Redis 7.4.
pub const SLOT_INFO: u8 = 244;
/// A library of functions, as its source.
pub const FUNCTION: u8 = 245;
/// The same in a preliminary form of Redis 7.0's.
pub const FUNCTION_PRE_GA: u8 = 246;
/// Data of a module that belong to no key.
pub const MODULE_AUX: u8 = 247;
/// For how many seconds the next key has not been used.
pub const IDLE: u8 = 248;
/// How often the next key is used.
pub const FREQUENCY: u8 = 249;
/// A name and a value about the file.
pub const AUX: u8 = 250;
/// How many keys the database has, and how many of them expire.
pub const SIZES: u8 = 251;
/// When the next key expires, in milliseconds.
pub const MILLISECONDS: u8 = 252;
/// When the next key expires, in seconds.
pub const SECONDS: u8 = 253;
/// The number of the database that the next keys belong to.
pub const DATABASE: u8 = 254;
/// The end, with a checksum behind it.
pub const END: u8 = 255;
