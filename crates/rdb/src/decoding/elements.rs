//! Collections that are written element by element.

use super::reader::Reader;
use crate::error::{Error, Fault};
use std::io::Read;
use store::Value;
use store::types::hash::{self, Hash};
use store::types::list::{self, End, List};
use store::types::set::{self, Set};
use store::types::zset::{self, Change, Score, SortedSet};

/// How many elements follow: at least one.
pub fn count<R: Read>(reader: &mut Reader<R>) -> Result<u64, Error> {
    let empty = reader.error(Fault::Empty);
    match reader.length()? {
        0 => Err(empty),
        count => Ok(count),
    }
}

pub fn list<R: Read>(reader: &mut Reader<R>, limits: list::Limits) -> Result<Value, Error> {
    let (mut list, mut text) = (List::new(), Vec::new());
    for _ in 0..count(reader)? {
        reader.string(&mut text)?;
        list.push(End::Tail, &text, limits);
    }
    Ok(list.into())
}

pub fn set<R: Read>(reader: &mut Reader<R>, limits: &set::Limits) -> Result<Value, Error> {
    let (mut set, mut member) = (Set::new(), Vec::new());
    for _ in 0..count(reader)? {
        let duplicate = reader.error(Fault::Duplicate);
        reader.string(&mut member)?;
        if !set.add(&member, limits) {
            return Err(duplicate);
        }
    }
    Ok(set.into())
}

pub fn hash<R: Read>(reader: &mut Reader<R>, limits: &hash::Limits) -> Result<Value, Error> {
    let (mut hash, mut field, mut value) = (Hash::new(), Vec::new(), Vec::new());
    for _ in 0..count(reader)? {
        let duplicate = reader.error(Fault::Duplicate);
        reader.string(&mut field)?;
        reader.string(&mut value)?;
        if !hash.set(&field, &value, limits) {
            return Err(duplicate);
        }
    }
    Ok(hash.into())
}

pub fn sorted_set<R: Read>(
    reader: &mut Reader<R>,
    limits: &zset::Limits,
    score: impl Fn(&mut Reader<R>) -> Result<Option<Score>, Error>,
) -> Result<Value, Error> {
    let (mut set, mut member) = (SortedSet::new(), Vec::new());
    let count = count(reader)?;
    // Large until all is known, as in Redis: the small form has no negative zero, and a long member may come last.
    let large = zset::Limits { entries: 0, ..*limits };
    for _ in 0..count {
        let duplicate = reader.error(Fault::Duplicate);
        reader.string(&mut member)?;
        let no_score = reader.error(Fault::Score);
        let score = score(reader)?.ok_or(no_score)?;
        if set.insert(&member, score, &large) != Change::Added {
            return Err(duplicate);
        }
    }
    if count <= limits.entries as u64 {
        let mut small = SortedSet::new();
        small.extend(set.iter(), limits);
        set = small;
    }
    Ok(set.into())
}

/// A score in the eight bytes of a double.
pub fn double_score<R: Read>(reader: &mut Reader<R>) -> Result<Option<Score>, Error> {
    reader.double().map(Score::new)
}

/// A score as text of so many bytes, or a byte for one that is not finite.
pub fn text_score<R: Read>(reader: &mut Reader<R>) -> Result<Option<Score>, Error> {
    const LOWEST: u8 = 255;
    const HIGHEST: u8 = 254;
    const NAN: u8 = 253;
    let length = match reader.byte()? {
        LOWEST => return Ok(Some(Score::LOWEST)),
        HIGHEST => return Ok(Some(Score::HIGHEST)),
        NAN => return Ok(None),
        length => usize::from(length),
    };
    let mut text = [0; NAN as usize];
    reader.fill(&mut text[..length])?;
    Ok(Score::parse(&text[..length]))
}
