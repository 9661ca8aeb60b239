//! Collections that are written as one block, or several: listpacks, intsets, and what older versions had.

use super::elements::count;
use super::reader::Reader;
use super::{ziplist, zipmap};
use crate::code::{PACKED_NODE, PLAIN_NODE};
use crate::error::{Error, Fault};
use std::io::Read;
use store::types::hash::{self, Hash};
use store::types::list::{List, Node};
use store::types::packed::Packed;
use store::types::set::intset::IntSet;
use store::types::set::{self, Set};
use store::types::zset::{self, SortedSet};
use store::{Digits, Value};

/// A format of packed sequences.
pub struct Format {
    name: &'static str,
    /// The sequence, or the offset of what is wrong in the block.
    read: fn(Vec<u8>) -> Result<Packed, usize>,
}

/// Since Redis 7.0.
pub const LISTPACK: Format =
    Format { name: "listpack", read: |bytes| Packed::from_bytes(bytes).map_err(|corrupt| corrupt.0) };
/// Up to Redis 6.2.
pub const ZIPLIST: Format = Format { name: "ziplist", read: |bytes| ziplist::to_packed(&bytes) };
/// Of hashes, before Redis 2.6.
pub const ZIPMAP: Format = Format { name: "zipmap", read: |bytes| zipmap::to_packed(&bytes) };

/// A packed sequence, which may be empty.
fn sequence<R: Read>(reader: &mut Reader<R>, format: &Format) -> Result<Packed, Error> {
    let mut bytes = Vec::new();
    let start = reader.offset();
    reader.string(&mut bytes)?;
    bytes.shrink_to_fit();
    (format.read)(bytes).map_err(|at| Error { offset: start, fault: Fault::Block { format: format.name, at } })
}

/// One that has to have an element.
fn filled<R: Read>(reader: &mut Reader<R>, format: &Format) -> Result<Packed, Error> {
    let empty = reader.error(Fault::Empty);
    let packed = sequence(reader, format)?;
    if packed.is_empty() { Err(empty) } else { Ok(packed) }
}

pub fn hash<R: Read>(reader: &mut Reader<R>, limits: &hash::Limits, format: &Format) -> Result<Value, Error> {
    let start = reader.offset();
    let hash = Hash::from_packed(filled(reader, format)?, limits);
    let fault = |at| Error { offset: start, fault: Fault::Block { format: "hash", at } };
    hash.map(Value::from).map_err(|corrupt| fault(corrupt.0))
}

pub fn sorted_set<R: Read>(reader: &mut Reader<R>, limits: &zset::Limits, format: &Format) -> Result<Value, Error> {
    let start = reader.offset();
    let set = SortedSet::from_packed(filled(reader, format)?, limits);
    set.map(Value::from).map_err(|invalid| Error { offset: start, fault: Fault::Pair(invalid.0) })
}

pub fn packed_set<R: Read>(reader: &mut Reader<R>, limits: &set::Limits) -> Result<Value, Error> {
    let duplicate = reader.error(Fault::Duplicate);
    let packed = filled(reader, &LISTPACK)?;
    let (mut set, mut digits) = (Set::new(), Digits::new());
    for member in &packed {
        if !set.add(member.as_slice(&mut digits), limits) {
            return Err(duplicate);
        }
    }
    Ok(set.into())
}

pub fn set_of_integers<R: Read>(reader: &mut Reader<R>, limits: &set::Limits) -> Result<Value, Error> {
    let start = reader.offset();
    let fail = |fault| Error { offset: start, fault };
    let mut bytes = Vec::new();
    reader.string(&mut bytes)?;
    bytes.shrink_to_fit();
    let integers =
        IntSet::from_bytes(bytes).map_err(|corrupt| fail(Fault::Block { format: "intset", at: corrupt.0 }))?;
    if integers.is_empty() {
        return Err(fail(Fault::Block { format: "intset", at: 0 }));
    }
    Ok(Set::from_integers(integers, limits).into())
}

/// A list that is one ziplist.
pub fn list_of_one<R: Read>(reader: &mut Reader<R>) -> Result<Value, Error> {
    Ok(List::from_nodes([filled(reader, &ZIPLIST)?.into()]).into())
}

/// A list of ziplists.
pub fn list_of_ziplists<R: Read>(reader: &mut Reader<R>) -> Result<Value, Error> {
    list(reader, |reader| Ok(sequence(reader, &ZIPLIST)?.into()))
}

/// A list of listpacks and of elements that are a node each.
pub fn list_of_nodes<R: Read>(reader: &mut Reader<R>) -> Result<Value, Error> {
    list(reader, |reader| {
        let start = reader.offset();
        match reader.length()? {
            PLAIN_NODE => {
                let (mut element, empty) = (Vec::new(), reader.error(Fault::Block { format: "list node", at: 0 }));
                reader.string(&mut element)?;
                if element.is_empty() {
                    return Err(empty);
                }
                Ok(element.into_boxed_slice().into())
            }
            PACKED_NODE => Ok(sequence(reader, &LISTPACK)?.into()),
            kind => Err(Error { offset: start, fault: Fault::Node(kind) }),
        }
    })
}

/// A list of nodes. Some may be empty, but not all.
fn list<R: Read>(
    reader: &mut Reader<R>,
    mut node: impl FnMut(&mut Reader<R>) -> Result<Node, Error>,
) -> Result<Value, Error> {
    let empty = reader.error(Fault::Empty);
    let mut nodes = Vec::new();
    for _ in 0..count(reader)? {
        // A list drops them itself: here they would take memory until then.
        nodes.extend(Some(node(reader)?).filter(|node| !node.view().is_empty()));
    }
    let list = List::from_nodes(nodes);
    if list.is_empty() { Err(empty) } else { Ok(list.into()) }
}
