//! The numbers of the types of values, which tell data and form; and those of the kinds of a list's nodes.

/// A string.
pub const STRING: u8 = 0;
/// A list as its elements.
pub const LIST: u8 = 1;
/// A set as its members.
pub const SET: u8 = 2;
/// A sorted set as its members, with scores as text.
pub const ZSET: u8 = 3;
/// A hash as its fields and values.
pub const HASH: u8 = 4;
/// A sorted set as its members, with scores as doubles.
pub const ZSET_2: u8 = 5;
/// A module's value without a length, which only the module can read.
pub const MODULE: u8 = 6;
/// A module's value.
pub const MODULE_2: u8 = 7;
/// A hash as a zipmap, as before Redis 2.6.
pub const HASH_ZIPMAP: u8 = 9;
/// A list as a ziplist.
pub const LIST_ZIPLIST: u8 = 10;
/// A set as an intset.
pub const SET_INTSET: u8 = 11;
/// A sorted set as a ziplist.
pub const ZSET_ZIPLIST: u8 = 12;
/// A hash as a ziplist.
pub const HASH_ZIPLIST: u8 = 13;
/// A list as several ziplists.
pub const LIST_QUICKLIST: u8 = 14;
/// A stream, as Redis 5.0 wrote it.
pub const STREAM_LISTPACKS: u8 = 15;
/// A hash as a listpack.
pub const HASH_LISTPACK: u8 = 16;
/// A sorted set as a listpack.
pub const ZSET_LISTPACK: u8 = 17;
/// A list as listpacks and single elements.
pub const LIST_QUICKLIST_2: u8 = 18;
/// A stream that knows its first entry, the highest deleted one, and how many were ever added: Redis 7.0's.
pub const STREAM_LISTPACKS_2: u8 = 19;
/// A set as a listpack, since Redis 7.2.
pub const SET_LISTPACK: u8 = 20;
/// A stream whose consumers know when they were active, since Redis 7.2.
pub const STREAM_LISTPACKS_3: u8 = 21;
/// A hash whose fields can expire, in a preliminary form of Redis 7.4's; with Valkey, in its own form.
pub const HASH_METADATA_PRE_GA: u8 = 22;
/// A packed one, in a preliminary form of Redis 7.4's.
pub const HASH_LISTPACK_EX_PRE_GA: u8 = 23;
/// A hash whose fields can expire, since Redis 7.4.
pub const HASH_METADATA: u8 = 24;
/// A packed one.
pub const HASH_LISTPACK_EX: u8 = 25;

/// A node of a list that is one element.
pub const PLAIN_NODE: u64 = 1;
/// A node of a list that is a listpack.
pub const PACKED_NODE: u64 = 2;
