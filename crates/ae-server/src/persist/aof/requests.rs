//! A value as requests that make it: a base without RDB.

use resp::{number, writer};
use store::types::stream::{Group, Id, Stream};
use store::types::zset::ScoreText;
use store::{Digits, ValueRef};

/// Elements of a collection that one request adds at most, as in Redis.
const BATCH: usize = 64;

/// Appends the request that loads a library.
pub fn of_function(out: &mut Vec<u8>, source: &[u8]) {
    request(out, &[b"FUNCTION", b"LOAD", source]);
}

/// Appends the requests that make a key. With a deadline the last one says when it expires.
pub fn of_entry(out: &mut Vec<u8>, key: &[u8], value: ValueRef<'_>, deadline: Option<i64>) {
    let (mut one, mut other) = (Digits::new(), Digits::new());
    match value {
        ValueRef::String(value) => request(out, &[b"SET", key, value.as_slice(&mut one)]),
        ValueRef::List(list) => {
            let mut batches = Batches::new(b"RPUSH", key, list.len(), 1);
            list.iter().for_each(|element| batches.add(out, &[element.as_slice(&mut one)]));
        }
        ValueRef::Set(set) => {
            let mut batches = Batches::new(b"SADD", key, set.len(), 1);
            set.iter().for_each(|member| batches.add(out, &[member.as_slice(&mut one)]));
        }
        ValueRef::SortedSet(zset) => {
            let mut batches = Batches::new(b"ZADD", key, zset.len(), 2);
            for entry in zset.iter() {
                batches.add(out, &[ScoreText::new().of(entry.score), entry.member.as_slice(&mut one)]);
            }
        }
        ValueRef::Hash(hash) => {
            let mut batches = Batches::new(b"HMSET", key, hash.len(), 2);
            for (field, value) in hash.iter() {
                batches.add(out, &[field.as_slice(&mut one), value.as_slice(&mut other)]);
            }
        }
        ValueRef::Stream(value) => stream(out, key, value),
    }
    if let Some(at) = deadline {
        request(out, &[b"PEXPIREAT", key, digits(&mut [0; number::MAX_LEN], at)]);
    }
}

/// Appends the request for a database.
pub fn select(out: &mut Vec<u8>, db: usize) {
    request(out, &[b"SELECT", digits(&mut [0; number::MAX_LEN], db as i64)]);
}

fn request(out: &mut Vec<u8>, args: &[&[u8]]) {
    writer::request(out, args);
}

fn digits(room: &mut [u8; number::MAX_LEN], value: i64) -> &[u8] {
    number::format(room, value)
}

/// Requests that add so many elements, some at a time.
struct Batches<'a> {
    name: &'static [u8],
    key: &'a [u8],
    /// How many elements are still to come.
    left: usize,
    /// How many words make up an element.
    words: usize,
    /// How many elements the last request still takes.
    room: usize,
}

impl<'a> Batches<'a> {
    fn new(name: &'static [u8], key: &'a [u8], left: usize, words: usize) -> Batches<'a> {
        Batches { name, key, left, words, room: 0 }
    }

    fn add(&mut self, out: &mut Vec<u8>, element: &[&[u8]]) {
        if self.room == 0 {
            self.room = self.left.min(BATCH);
            writer::array(out, 2 + self.room * self.words);
            writer::bulk(out, self.name);
            writer::bulk(out, self.key);
        }
        element.iter().for_each(|word| writer::bulk(out, word));
        self.room -= 1;
        self.left -= 1;
    }
}

fn stream(out: &mut Vec<u8>, key: &[u8], stream: &Stream) {
    let log = stream.log();
    for entry in log.range(Id::MIN, Id::MAX) {
        writer::array(out, 3 + 2 * entry.len());
        [b"XADD", key, entry.id().to_string().as_bytes()].iter().for_each(|word| writer::bulk(out, word));
        let (mut one, mut other) = (Digits::new(), Digits::new());
        for (field, value) in entry.fields() {
            writer::bulk(out, field.as_slice(&mut one));
            writer::bulk(out, value.as_slice(&mut other));
        }
    }
    if log.is_empty() {
        // An entry that is removed again.
        request(out, &[b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"]);
    }
    let (last, added, deleted) =
        (log.last_id().to_string(), log.entries_added().to_string(), log.max_deleted_id().to_string());
    let words = ["XSETID", "", &last, "ENTRIESADDED", &added, "MAXDELETEDID", &deleted];
    let mut words = words.map(str::as_bytes);
    words[1] = key;
    request(out, &words);
    for (name, of_name) in stream.groups() {
        group(out, key, name, of_name);
    }
}

fn group(out: &mut Vec<u8>, key: &[u8], name: &[u8], group: &Group) {
    let read = group.entries_read().unwrap_or(-1).to_string();
    let last = group.last_id().to_string();
    request(out, &[b"XGROUP", b"CREATE", key, name, last.as_bytes(), b"ENTRIESREAD", read.as_bytes()]);
    for (id, consumer) in group.consumers() {
        if consumer.pending_len() == 0 {
            request(out, &[b"XGROUP", b"CREATECONSUMER", key, name, consumer.name()]);
        }
        for (entry, pending) in group.pending_range_of(id, Id::MIN, Id::MAX) {
            let (entry, time, count) =
                (entry.to_string(), pending.delivered.to_string(), pending.deliveries.to_string());
            let (entry, time, count) = (entry.as_bytes(), time.as_bytes(), count.as_bytes());
            let words: [&[u8]; 12] = [
                b"XCLAIM",
                key,
                name,
                consumer.name(),
                b"0",
                entry,
                b"TIME",
                time,
                b"RETRYCOUNT",
                count,
                b"JUSTID",
                b"FORCE",
            ];
            request(out, &words);
        }
    }
}

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;
