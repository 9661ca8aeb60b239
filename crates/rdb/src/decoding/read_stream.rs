//! Streams: nodes, counters, groups. What a version does not write is made up as Redis does when it reads that version.

use super::reader::Reader;
use crate::error::{Error, Fault};
use std::io::Read;
use store::Value;
use store::types::stream::{Counters, EntryLog, Group, Id, Stream};

/// What a version writes of a stream.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// Redis 5.0's.
    First,
    /// With the first and the largest deleted id, and with how many entries were added and read.
    Second,
    /// With the times at which consumers were active.
    Third,
}

pub fn stream<R: Read>(reader: &mut Reader<R>, version: Version) -> Result<Value, Error> {
    let log = entries(reader, version)?;
    let mut stream = Stream::from_log(log);
    let mut name = Vec::new();
    for _ in 0..reader.length()? {
        let duplicate = reader.error(Fault::Duplicate);
        reader.string(&mut name)?;
        let group = group(reader, version, stream.log())?;
        if !stream.add_group(&name, group) {
            return Err(duplicate);
        }
    }
    Ok(stream.into())
}

fn entries<R: Read>(reader: &mut Reader<R>, version: Version) -> Result<EntryLog, Error> {
    let mut log = EntryLog::default();
    let mut id = Vec::new();
    for _ in 0..reader.length()? {
        let no_id = reader.error(Fault::Length);
        reader.string(&mut id)?;
        let id = id[..].try_into().map(Id::from_bytes).map_err(|_| no_id)?;
        let start = reader.offset();
        let mut block = Vec::new();
        reader.string(&mut block)?;
        let fault = |at| Error { offset: start, fault: Fault::Block { format: "node of a stream", at } };
        log.restore_node(id, block).map_err(|corrupt| fault(corrupt.0))?;
    }
    let wrong = reader.error(Fault::Counters);
    let (length, last_id) = (reader.length()?, two_numbers(reader)?);
    let mut counters = Counters { length, last_id, max_deleted_id: Id::MIN, entries_added: length };
    if version >= Version::Second {
        // The first id is that of the first entry, which is there.
        two_numbers(reader)?;
        counters.max_deleted_id = two_numbers(reader)?;
        counters.entries_added = reader.length()?;
    }
    if log.restore_counters(counters) { Ok(log) } else { Err(wrong) }
}

fn group<R: Read>(reader: &mut Reader<R>, version: Version, log: &EntryLog) -> Result<Group, Error> {
    let last_id = two_numbers(reader)?;
    let read = match version {
        Version::First => log.added_up_to(last_id),
        // -1 is for what is not known.
        _ => Some(reader.length()? as i64).filter(|read| *read != -1),
    };
    let mut group = Group::new(last_id, read);
    for _ in 0..reader.length()? {
        let duplicate = reader.error(Fault::Duplicate);
        let id = Id::from_bytes(reader.array()?);
        let (delivered, deliveries) = (reader.milliseconds()?, reader.length()?);
        if !group.restore_pending(id, delivered, deliveries) {
            return Err(duplicate);
        }
    }
    let mut name = Vec::new();
    for _ in 0..reader.length()? {
        let duplicate = reader.error(Fault::Duplicate);
        reader.string(&mut name)?;
        let seen = reader.milliseconds()?;
        if version >= Version::Third {
            // When it last got an entry: Redis 7.0 does not know that.
            reader.milliseconds()?;
        }
        let (consumer, is_new) = group.create_consumer(&name, seen);
        if !is_new {
            return Err(duplicate);
        }
        for _ in 0..reader.length()? {
            let wrong = reader.error(Fault::Pending);
            if !group.restore_owner(Id::from_bytes(reader.array()?), consumer) {
                return Err(wrong);
            }
        }
    }
    if group.is_whole() { Ok(group) } else { Err(reader.error(Fault::Pending)) }
}

/// An id in the form that its parts have as counters.
fn two_numbers<R: Read>(reader: &mut Reader<R>) -> Result<Id, Error> {
    Ok(Id::new(reader.length()?, reader.length()?))
}
