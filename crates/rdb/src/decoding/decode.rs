//! Which type is read how.

use super::read_stream::{self, Version};
use super::reader::Reader;
use super::{blocks, elements};
use crate::code;
use crate::error::{Error, Fault};
use std::io::Read;
use std::sync::Arc;
use store::types::{hash, list, set, zset};
use store::{Content, StringValue, Value};

/// Up to which size the collections that are read are packed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// Of lists that are read element by element. Others keep their nodes, and so do streams.
    pub list: list::Limits,
    /// Of sets.
    pub set: set::Limits,
    /// Of hashes.
    pub hash: hash::Limits,
    /// Of sorted sets.
    pub zset: zset::Limits,
}

/// Reads a value of the type with the number `code`. Not one byte more than its own is read.
pub fn decode<R: Read>(code: u8, reader: &mut Reader<R>, limits: &Limits) -> Result<Value, Error> {
    let unsupported = |name| Err(reader.error(Fault::Unsupported(name)));
    match code {
        code::STRING => string(reader),
        code::LIST => elements::list(reader, limits.list),
        code::SET => elements::set(reader, &limits.set),
        code::ZSET => elements::sorted_set(reader, &limits.zset, elements::text_score),
        code::ZSET_2 => elements::sorted_set(reader, &limits.zset, elements::double_score),
        code::HASH => elements::hash(reader, &limits.hash),
        code::LIST_ZIPLIST => blocks::list_of_one(reader),
        code::LIST_QUICKLIST => blocks::list_of_ziplists(reader),
        code::LIST_QUICKLIST_2 => blocks::list_of_nodes(reader),
        code::SET_INTSET => blocks::set_of_integers(reader, &limits.set),
        code::SET_LISTPACK => blocks::packed_set(reader, &limits.set),
        code::HASH_ZIPMAP => blocks::hash(reader, &limits.hash, &blocks::ZIPMAP),
        code::HASH_ZIPLIST => blocks::hash(reader, &limits.hash, &blocks::ZIPLIST),
        code::HASH_LISTPACK => blocks::hash(reader, &limits.hash, &blocks::LISTPACK),
        code::ZSET_ZIPLIST => blocks::sorted_set(reader, &limits.zset, &blocks::ZIPLIST),
        code::ZSET_LISTPACK => blocks::sorted_set(reader, &limits.zset, &blocks::LISTPACK),
        code::STREAM_LISTPACKS => read_stream::stream(reader, Version::First),
        code::STREAM_LISTPACKS_2 => read_stream::stream(reader, Version::Second),
        code::STREAM_LISTPACKS_3 => read_stream::stream(reader, Version::Third),
        code::MODULE | code::MODULE_2 => unsupported("a value of a module"),
        code::HASH_METADATA_PRE_GA..=code::HASH_LISTPACK_EX => unsupported("a hash whose fields can expire"),
        code => Err(reader.error(Fault::Type(code))),
    }
}

fn string<R: Read>(reader: &mut Reader<R>) -> Result<Value, Error> {
    let mut text = Vec::new();
    reader.string(&mut text)?;
    text.shrink_to_fit();
    // A long one is kept, a short one copied.
    Ok(StringValue::new(Content::Shared(&Arc::new(text))).into())
}
