//! What small collections cost in memory, counted by the allocator: the key, its place in the table and all that the
//! value has. Whoever adds a word to a value, or a header to a block, meets this test.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use store::types::hash::Hash;
use store::types::list::{End, List};
use store::types::set::Set;
use store::types::stream::{Id, Limits, NewId, Stream};
use store::types::zset::{Score, SortedSet};
use store::{Keyspace, Value};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn text(number: u64, size: usize) -> Vec<u8> {
    let digits = format!("{number:0size$}");
    digits[digits.len() - size..].into()
}

/// The collection of a key, with `elements` elements, each of which differs from those of other keys.
type Make = fn(key: u64, elements: u64) -> Value;

fn hash(key: u64, elements: u64) -> Value {
    let mut hash = Hash::new();
    (0..elements).for_each(|i| _ = hash.set(&text(i, 8), &text(key * 1000 + i, 16), &Default::default()));
    hash.into()
}

fn list(key: u64, elements: u64) -> Value {
    let mut list = List::new();
    (0..elements).for_each(|i| list.push(End::Tail, &text(key * 1000 + i, 16), Default::default()));
    list.into()
}

fn set(key: u64, elements: u64) -> Value {
    let mut set = Set::new();
    (0..elements).for_each(|i| _ = set.add(&text(key * 1000 + i, 16), &Default::default()));
    set.into()
}

fn integers(key: u64, elements: u64) -> Value {
    let mut set = Set::new();
    (0..elements).for_each(|i| _ = set.add((40_000 + key + i).to_string().as_bytes(), &Default::default()));
    set.into()
}

fn sorted_set(key: u64, elements: u64) -> Value {
    let mut set = SortedSet::new();
    let score = |i| Score::new(i as f64).expect("is a number");
    (0..elements).for_each(|i| _ = set.insert(&text(key * 1000 + i, 16), score(i), &Default::default()));
    set.into()
}

/// With a group for five hundred entries. Each has ten consumers, and all entries are pending there.
fn stream(key: u64, entries: u64) -> Value {
    let mut stream = Stream::new();
    for i in 0..entries {
        let pair = [text(i % 4, 8), text(key * 1000 + i, 16)];
        stream.log_mut().add(NewId::Auto, 1_800_000_000_000, &pair, &Limits::default()).expect("is a later one");
    }
    for group in 0..entries / 500 {
        let name = text(group, 40);
        stream.create_group(&name, Id::MIN, None);
        let (group, log) = stream.group_mut(&name).expect("is there");
        let consumers: Vec<_> = (0..10).map(|i| group.create_consumer(&text(i, 40), 0).0).collect();
        for (entry, consumer) in log.range(Id::MIN, Id::MAX).zip(consumers.iter().cycle()) {
            group.deliver(log, entry.id(), Some(*consumer), 0);
        }
    }
    stream.into()
}

/// Bytes in use by what a keyspace has, a key; and how many of them are the keyspace's own, as it says.
fn bytes_a_key(keys: u64, fill: impl Fn(&mut Keyspace, u64)) -> (f64, f64) {
    let region = Region::new(ALLOCATOR);
    let mut keyspace = Keyspace::new();
    (0..keys).for_each(|key| fill(&mut keyspace, key));
    let change = region.change();
    let (own, of_deadlines) = keyspace.allocated();
    let a_key = |bytes| bytes as f64 / keys as f64;
    (a_key(change.bytes_allocated - change.bytes_deallocated), a_key(own + of_deadlines))
}

// One test, since the allocator counts what all threads do.
#[test]
fn what_a_key_costs() {
    // An entry of 28 bytes, 8 in the table and 24 for the value are 60; the rest is one block, except for long lists and
    // for sets of texts, with two words between. Some bytes are for pages that are not full.
    let content: [(&str, Make, u64, f64); 10] = [
        ("a hash of 10 fields", hash, 10, 390.0),
        ("a list of 10 elements", list, 10, 262.0),
        ("a set of 10 texts", set, 10, 278.0),
        ("a set of 10 integers", integers, 10, 118.0),
        ("a sorted set of 10 members", sorted_set, 10, 294.0),
        ("a hash of 1000 fields", hash, 1000, 63_500.0),
        ("a list of 1000 elements", list, 1000, 20_000.0),
        ("a set of 1000 texts", set, 1000, 39_000.0),
        ("a sorted set of 1000 members", sorted_set, 1000, 52_500.0),
        ("a stream of 1000 entries and two groups", stream, 1000, 460_000.0),
    ];
    for (what, make, elements, most) in content {
        let (bytes, _) = bytes_a_key(50_000 / elements, |keyspace, key| {
            keyspace.set(&text(key, 16), make(key, elements), false);
        });
        assert!(bytes <= most, "{what}: {bytes} bytes");
        // What MEMORY USAGE says is that.
        let mut keyspace = Keyspace::new();
        let id = keyspace.set(&text(1, 16), make(1, elements), false);
        let told = keyspace.entry_memory(id) as f64;
        assert!(told <= bytes && told > bytes * 0.9, "{what}: {told} bytes of {bytes}");
    }
    // Short strings are in their entries.
    let string = |keyspace: &mut Keyspace, key| keyspace.set_string(&text(key, 16), &text(key, 16)[..], false);
    let (bytes, own) = bytes_a_key(50_000, |keyspace, key| _ = string(keyspace, key));
    assert!(bytes <= 50.5, "a string: {bytes} bytes");
    assert!((own - bytes).abs() < bytes * 0.01, "strings: {own} bytes of {bytes}");
    // All deadlines in their order; and twenty times, each so many milliseconds after the last time.
    let orders: [fn(u64) -> u64; 2] = [|key| key, |key| key % 1000 * 1000 + key / 1000];
    for later in orders {
        let (bytes, own) = bytes_a_key(50_000, |keyspace, key| {
            let id = string(keyspace, key);
            keyspace.set_deadline(id, 1_800_000_000_000 + later(key) as i64);
        });
        assert!(bytes <= 60.0, "a string with a time to live: {bytes} bytes");
        assert!((own - bytes).abs() < bytes * 0.01, "with deadlines: {own} bytes of {bytes}");
    }
}
